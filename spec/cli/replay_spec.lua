local helper = require "spec.helper"
local programs = require "spec.recovery.program"
local terminal = require "spec.tmux"

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

  it("gives a terminal an answer that fits #tmux", function()
    if not terminal.found then return pending "there is no tmux here" end
    assert.equal(0, (place.run("run", "panel", ("words "):rep(9), "--offline", "--durable", "-q")))
    terminal.open(60, 40, ("CURIA_STORE=%s %s replay last --speed 0 2>&-"):format(place.url, helper.program))
    local shown = terminal.wait_for "the end"
    terminal.close()
    assert.matches("^%[offline%] chair on ", shown)
    assert.matches("words\nwords", shown, 1, true)
  end)

  it("says that there is none", function()
    local code, _, err = place.run "replay"
    assert.equal(1, code)
    assert.matches("nothing is stored yet", err)
  end)
end)
