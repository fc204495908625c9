local programs = require "spec.recovery.program"
local support = require "spec.recovery.support"

local place

before_each(function() place = programs.place() end)
after_each(function() place.close() end)

describe("curia resume", function()
  it("goes on with a run whose process was killed, and then has nothing to go on with", function()
    support.leave_behind(place.url)
    local code, out, err = place.run("resume", "left-1", "-q")
    assert.same({ 0, "[offline]" }, { code, out:match "%S+" }, err)
    code, out, err = place.run("resume", "left-1")
    assert.same({ 1, "" }, { code, out })
    assert.matches("run left%-1 has ended: completed", err)
  end)

  it("needs a run", function()
    local code, _, err = place.run "resume"
    assert.equal(64, code)
    assert.matches("which run", err)
    code, _, err = place.run("resume", "nothing")
    assert.equal(1, code)
    assert.matches("nothing", err)
  end)
end)
