local program = require "spec.cli.program"

describe("examples/", function()
  it("first.lua asks a council and shows what happens", function()
    local code, out = program.run { "lua", "examples/first.lua", "Why?" }
    assert.equal(0, code)
    assert.truthy(out:find("\nchair      ok\n", 1, true))
    assert.truthy(out:find("offline: true, 2 rounds", 1, true))
  end)

  it("mock_script.lua is a script that loads", function()
    assert(require "curia.script".load("examples/mock_script.lua"))
  end)
end)
