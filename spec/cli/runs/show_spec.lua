local json = require "curia.json"
local programs = require "spec.recovery.program"
local recovery = require "spec.recovery.support"
local support = require "spec.cli.runs.support"

local folder

before_each(function() folder = support.open() end)
after_each(function() folder.remove() end)

describe("the page of a run", function()
  it("fits into 80 columns, and is a document for programs", function()
    folder.run("run", folder.council, ("Why? "):rep(40), "-q")
    local _, out = folder.run("runs", "show")
    for line in out:gmatch "[^\n]+" do assert.is_true(utf8.len(line) <= 80, line) end
    assert.matches("round 1", out)
    assert.matches("status     completed\n", out)
    assert.is_nil(out:find("\27", 1, true))
    _, out = folder.run("runs", "show", "--json")
    local result = json.decode(out)
    assert.same({ "partial", "an answer" }, { result.status, result.final.content })
  end)

  it("says of a run whose process has died how to go on with it, as the list does", function()
    local place = programs.place()
    recovery.leave_behind(place.url)
    local _, shown = place.run("runs", "show", "left-1")
    local _, listed = place.run("runs", "list", "--status", "running")
    place.close()
    assert.matches("status     running, but its process has died\ngo on      curia resume left%-1\n", shown)
    assert.matches("\tdied\tleft%-1\t", listed)
  end)

  it("tells how to go on although the council asks for something else", function()
    local place = programs.place()
    recovery.leave_behind(place.url)
    local store = assert(require "curia.store".open(place.url))
    assert(store:execute "UPDATE {runs} SET status = 'blocked', reason = 'replay_mismatch', incarnation = NULL")
    local differs = { kind = "replay_mismatch", message = "step 1/a differs", context = { path = "1/a" } }
    local unit = {}
    local packed = store:pack(unit, differs)
    unit[#unit + 1] = { "UPDATE {runs} SET error = ?", packed }
    assert(store:write(unit))
    store:close()
    local _, shown = place.run("runs", "show", "left-1")
    place.close()
    assert.matches("status     blocked %(replay_mismatch%)\nwhy        the run does not repeat itself: step 1/a differs\n"
      .. "go on      curia resume left%-1 %-%-accept 1/a\n", shown)
  end)
end)
