local bash = require "curia.completion.bash"

-- The shells themselves judge it in spec/cli/completion_spec.lua.
describe("completion for bash", function()
  it("names commands and flags, and quotes what is said of them", function()
    local script = bash.script { {
      name = "try", about = "one's own", argument = "council",
      options = { { flags = { "--how", "-w" }, doc = "it's [so]", words = { "a", "b" } } },
    } }
    assert.truthy(script:find("try", 1, true))
    assert.truthy(script:find("how", 1, true))
    assert.is_nil(script:find "@%u")
  end)
end)
