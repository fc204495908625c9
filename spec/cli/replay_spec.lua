local programs = require "spec.recovery.program"

local place

before_each(function() place = programs.place() end)
after_each(function() place.close() end)

describe("curia replay", function()
  it("shows a stored run again, and asks nobody", function()
    local code, _, err = place.run("run", "panel", "Why?", "--offline", "--durable", "-q")
    assert.equal(0, code, err)
    local out
    code, out, err = place.run("replay", "last", "--speed", "0")
    assert.equal(0, code, err)
    assert.matches("chair on \"Why%?\"", out)
    assert.matches("round 2: synthesis", err)
    code, out = place.run("replay", "last", "--speed", "0", "--events")
    assert.equal(0, code)
    assert.matches('^{"at":%d+,"council":"panel".-"type":"run_started"', out)
    assert.matches('"type":"run_completed"', out)
  end)

  it("says that there is none", function()
    local code, _, err = place.run "replay"
    assert.equal(1, code)
    assert.matches("nothing is stored yet", err)
  end)
end)
