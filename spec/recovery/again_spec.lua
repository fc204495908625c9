local again = require "curia.recovery.again"
local curia = require "curia"
local helper = require "spec.helper"
local rows = require "curia.store.runs"
local S = require "spec.durable.support"
local shared = require "curia.store.shared"
local T = require "spec.engine.support"

local place, store

before_each(function()
  place = S.place()
  store = assert(shared.configured())
end)

after_each(function() place.close() end)

local function attempt(durability)
  local row = again.row {
    namespace = "default", run_id = "first", council = "c", durability = durability, attempt = 2, attempts = 3, fence = 9,
    recovery = "fail", max_attempts = 5, input = { question = "Why?" }, seed = 7, source_env = "test", job_id = "j",
    options = { metadata = { case = 3 }, run_id = "first", owned = true }, incarnation = "dead", result = { status = "error" },
  }
  row.fence = 1
  local unit = {}
  again.put(store, unit, row)
  assert(store:write(unit))
  return row
end

describe("a run that is begun anew", function()
  it("has all that it was asked, and nothing of what it has come to", function()
    local row = attempt "sync"
    assert.same({ 3, 0, "first", "pending", "Why?", 7, "test", "j", 5, "fail" }, {
      row.attempt, row.attempts, row.parent_attempt_run_id, row.status, row.input.question, row.seed, row.source_env,
      row.job_id, row.max_attempts, row.recovery,
    })
    assert.same({}, { row.incarnation, row.result })
    assert.are_not.equal("first", row.run_id)
    assert.equal("restart", attempt "none".recovery)
  end)

  it("is what the job or the step waits for that waited for the one before it", function()
    local job = [[INSERT INTO {jobs} (job_id, namespace, queue, state, priority, council, run_id, attempt, max_attempts,
      schedule_at, fence, inserted_at, updated_at)
      VALUES (?, 'default', 'q', 'executing', 0, 'c', ?, 1, 5, 0, 1, 0, 0)]]
    local step = [[INSERT INTO {workflow_steps} (namespace, workflow_id, name, position, status, attempt, run_id, version)
      VALUES ('default', 'w', ?, 1, ?, 1, 'first', 4)]]
    assert(store:write { { job, "j", "first" }, { job, "other", "second" } })
    assert(store:write { { step, "waits", "running" }, { step, "over", "failed" } })
    local row = attempt "sync"
    local run_of = {}
    for _, found in ipairs(store:query "SELECT job_id AS name, run_id FROM {jobs}") do run_of[found.name] = found.run_id end
    for _, found in ipairs(store:query "SELECT name, run_id, version FROM {workflow_steps}") do
      run_of[found.name] = found.run_id .. " " .. found.version
    end
    assert.same({ j = row.run_id, other = "second", waits = row.run_id .. " 5", over = "first 4" }, run_of)
  end)

  it("is recorded in the row that is there, if it is not durable", function()
    T.script "in time"
    local row = attempt "none"
    local run = assert(again.go_on(store, row, T.council { ids = { "a" }, name = "c" }))
    assert.is_true(again.live[run])
    assert.equal(3, run:await().metadata.case)
    helper.run(function() curia.recovery.release() end)
    assert.is_nil(again.live[run])
    local stored = rows.get(store, "default", row.run_id)
    assert.same({ "completed", "ok", 3, "none" }, { stored.status, stored.result.status, stored.attempt, stored.durability })
    assert.equal("run_started", rows.events(store, "default", row.run_id)[1].type)
    run:leave_to_others()
  end)

  it("has told what differs from its record, as nobody waits for it", function()
    helper.virtual(function()
      T.script { content = "yes", delay_ms = 100 }
      local function asking(question)
        return T.council { name = "c", ids = { "a" }, run = function(ctx)
          ctx:ask("a", question)
          return ctx:ask("a", "And then?")
        end }
      end
      S.die_at(store, 2, true)
      S.start(asking "Why?", nil, { run_id = "differs" }):await()
      S.live(store)
      local lines = T.logged(function()
        assert(again.go_on(store, assert(rows.get(store, "default", "differs")), asking "Why not?")):await()
        curia.task.sleep(1)
      end)
      assert.equal(1, #lines)
      assert.matches("^warn: run differs is blocked: step 1/run/a is on record with another input", lines[1])
    end)
  end)

  it("says why it cannot begin", function()
    local _, err = again.go_on(store, attempt "none", T.council { ids = {} })
    assert.equal("invalid_council", err.kind)
    assert.is_nil(next(again.live))
  end)
end)
