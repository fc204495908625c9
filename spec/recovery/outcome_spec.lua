local curia = require "curia"
local errors = require "curia.errors"
local helper = require "spec.helper"
local outcomes = require "curia.recovery.outcome"
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

local function answer(text)
  return { content = text, usage = { input_tokens = 2, output_tokens = 5 } }
end

-- Leaves a run as a process does that dies: what `a` is asked for the second time is never answered.
local function left(body, finished)
  T.answers { a = { answer "one", { fault = "hang" } }, b = { answer "two", answer "three" } }
  body.ids, body.name = { "a", "b" }, "left"
  local run = S.start(T.council(body), nil, { run_id = "left", metadata = { case = 3 } })
  helper.run(function()
    local sql = "SELECT count(*) AS n FROM {steps} WHERE kind = 'call' AND status = 'finished'"
    repeat curia.task.sleep(2) until store:query(sql)[1].n == finished
    T.logged(function() run:leave_to_others() end)
  end)
  return assert(rows.get(store, "default", "left"))
end

local DEAD = errors.new("orphaned", "its process has died")

local function texts(round)
  local found = {}
  for id, result in pairs(round.results) do found[id] = result.response.content end
  return found
end

describe("the outcome of a run whose process has died", function()
  it("has its rounds, with what was answered in the one under way, and what it has used", function()
    local row = left({ rounds = { "independent_analysis", "critique" } }, 3)
    local result, last = outcomes.of(store, row, DEAD)
    assert.same({ "error", "left", "left", 3 },
      { result.status, result.run_id, result.council, result.metadata.case })
    assert.same({ "independent_analysis", "critique" }, { result.rounds[1].name, result.rounds[2].name })
    assert.same({ a = "one", b = "two" }, texts(result.rounds[1]))
    assert.same({ b = "three" }, texts(result.rounds[2]))
    assert.same({ input_tokens = 6, output_tokens = 15 }, result.usage)
    assert.same({ "orphaned" }, { result.errors[1].kind })
    assert.matches("its process has died", result.degraded.reasons[1])
    assert.is_nil(result.final)
    assert.equal(#rows.events(store, "default", "left"), last)
    assert.is_true(result.duration_ms >= 0)
  end)

  it("has the iterations of a round as part of it", function()
    local row = left({ rounds = { { type = "iterate", max_iterations = 3, round = "independent_analysis" } } }, 3)
    local result = outcomes.of(store, row, DEAD)
    assert.equal(1, #result.rounds)
    assert.same({ a = "one", b = "two" }, texts(result.rounds[1].metadata.iterations[1]))
    assert.equal(15, result.usage.output_tokens)
  end)

  it("is empty of a run that has not begun", function()
    local row = { namespace = "default", run_id = "new", council = "left", input = { question = "Why?" } }
    local result, last = outcomes.of(store, row, DEAD)
    assert.same({ 0, {}, {}, "Why?" }, { last, result.rounds, result.usage, result.input.question })
  end)
end)
