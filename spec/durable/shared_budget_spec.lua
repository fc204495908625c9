local curia = require "curia"
local helper = require "spec.helper"
local rows = require "curia.store.runs"
local S = require "spec.durable.support"
local shared = require "curia.store.shared"
local task = require "curia.task"
local T = require "spec.engine.support"

local place, store
local number = 0

before_each(function()
  place = S.place()
  store = assert(shared.configured())
  T.script { content = "yes", delay_ms = 100 }
end)

after_each(function() place.close() end)

local function new_group(calls)
  number = number + 1
  return curia.group("shared-" .. number, { budget = { calls = calls } })
end

local asking = T.council { name = "asking", ids = { "a" }, run = function(ctx)
  local told = {}
  for i = 1, 3 do told[i] = ctx:ask("a", tostring(i)).status end
  return table.concat(told, " ")
end }

local function start(group, run_id)
  return S.start(asking, nil, { run_id = run_id, group = group })
end

local function resume(run_id)
  return assert(S.resume(store, run_id, { councils = { asking = asking } }))
end

describe("a budget that durable runs share", function()
  it("is spent by all of them", function()
    helper.virtual(function()
      local group = new_group(4)
      local one, other = start(group, "one"), start(group, "other")
      one:await()
      other:await()
      assert.equal(4, group.budget.spent.calls)
      assert.same({ 0, 0 }, { group.budget.held.calls, group.budget.live })
      local asked = store:query("SELECT count(*) AS n FROM {steps} WHERE kind = 'call'")[1].n
      assert.equal(4, asked)
      assert.equal("budget", (one.failure or other.failure).kind)
    end)
  end)

  it("counts for a run that is resumed, with what is on record", function()
    helper.virtual(function()
      local group = new_group(10)
      S.die_at(store, 4, true)
      start(group, "resumed"):await()
      S.live(store)
      local before = group.budget.spent.calls
      assert.equal("ok ok ok", resume("resumed"):await().final.content)
      assert.equal(before + 3, group.budget.spent.calls) -- another process has spent nothing before
      assert.same({ 0, 0 }, { group.budget.held.calls, group.budget.live })
    end)
  end)

  it("that refused goes on refusing what it refused, also where nobody knows it", function()
    helper.virtual(function()
      local group = new_group(2)
      local expected = select(2, start(group, "refused"):await())
      assert.equal("budget", expected.kind)
      for units = 1, 6 do
        local id = "refused-" .. units
        S.die_at(store, units, true)
        start(new_group(2), id):await()
        S.live(store)
        if rows.get(store, "default", id).finalized_at then break end
        store:execute("UPDATE {runs} SET group_name = ? WHERE run_id = ?", "unheard-of-" .. units, id)
        local result, err = resume(id):await()
        local asked = store:query("SELECT count(*) AS n FROM {steps} WHERE kind = 'call' AND run_id = ?", id)[1].n
        assert.is_true(asked == 2 and err.kind == "budget" or asked == 3 and result.status == "ok")
      end
    end)
  end)

  it("gives back what was claimed for somebody who has gone", function()
    helper.virtual(function()
      local group = new_group(1)
      local one, other = start(group, "holds"), start(group, "waits")
      task.sleep(20) -- the other waits until the first has settled
      other:cancel "enough"
      other:await()
      one:await()
      assert.same({ 1, 0, 0 }, { group.budget.spent.calls, group.budget.held.calls, group.budget.live })
    end)
  end)

  it("is asked again by a run that had failed and is tried once more", function()
    helper.virtual(function()
      local group, left = new_group(10), 3
      T.script(function()
        left = left - 1
        return left >= 0 and { error = 503 } or "yes"
      end)
      local retry = T.council { name = "asking", ids = { "a" }, members = { a = { retry = { attempts = 3, base_ms = 1 } } } }
      local _, err = S.start(retry, nil, { run_id = "failed", group = group }):await()
      assert.same({ "overloaded", 3 }, { err.kind, group.budget.spent.calls })
      local again = assert(S.resume(store, "failed", { councils = { asking = retry }, reopen = true }))
      assert.equal("ok", assert(again:await()).status)
      assert.same({ 0, 0 }, { group.budget.held.calls, group.budget.live })
    end)
  end)

  it("does not concern a run that began without one", function()
    helper.virtual(function()
      number = number + 1
      local name = "later-" .. number
      S.die_at(store, 2, true)
      start(curia.group(name), "before"):await()
      S.live(store)
      curia.group(name, { budget = { calls = 1 } })
      assert.equal("ok ok ok", resume("before"):await().final.content)
    end)
  end)
end)
