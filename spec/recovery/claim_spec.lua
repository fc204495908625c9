local claim = require "curia.recovery.claim"
local rows = require "curia.store.runs"
local S = require "spec.durable.support"
local shared = require "curia.store.shared"

local place, store

before_each(function()
  place = S.place()
  store = assert(shared.configured())
  local unit = {}
  rows.insert(store, unit, {
    namespace = "default", run_id = "r", council = "c", status = "running", durability = "sync", attempt = 1, attempts = 1,
    fence = 4, events = 0, incarnation = "dead", owner = "gone", input = { question = "Why?" },
  })
  assert(store:write(unit))
end)

after_each(function() place.close() end)

local function row()
  return assert(rows.get(store, "default", "r"))
end

local ONE, OTHER = { incarnation = "one", node_id = "n1" }, { incarnation = "other", node_id = "n2" }

describe("a claim", function()
  it("is won by one of many", function()
    local first, second = row(), row()
    assert.is_true(claim.run(store, first, ONE))
    assert.is_false(claim.run(store, second, OTHER))
    local now = row()
    assert.same({ "one", "n1", 5, 2 }, { now.incarnation, now.owner, now.fence, now.attempts })
    assert.same({ 5, "one", 2 }, { first.fence, first.incarnation, first.attempts })
  end)

  it("is won by one, however many try at the same moment", function()
    local won = 0
    local tries = {}
    for i = 1, 8 do
      tries[i] = function()
        if claim.run(store, row(), { incarnation = "p" .. i, node_id = "n" }) then won = won + 1 end
      end
    end
    local _, failures = require "curia.task".all(tries)
    assert.same({}, failures)
    assert.same({ 1, 5 }, { won, row().fence })
  end)

  it("of a run that has ended is refused", function()
    assert(store:execute "UPDATE {runs} SET status = 'completed', finalized_at = 1")
    assert.is_false(claim.run(store, row(), ONE))
  end)

  it("of a run that has failed is one to try again", function()
    assert(store:execute "UPDATE {runs} SET status = 'failed', finalized_at = 1")
    assert.is_true(claim.reopen(store, row(), ONE))
    assert.is_false(claim.reopen(store, row(), OTHER))
    assert.same({ "running", 5 }, { row().status, row().fence })
  end)

  it("of what was let go does not count", function()
    assert(store:execute "UPDATE {runs} SET incarnation = NULL")
    assert.is_true(claim.run(store, row(), ONE))
    assert.equal(1, row().attempts)
  end)

  it("fences the one off that had the run", function()
    assert(claim.run(store, row(), ONE))
    local unit = {}
    rows.update(store, unit, { namespace = "default", run_id = "r" }, 4, { status = "completed" })
    local _, err = store:write(unit)
    assert.is_true(rows.is_lost(err))
  end)

  it("is given back to anybody; whether it counts is said", function()
    local own = row()
    assert(claim.run(store, own, ONE))
    assert(claim.give_back(store, own, false))
    assert.same({ "running", 1, "nobody" }, { row().status, row().attempts, row().incarnation })
    local again = row()
    assert(claim.run(store, again, OTHER))
    assert(claim.give_back(store, again, true))
    assert.equal(2, row().attempts)
    assert(claim.run(store, row(), ONE))
    assert(claim.give_back(store, again, true)) -- no longer its own
    assert.equal("one", row().incarnation)
  end)

  it("is undone by who cannot use it, and the run is what it was", function()
    assert(store:execute "UPDATE {runs} SET status = 'failed', finalized_at = 7, incarnation = NULL")
    local before, claimed = row(), row()
    assert(claim.reopen(store, claimed, ONE))
    assert(claim.undo(store, claimed, before))
    assert.same({ "failed", 7, 1 }, { row().status, row().finalized_at, row().attempts })
    assert.is_nil(row().incarnation)
    assert.is_false(claim.reopen(store, before, OTHER)) -- the fence tells that somebody had it
  end)
end)
