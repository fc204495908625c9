local json = require "curia.json"
local program = require "spec.cli.program"
local programs = require "spec.recovery.program"
local recovery = require "spec.recovery.support"
local shared = require "curia.store.shared"
local support = require "spec.cli.runs.support"

local folder

before_each(function() folder = support.open() end)
after_each(function() folder.remove() end)

local function ids()
  local _, out = folder.run("runs", "list", "--json")
  local found = {}
  for i, row in ipairs(json.decode(out)) do found[i] = row.run_id end
  return found
end

describe("curia runs", function()
  it("lists, shows and replays what was recorded", function()
    assert.equal(2, (folder.run("run", folder.council, "Why?", "-q")))
    local code, out = folder.run "runs"
    assert.equal(0, code)
    assert.matches("^%x+%-[%x-]+\t%d+%-%d+%-%d+T[%d:]+Z\tcompleted\tmixed\t%$0.5000\tWhy%?\n$", out)
    code, out = folder.run("runs", "show", "last")
    assert.equal(0, code)
    assert.matches("broken.*who are you%?.*answer\nan answer\n.*cost .*%$0.50", out)
    code, out = folder.run("runs", "events", ids()[1], "--from", "2")
    assert.equal(0, code)
    assert.matches('^{"at".-"type":"round_started".*"type":"run_completed"[^\n]*\n$', out)
  end)

  it("says that nothing is stored, and makes nothing by looking", function()
    local code, out, err = folder.run "runs"
    assert.same({ 0, "" }, { code, out })
    assert.matches("nothing is stored yet: there is no .*runs.db", err)
    assert.equal(1, (folder.run("runs", "show")))
    assert.is_nil(io.open(folder.path "runs.db"))
  end)

  it("fails where no store can be", function()
    local env = { CURIA_STORE = false, XDG_DATA_HOME = false, HOME = false }
    local code, _, err = program.run({ "runs" }, { env = env })
    assert.equal(1, code)
    assert.matches("there is no place for a store", err)
  end)

  it("asks once more what a run was asked, and links the two", function()
    folder.run("run", folder.council, "Why?", "--set", "n=1", "-q")
    local code, out = folder.run("runs", "rerun", "last", "-q")
    assert.same({ 2, "an answer\n" }, { code, out })
    local found = ids()
    assert.equal(2, #found)
    out = select(2, folder.run("runs", "show", found[1]))
    assert.matches("again of   " .. found[2]:gsub("%-", "%%-"), out)
  end)

  it("removes what is old, and cancels what goes on", function()
    folder.run("run", folder.council, "Why?", "-q")
    local code, out = folder.run("runs", "cancel", "last")
    assert.equal(0, code)
    assert.matches("has ended: completed", out)
    out = select(2, folder.run("runs", "prune", "--older-than", "1h"))
    assert.equal("0 runs removed\n", out)
    out = select(2, folder.run("runs", "prune", "--older-than", "0s"))
    assert.equal("1 run removed\n", out)
    assert.same({}, ids())
  end)

  it("says who ends a run whose process has died", function()
    local place = programs.place()
    recovery.leave_behind(place.url)
    local _, out = place.run("runs", "cancel", "left-1")
    assert.equal("run left-1 is asked to end; its process has died, and curia recover --once ends it\n", out)
    place.close()
  end)

  it("says who ends a run that waits for a decision, and belongs to nobody", function()
    local place = programs.place()
    recovery.leave_behind(place.url)
    assert(shared.configured():execute "UPDATE {runs} SET status = 'blocked', incarnation = NULL")
    local _, out = place.run("runs", "cancel", "left-1")
    assert.equal("run left-1 is asked to end; whoever waits with it cancels it, else curia recover --once does\n", out)
    place.close()
  end)

  it("is told when it is used wrongly", function()
    local function misused(text, ...)
      local code, _, err = folder.run("runs", ...)
      assert.equal(64, code)
      assert.matches(text, err)
    end
    misused("unknown action 'lst'.*'list'", "lst")
    misused("%-%-db is not for runs show", "show", "--db", "x")
    misused("which run%?", "cancel")
    misused("how old%?", "prune")
    misused("%-%-older%-than 30: a number with its unit is expected, as 90s, 5m, 24h or 30d", "prune", "--older-than", "30")
    misused("one of pending, .* is expected; did you mean 'completed'%?", "list", "--status", "complete")
    misused("one run at a time", "show", "a", "b")
    misused("runs list takes no argument, 'panel' is one", "list", "panel")
  end)

  it("says that a record has a gap", function()
    folder.run("run", folder.council, "Why?", "--offline")
    local _, _, whole = folder.run("runs", "events")
    assert.equal("", whole)
    local store = assert(require "curia.store".open(folder.url "runs.db"))
    assert(store:execute "DELETE FROM {run_events} WHERE seq = 2")
    store:close()
    assert.matches("record     1 of %d+ events are missing\n", select(2, folder.run("runs", "show")))
    for _, args in ipairs { { "events" }, { "export" }, { "show", "--json" } } do
      local code, out, err = folder.run("runs", table.unpack(args))
      assert.equal(0, code)
      assert.is_true(#out > 0)
      assert.matches("^curia: the record of run %S+ has a gap: 1 of %d+ events are missing\n$", err)
    end
  end)

  it("says that there is no such run", function()
    folder.run("run", folder.council, "Why?", "-q")
    local code, _, err = folder.run("runs", "show", "nobody")
    assert.equal(1, code)
    assert.matches("there is no run nobody", err)
  end)
end)
