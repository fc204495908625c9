local program = require "spec.cli.program"

describe("curia test", function()
  it("runs busted on this Lua and gives its exit code", function()
    local good = program.file('it("y", function() assert.equal("Lua 5.4", _VERSION) end)', "_spec.lua")
    local bad = program.file('it("y", function() assert.equal(1, 2) end)', "_spec.lua")
    assert.equal(0, (program.run { "test", good }))
    local code, out = program.run { "test", bad, "-o", "TAP" }
    assert.equal(1, code)
    assert.truthy(out:find("not ok 1", 1, true))
    os.remove(good)
    os.remove(bad)
  end)

  it("passes busted's own options on", function()
    local _, out, err = program.run { "test", "--", "--help" }
    assert.truthy((out .. err):find("--filter", 1, true))
  end)
end)
