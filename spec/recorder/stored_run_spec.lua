local T = require "spec.engine.support"
local curia = require "curia"
local helper = require "spec.helper"
local rows = require "curia.store.runs"
local shared = require "curia.store.shared"
local stored_run = require "curia.recorder.stored_run"
local support = require "spec.recorder.support"

local folder

before_each(function() folder = support.open() end)
after_each(function() support.close(folder) end)

local function handle(run)
  local store = assert(shared.configured())
  return stored_run.new(store, assert(rows.get(store, "default", run.id)))
end

local function types(iterator, state, first, closing)
  local found = {}
  for event in iterator, state, first, closing do found[#found + 1] = event.type end
  return found
end

-- The row as another process would have it that goes on with the run.
local function reopen(run)
  assert(assert(shared.configured()):execute(
    "UPDATE {runs} SET status = 'running', finalized_at = NULL, result = NULL WHERE run_id = ?", run.id))
end

describe("a run that has left memory", function()
  it("answers from the store as it did before", function()
    local run = support.recorded()
    local stored = handle(run)
    assert.equal("ok", stored:await().status)
    assert.equal("Yes.", stored:result().rounds[1].results.a.response.content)
    local state = stored:state()
    assert.same({ run.id, "completed", 1, "ok", true },
      { state.run_id, state.status, state.rounds_completed, state.members.a, state.recorded })
    assert.same(types(run:events { tokens = false }), types(stored:events()))
    assert.same({ "run_completed" }, types(stored:events { from_seq = run.log.count }))
  end)

  it("gives its error again", function()
    T.answers { a = { error = { status = 400, message = "no" } } }
    local run = support.recorded { ids = { "a" } }
    local _, live = run:result()
    local result, err = handle(run):result()
    assert.same({ "error", live.kind, live.message }, { result.status, err.kind, err.message })
  end)

  it("calls those who listen, and is told no more than it is", function()
    helper.run(function()
      local stored, heard, over = handle(support.recorded()), {}, nil
      stored:subscribe(function(event) heard[#heard + 1] = event.type end)
      stored:on_end(function(run) over = run end)
      while not (over and heard[#heard] == "run_completed") do curia.task.sleep(1) end
      assert.equal(stored, over)
      assert.is_true(stored:cancel())
      local _, err = stored:approve("c1", true)
      assert.equal("not_pending", err.code)
    end)
  end)

  it("that goes on elsewhere is waited for, and may be asked to end", function()
    helper.run(function()
      local run = support.recorded()
      reopen(run)
      local stored = handle(run)
      assert.is_nil((stored:result()))
      assert.equal("timeout", select(2, stored:await(10)).kind)
      assert.is_true(stored:cancel "enough")
      assert.equal("enough", rows.get(stored.store, "default", run.id).cancel_requested)
      local reading = curia.task.spawn(function() return types(stored:events()) end)
      curia.task.sleep(20)
      assert(stored.store:execute "UPDATE {runs} SET status = 'completed'")
      local _, found = reading:await()
      assert.equal("run_completed", found[#found])
      assert.is_true(stored.ended)
    end)
  end)

  it("that waits for a decision, and is nobody's, is free to be taken up when it is to end", function()
    helper.run(function()
      local run = support.recorded()
      reopen(run)
      local stored = handle(run)
      assert(stored.store:execute "UPDATE {runs} SET status = 'blocked', incarnation = NULL")
      assert.is_true(stored:cancel "enough")
      local row = rows.get(stored.store, "default", run.id)
      assert.same({ "pending", "enough" }, { row.status, row.cancel_requested })
      assert(stored.store:execute "UPDATE {runs} SET status = 'blocked', incarnation = 'another'")
      assert.is_true(stored:cancel "enough")
      assert.equal("blocked", rows.get(stored.store, "default", run.id).status)
    end)
  end)

  it("that was terminated is no longer known", function()
    local run = assert(curia.start(T.council { run = function(ctx) ctx:sleep(60000) end }, "Why?", { recorder = true }))
    helper.settle(function() return run.status == "running" end)
    run:terminate()
    run.recording:wait(60000)
    assert.equal("unknown_run", select(2, handle(run):await()).kind)
  end)
end)
