local T = require "spec.engine.support"
local curia = require "curia"
local helper = require "spec.helper"
local recorders = require "curia.recorder"
local rows = require "curia.store.runs"
local shared = require "curia.store.shared"
local support = require "spec.recorder.support"

local folder

before_each(function() folder = support.open() end)
after_each(function() support.close(folder) end)

-- A recorder that notes what it is told.
local function noting(more)
  local told = { types = {} }
  local recorder = {
    init = function(run_id, args) told.run_id, told.args = run_id, args end,
    event = function(event) table.insert(told.types, event.type) end,
    finalize = function(outcome, run_id)
      told.finalized, told.outcome, told.of = (told.finalized or 0) + 1, outcome, run_id
    end,
  }
  for name, fn in pairs(more or {}) do recorder[name] = fn end
  return recorder, told
end

local function ended(body, opts)
  local run = assert(curia.start(T.council(body or {}), "Why?", opts))
  run:await()
  local done, err = run.recording:wait(60000)
  return run, done, err
end

describe("a recorder of three functions", function()
  it("is told of the run, of each event, and once of the end", function()
    local recorder, told = noting()
    local run = ended({}, { recorder = { recorder, { job_id = "j1" } } })
    assert.same({ run.id, "j1", run.id, 1 }, { told.run_id, told.args.job_id, told.of, told.finalized })
    assert.equal("run_started", told.types[1])
    assert.equal("run_completed", told.types[#told.types])
    assert.equal(run.log.count, #told.types)
    assert.equal(run:result(), told.outcome.ok)
  end)

  it("gets the events that it includes, and tokens only then", function()
    local recorder, told = noting()
    T.answers { a = { stream = { "Ye", "s." } } }
    ended({ members = { a = { stream = true } } }, { recorder = { recorder, { events = { include = { "member_token", "run_completed" } } } } })
    assert.same({ run_completed = true, member_token = true }, (function()
      local seen = {}
      for _, kind in ipairs(told.types) do seen[kind] = true end
      return seen
    end)())
  end)

  it("is told how a run has failed, was cancelled or terminated", function()
    local recorder, told = noting()
    T.answers { a = { error = { status = 400, message = "no" } } }
    ended({ ids = { "a" } }, { recorder = recorder })
    assert.is_string(told.outcome.error.kind)
    local function waits(ctx) ctx:sleep(60000) end
    for _, how in ipairs { "cancel", "terminate" } do
      recorder, told = noting()
      local run = assert(curia.start(T.council { run = waits }, "Why?", { recorder = recorder }))
      helper.settle(function() return run.status == "running" end)
      run[how](run)
      run:await()
      run.recording:wait(60000)
      assert.is_true(told.outcome[how == "cancel" and "cancelled" or "terminated"])
      assert.equal(1, told.finalized)
    end
  end)

  it("that fails leaves the run alone, is told the end, and the log says so", function()
    local recorder, told = noting { event = function() return nil, "the disk is full" end }
    local run, done, err
    local lines = T.logged(function() run, done, err = ended({}, { recorder = recorder }) end)
    assert.equal("ok", run:result().status)
    assert.is_nil(done)
    assert.matches("the disk is full", err.message)
    assert.matches("is not recorded any further: the disk is full", lines[1])
    assert.equal(1, #lines)
    assert.equal(1, told.finalized)
    assert.is_false(run:state().recorded)
  end)

  it("that fails to begin is told nothing more", function()
    local recorder, told = noting { init = function() error("never", 0) end }
    local lines = T.logged(function() ended({}, { recorder = recorder }) end)
    assert.matches("is not recorded: never", lines[1])
    assert.same({ 0, nil }, { #told.types, told.finalized })
  end)
end)

describe("a run that is recorded", function()
  it("says so, and tells once all is stored", function()
    local heard = {}
    local run = assert(curia.start(T.council {}, "Why?", { recorder = true }))
    local topic = curia.subscribe({ topic = "all" }, function(event) table.insert(heard, event.type) end)
    run:await()
    assert.is_true(run:state().recorded)
    assert(run.recording:wait(60000))
    assert.is_true(helper.settle(function() return heard[#heard] == "run_recorded" end))
    topic:stop()
    assert.equal("run_completed", heard[#heard - 1])
    assert.equal("completed", rows.get(assert(shared.configured()), "default", run.id).status)
  end)

  it("has the runs inside of it recorded too", function()
    local inner = T.council { name = "inner" }
    local run = support.recorded { ids = { "x" }, members = { x = { council = inner } } }
    recorders.drain(5000)
    local store = assert(shared.configured())
    local found = store:query("SELECT council, parent_run_id FROM {runs} WHERE parent_run_id IS NOT NULL")
    assert.same({ { council = "inner", parent_run_id = run.id } }, { { council = found[1].council,
      parent_run_id = found[1].parent_run_id } })
  end)

  it("may be one that is durable: its journal keeps it, and no recorder", function()
    helper.run(function()
      local run = assert(curia.start(T.council {}, "Why?", { durability = "sync", recorder = true }))
      assert.equal("ok", run:await().status)
      assert.is_true(run:state().recorded)
      assert.is_nil(run.recording)
    end)
  end)

  it("is not one unless it is asked for", function()
    local run = assert(curia.start(T.council {}, "Why?"))
    run:await()
    assert.is_nil(run.recording)
    assert.is_false(run:state().recorded)
  end)

  it("goes on, and says so, when its recorder is not part of this version", function()
    local run
    local lines = T.logged(function() run = ended({}, { recorder = "postgres" }) end)
    assert.equal("ok", run:result().status)
    assert.equal("storage", run.recording.failure.kind)
    assert.matches("Postgres, which is not part of this version", lines[1])
  end)

  it("cannot be asked for in a wrong way", function()
    local run, err = curia.start(T.council {}, "Why?", { recorder = { init = print } })
    assert.is_nil(run)
    assert.matches("a recorder has a function 'event'", err.message)
    run, err = curia.start(T.council {}, "Why?", { recorder = "sqlight" })
    assert.is_nil(run)
    assert.matches("sqlite", err.message)
  end)
end)
