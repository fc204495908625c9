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
  rows.insert(store, unit, row)
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

  it("is recorded in the row that is there, if it is not durable", function()
    T.script "in time"
    local row = attempt "none"
    local run = assert(again.go_on(store, row, T.council { ids = { "a" }, name = "c" }))
    assert.is_true(again.live[run])
    assert.equal(3, run:await().metadata.case)
    helper.run(function()
      while again.live[run] do curia.task.sleep(1) end
    end)
    local stored = rows.get(store, "default", row.run_id)
    assert.same({ "completed", "ok", 3, "none" }, { stored.status, stored.result.status, stored.attempt, stored.durability })
    assert.equal("run_started", rows.events(store, "default", row.run_id)[1].type)
    run:leave_to_others()
  end)

  it("says why it cannot begin", function()
    local _, err = again.go_on(store, attempt "none", T.council { ids = {} })
    assert.equal("invalid_council", err.kind)
    assert.is_nil(next(again.live))
  end)
end)
