local program = require "spec.cli.program"

describe("examples/", function()
  it("first.lua asks a council and shows what happens", function()
    local code, out = program.run { "lua", "examples/first.lua", "Why?" }
    assert.equal(0, code)
    assert.truthy(out:find("\nchair      ok\n", 1, true))
    assert.truthy(out:find("offline: true, 2 rounds", 1, true))
  end)

  it("usage_table.lua writes a row for each answer", function()
    local path = os.tmpname()
    local code = program.run { "lua", "examples/usage_table.lua", path }
    local rows = {}
    for line in io.lines(path) do rows[#rows + 1] = line end
    os.remove(path)
    assert.same({ 0, 4 }, { code, #rows })
    assert.matches("^at,run_id,council,member_id,", rows[1])
    assert.matches(",advisor,chair,synthesis,", rows[4])
  end)

  it("mock_script.lua is a script that loads", function()
    assert(require "curia.script".load("examples/mock_script.lua"))
  end)
end)
