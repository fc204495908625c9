local json = require "curia.json"
local program = require "spec.cli.program"
local support = require "spec.store.support"
local terminal = require "spec.tmux"

local folder

before_each(function() folder = support.folder() end)
after_each(function() folder.remove() end)

local function run(...)
  local args = { "jobs", ... }
  args[#args + 1] = "--store"
  args[#args + 1] = folder.url "jobs.db"
  return program.run(args)
end

local function enqueue(...)
  local code, out = run("enqueue", "panel", ...)
  assert.equal(0, code)
  return (out:gsub("%s+$", ""))
end

describe("curia jobs", function()
  it("enqueues, lists and shows", function()
    local id = enqueue("Should we", "ship?", "--set", "n=5", "--priority", "-2", "--timeout", "2m")
    local code, out = run("list", "--json", "--state", "available")
    assert.equal(0, code)
    local job = json.decode(out)
    assert.same({ id, "panel", "Should we ship?", 5, -2, 120000 },
      { job.job_id, job.council, job.input.question, job.input.n, job.priority, job.timeout_ms })
    code, out = run("show", id)
    assert.equal(0, code)
    assert.matches("state +available", out)
    assert.matches("attempt +0 of 5", out)
    out = select(2, run "list")
    assert.equal(id, out:match "^%S+")
    assert.matches("  available .* 0/5\n$", out)
  end)

  it("enqueues for later, and a unique one once", function()
    local id = enqueue("Ship?", "--in", "2h", "--unique", "friday")
    assert.matches("state +scheduled", select(2, run("show", id)))
    local code, out, err = run("enqueue", "panel", "Ship?", "--unique", "friday")
    assert.same({ 0, id .. "\n" }, { code, out })
    assert.matches("no other was made", err)
  end)

  it("cancels, begins once more and prunes", function()
    local id = enqueue "Ship?"
    assert.equal(id .. " cancelled\n", select(2, run("cancel", id, "--reason", "enough")))
    assert.matches("cancel +enough", select(2, run("show", id)))
    assert.equal(id .. " available\n", select(2, run("retry", id)))
    assert.equal("0 jobs were deleted\n", select(2, run("prune", "--older-than", "0s")))
    run("cancel", id)
    assert.equal("1 job was deleted\n", select(2, run("prune", "--older-than", "0s")))
  end)

  it("says that nothing is stored, and makes nothing by looking", function()
    for _, name in ipairs { "list", "schedules" } do
      local code, out, err = run(name)
      assert.same({ 0, "" }, { code, out })
      assert.matches("^curia: nothing is stored yet: there is no .*jobs%.db\n$", err)
    end
    for _, args in ipairs { { "show", "last" }, { "retry", "x" }, { "cancel", "x" }, { "prune" }, { "unschedule", "x" } } do
      assert.equal(1, (run(table.unpack(args))))
    end
    assert.is_nil(io.open(folder.path "jobs.db"))
  end)

  it("takes the newest job for last", function()
    run("cancel", (enqueue "Ship?"))
    run("prune", "--older-than", "0s")
    local code, _, err = run("show", "last")
    assert.equal(1, code)
    assert.matches("there is no job yet", err)
    local id = enqueue "And now?"
    assert.is_truthy(select(2, run("show", "last")):find(id, 1, true))
    assert.equal(id .. " cancelled\n", select(2, run("cancel", "last")))
    assert.equal(id .. " available\n", select(2, run("retry", "last")))
  end)

  it("shows which job is parked", function()
    local id = enqueue "Ship?"
    local store = assert(require "curia.store".open(folder.url "jobs.db"))
    assert(store:execute "UPDATE {jobs} SET state = 'executing'")
    store:close()
    assert.is_truthy(select(2, run "list"):find(id .. "  parked ", 1, true))
    local out = select(2, run("show", id))
    assert.matches("state +executing", out)
    assert.matches("parked +its run waits for a decision: curia runs show ", out)
  end)

  it("says that a job which executes is asked to end", function()
    local id = enqueue "Ship?"
    local store = assert(require "curia.store".open(folder.url "jobs.db"))
    assert(store:execute "UPDATE {jobs} SET state = 'executing', incarnation = 'another'")
    store:close()
    assert.equal(id .. " executing, asked to end\n", select(2, run("cancel", id)))
  end)

  it("schedules, and takes that back", function()
    local code, out = run("schedule", "news", "30 6 * * mon-fri", "panel", "What is", "new?", "--priority", "3")
    assert.equal(0, code)
    assert.matches("^news +30 6 %* %* mon%-fri +panel  next %d%d%d%d%-%d%d%-%d%dT06:30:00Z  last %-\n$", out)
    local entry = json.decode((select(2, run("schedules", "--json"))))
    assert.same({ "news", "panel", "What is new?", 3 },
      { entry.name, entry.job.council, entry.job.input.question, entry.job.priority })
    assert.equal(out, select(2, run "schedules"))
    local _, _, err = run("unschedule", "nws")
    assert.matches("did you mean 'news'", err)
    assert.equal("news is no longer scheduled\n", select(2, run("unschedule", "news")))
    assert.equal("", select(2, run "schedules"))
  end)

  local with_tmux = terminal.found and it or pending
  with_tmux("fits onto a terminal", function()
    local id = enqueue(("Is this a long question? "):rep(10))
    run("schedule", "news", "@daily", "panel", "What?")
    local command = ("%s jobs %%s --store %s"):format(require "spec.helper".program, folder.url "jobs.db")
    terminal.open(80, 30, ("%s; %s"):format(command:format "list", command:format "schedules"))
    local shown = terminal.wait_for "the end"
    terminal.close()
    assert.matches("^" .. id:gsub("%-", "%%-") .. "  available   %d%d %a+ %d%d:%d%d UTC  attempt 0/5\n"
      .. "  panel in queue default: Is this a long[^\n]+…\n"
      .. "news  @daily\n  panel: next %d%d%d%d%-%d%d%-%d%d 00:00:00 UTC, none yet\n", shown)
  end)

  it("tells what is wrong", function()
    enqueue "Ship?"
    local code, _, err = run("show", "none")
    assert.equal(1, code)
    assert.matches("there is no job none", err)
    for message, args in pairs {
      ["what is missing"] = {}, ["did you mean 'list'"] = { "lst" }, ["the council is missing"] = { "enqueue" },
      ["the job's id is missing"] = { "cancel" }, ["one job at a time"] = { "show", "a", "b" },
      ["%-%-period goes with %-%-unique"] = { "enqueue", "panel", "Why?", "--period", "5s" },
      ["did you mean 'completed'"] = { "list", "--state", "complete" },
      ["a name without '/'"] = { "list", "--queue", "a/b" },
      ["minute: 61 is not between"] = { "schedule", "news", "61 * * * *", "panel", "Why?" },
      ["the times are missing"] = { "schedule", "news" }, ["name is without '/'"] = { "schedule", "a/b", "@daily" },
      ["the question is missing"] = { "schedule", "news", "@daily", "panel" },
      ["the schedule's name is missing"] = { "unschedule" },
      ["jobs list takes no argument, 'panel' is one"] = { "list", "panel" },
      ["%-%-in is not for jobs schedule"] = { "schedule", "news", "@daily", "panel", "Why?", "--in", "5m" },
    } do
      code, _, err = run(table.unpack(args))
      assert.equal(64, code, message)
      assert.matches(message, err)
    end
  end)
end)
