local curia = require "curia"
local helper = require "spec.helper"
local rows = require "curia.store.runs"
local S = require "spec.durable.support"
local shared = require "curia.store.shared"
local support = require "spec.recovery.support"
local T = require "spec.engine.support"

local place, store

before_each(function()
  place = S.place()
  store = assert(shared.configured())
  T.script "in time"
  curia.config { stack = "", env = "" }
end)

after_each(function() place.close() end)

local function row_of(run_id)
  return assert(rows.get(store, "default", run_id))
end

-- Forgets what lingers: each test has a store of its own, and the same ids.
local function ended(run_id)
  local run = assert(curia.find(run_id))
  local result, err = run:await()
  run:leave_to_others()
  return result, err
end

describe("a sweep", function()
  it("takes up the runs of a process that was killed", function()
    support.leave_behind(place.url, { count = 3 })
    assert.same({ resumed = 3, restarted = 0, failed = 0, skipped = 0 }, curia.recovery.sweep())
    for i = 1, 3 do assert.equal("ok", ended("left-" .. i).status) end
    local row = row_of "left-1"
    assert.same({ "completed", 2, 0 }, { row.status, row.fence, row.attempts })
    assert.same({ resumed = 0, restarted = 0, failed = 0, skipped = 0 }, curia.recovery.sweep())
  end)

  it("takes up what was written by a clock that was ahead", function()
    support.leave_behind(place.url)
    assert(store:execute "UPDATE {runs} SET updated_at = updated_at + 3600000")
    assert.equal(0, curia.recovery.sweep { stale_after_ms = 0 }.resumed)
    assert.equal(1, curia.recovery.sweep().resumed)
    assert.equal("ok", ended "left-1".status)
  end)

  it("leaves the runs of the living, and what is blocked or has ended, alone", function()
    helper.virtual(function()
      T.script { content = "slow", delay_ms = 100 }
      local run = S.start(T.council { ids = { "a" } }, nil, { run_id = "mine" })
      curia.task.sleep(30)
      assert.equal(0, curia.recovery.sweep().resumed)
      assert(run:await())
      run:leave_to_others()
      support.leave_behind(place.url)
      assert(store:execute "UPDATE {runs} SET status = 'blocked', incarnation = NULL WHERE run_id = 'left-1'")
      assert.equal(0, curia.recovery.sweep().resumed)
    end)
  end)

  it("takes up what was blocked when its process died, and had something else under way", function()
    support.leave_behind(place.url)
    assert(store:execute "UPDATE {runs} SET status = 'blocked'")
    assert.equal(1, curia.recovery.sweep().resumed)
    assert.equal("ok", ended "left-1".status)
  end)

  it("fails a blocked run that was only recorded", function()
    support.leave_behind(place.url, { options = "recorder = true",
      under_way = "SELECT count(*) AS n FROM {run_events} WHERE type = 'member_started'" })
    assert(store:execute "UPDATE {runs} SET status = 'blocked'")
    assert.equal(1, curia.recovery.sweep().failed)
  end)

  it("leaves a run of the living alone, however long nothing is heard of it", function()
    helper.virtual(function()
      T.script { content = "slow", delay_ms = 100 }
      local one = curia.group("one at a time", { max_runs = 1 })
      local working = S.start(T.council { ids = { "a" } }, nil, { run_id = "works", group = one })
      local waiting = S.start(T.council { ids = { "a" } }, nil, { run_id = "waits", group = one })
      curia.task.sleep(30)
      assert(store:execute "UPDATE {runs} SET updated_at = 1, started_at = 1")
      assert.equal("pending", row_of "waits".status)
      assert.same({ resumed = 0, restarted = 0, failed = 0, skipped = 0 }, curia.recovery.sweep())
      assert(working:await() and waiting:await())
      working:leave_to_others()
      waiting:leave_to_others()
    end)
  end)

  it("asks again for nothing that was paid for before the process was killed", function()
    local council = '{ members = { scripted "a", scripted "b" }, rounds = { "independent_analysis", "critique" } }'
    support.leave_behind(place.url, {
      council = council, script = [[{ default = "early", rules = { { match = { round = "critique", member = "b" },
        answer = { fault = "hang" } } } }]],
      under_way = "SELECT count(*) / 3 AS n FROM {steps} WHERE kind = 'call' AND status = 'finished'",
    })
    local asked = 0
    curia.config { providers = { scripted = { script = function()
      asked = asked + 1
      return "in time"
    end } } }
    assert.equal(1, curia.recovery.sweep().resumed)
    local result = ended "left-1"
    curia.config { providers = { scripted = { script = "in time" } } }
    assert.equal(1, asked)
    assert.same({ "early", "in time" },
      { result.rounds[2].results.a.response.content, result.rounds[2].results.b.response.content })
  end)

  it("fails a run that was only recorded", function()
    support.leave_behind(place.url, { options = "recorder = true",
      under_way = "SELECT count(*) AS n FROM {run_events} WHERE type = 'member_started'" })
    assert.same({ resumed = 0, restarted = 0, failed = 1, skipped = 0 }, curia.recovery.sweep())
    assert.same({ "failed", "orphaned", "Why?" },
      { row_of "left-1".status, row_of "left-1".error.kind, row_of "left-1".input.question })
  end)

  it("does what the policy of a run says", function()
    support.leave_behind(place.url, { options = 'durability = "sync", recovery = "fail"' })
    assert.equal(1, curia.recovery.sweep().failed)
    assert.same({ "failed", "orphaned" }, { row_of "left-1".status, row_of "left-1".error.kind })
  end)

  it("begins a run anew where that is the policy, and links both", function()
    support.leave_behind(place.url, { options = 'durability = "sync", recovery = "restart"' })
    assert.equal(1, curia.recovery.sweep().restarted)
    local found = store:query "SELECT run_id FROM {runs} WHERE parent_attempt_run_id = 'left-1'"
    while #found == 0 do
      curia.task.run(curia.task.sleep, 5)
      found = store:query "SELECT run_id FROM {runs} WHERE parent_attempt_run_id = 'left-1'"
    end
    assert.equal("ok", ended(found[1].run_id).status)
    assert.equal("failed", row_of "left-1".status)
  end)

  it("asks a function first, and goes on when it fails", function()
    support.leave_behind(place.url, { count = 2 })
    local counts
    local lines = T.logged(function()
      counts = curia.recovery.sweep { resolve_policy = function(row)
        if row.run_id == "left-1" then error "boom" end
        return "fail"
      end }
    end)
    assert.same({ 1, 1 }, { counts.failed, counts.skipped })
    assert.matches("recovery of run left%-1 failed: .*boom", lines[1])
    assert.equal("running", row_of "left-1".status)
  end)

  it("gives up a run with which one process after the other has died", function()
    support.leave_behind(place.url)
    assert(store:execute "UPDATE {runs} SET attempts = 3")
    assert.equal(1, curia.recovery.sweep().failed)
    assert.equal("poisoned", row_of "left-1".error.kind)
  end)

  it("skips a run whose council nobody here knows, and fails it in the end", function()
    support.leave_behind(place.url)
    assert(store:execute "UPDATE {runs} SET spec_hash = NULL")
    assert.equal(1, curia.recovery.sweep().skipped)
    assert.equal(1, row_of "left-1".fence)
    assert.equal(1, curia.recovery.sweep { unknown = "fail" }.failed)
    assert.matches("no process knows its council", row_of "left-1".error.message)
  end)

  it("keeps to its stack and its environment", function()
    support.leave_behind(place.url, { stack = "blue", env = "test" })
    assert.same({ "blue", "test" }, { row_of "left-1".source_stack, row_of "left-1".source_env })
    local function taken(opts) return curia.recovery.sweep(opts).resumed end
    assert.equal(0, taken { source_stack = "green", source_env = "test" })
    assert.equal(0, taken { source_stack = false, source_env = curia.null })
    assert.equal(0, taken { source_stack = "blue", source_env = "live" })
    assert.equal(1, taken { source_stack = false, source_env = "test" })
    ended "left-1"
  end)

  it("takes rows of its own stack and of none, and of its own environment alone", function()
    support.leave_behind(place.url, { count = 3 })
    local function set(number, stack, env)
      assert(store:execute("UPDATE {runs} SET source_stack = ?, source_env = ? WHERE run_id = ?", stack or curia.null,
        env or curia.null, "left-" .. number))
    end
    local function left() return store:query "SELECT count(*) AS n FROM {runs} WHERE finalized_at IS NULL"[1].n end
    local function fail(opts)
      opts.resolve_policy = function() return "fail" end
      return curia.recovery.sweep(opts).failed
    end
    set(1, "blue") set(2, nil) set(3, "green")
    assert.same({ 2, 1 }, { fail { source_stack = "blue" }, left() })
    assert.same({ 1, 0 }, { fail { source_stack = false }, left() })
  end)

  it("takes the stack and the environment that are configured, where it is told none", function()
    support.leave_behind(place.url, { count = 4 })
    local function set(number, stack, env)
      assert(store:execute("UPDATE {runs} SET source_stack = ?, source_env = ? WHERE run_id = ?", stack or curia.null,
        env or curia.null, "left-" .. number))
    end
    local function failed(opts)
      opts.resolve_policy = function() return "fail" end
      return curia.recovery.sweep(opts).failed
    end
    set(1, "blue", "rc") set(2, nil, "rc") set(3, "green", "rc") set(4, "blue", nil)
    curia.config { stack = "blue", env = "rc" }
    assert.equal(2, failed {})
    assert.same({ "running", "running" }, { row_of "left-3".status, row_of "left-4".status })
    assert.equal(1, failed { source_stack = false })
    assert.equal(1, failed { source_env = curia.null })
    curia.config { stack = "", env = "" }
  end)

  it("takes those of no environment where it has none", function()
    support.leave_behind(place.url, { env = "test" })
    assert.equal(0, curia.recovery.sweep().resumed)
    curia.config { env = "test" }
    assert.equal(1, curia.recovery.sweep().resumed)
    ended "left-1"
    curia.config { env = "" }
  end)

  it("looks into the store that it is told, under the names that the configuration says", function()
    support.leave_behind(place.url)
    assert.equal(1, curia.recovery.sweep { store = place.url }.resumed)
    ended "left-1"
    curia.config { prefix = "other_" }
    local counts = curia.recovery.sweep { store = place.url }
    assert.equal(1, #shared.of(place.url, "other_"):query "SELECT incarnation FROM {nodes}")
    curia.config { prefix = "curia_" }
    assert.equal(0, counts.resumed)
  end)

  it("takes up as many as it is told, and the rest the next time", function()
    support.leave_behind(place.url, { count = 3 })
    local function failed(limit)
      return curia.recovery.sweep { limit = limit, resolve_policy = function() return "fail" end }.failed
    end
    assert.same({ 2, 1, 0 }, { failed(2), failed(2), failed(2) })
  end)

  it("leaves what has changed a short while ago, if it is told to", function()
    support.leave_behind(place.url, { count = 2 })
    local opts = { stale_after_ms = 60000, resolve_policy = function() return "fail" end }
    assert.equal(0, curia.recovery.sweep(opts).failed)
    assert(store:execute "UPDATE {runs} SET updated_at = updated_at - 61000 WHERE run_id = 'left-1'")
    assert.equal(1, curia.recovery.sweep(opts).failed)
    assert.equal("running", row_of "left-2".status)
  end)

  it("takes the runs in an order of its own, as others look at the same moment", function()
    support.leave_behind(place.url, { count = 8 })
    local orders, ids = {}, nil
    local function resolve(row)
      ids[#ids + 1] = row.run_id
      error "not now"
    end
    T.logged(function()
      for i = 1, 3 do
        ids = {}
        assert.equal(8, curia.recovery.sweep { resolve_policy = resolve }.skipped)
        orders[table.concat(ids, " ")] = i
      end
    end)
    assert.is_truthy(next(orders, next(orders)))
  end)

  it("is told as telemetry, with its counts", function()
    support.leave_behind(place.url)
    local told
    local handle = curia.telemetry.attach({ "recovery.sweep" }, function(_, measured) told = measured end)
    curia.recovery.sweep { resolve_policy = function() return "fail" end }
    handle:detach()
    assert.same({ resumed = 0, restarted = 0, failed = 1, skipped = 0 }, told)
  end)

  it("refuses options that it does not know", function()
    assert.error_matches(function() curia.recovery.sweep { limt = 3 } end, "did you mean 'limit'")
  end)
end)

describe("a run that a sweep cannot go on with", function()
  it("is given back, for another claim", function()
    support.leave_behind(place.url)
    local resuming = require "curia.durable.resume"
    local resume = resuming.resume
    resuming.resume = function() return nil, require "curia.errors".new("internal", "not now") end
    local lines = T.logged(function() assert.equal(1, curia.recovery.sweep().skipped) end)
    resuming.resume = resume
    assert.matches("not now", lines[1])
    assert.equal(1, curia.recovery.sweep().resumed)
    assert.equal("ok", ended("left-1").status)
  end)

  it("is found behind any number of runs of the living", function()
    T.script { content = "slow", delay_ms = 300 }
    local mine = {}
    for i = 1, 3 do mine[i] = S.start(T.council { ids = { "a" } }, nil, { run_id = "living-" .. i }) end
    curia.task.run(curia.task.sleep, 20)
    support.leave_behind(place.url)
    assert.equal(1, curia.recovery.sweep { limit = 1 }.resumed)
    ended "left-1"
    for i = 1, 3 do
      assert(mine[i]:await())
      mine[i]:leave_to_others()
    end
  end)
end)

describe("runs inside of runs that were only recorded", function()
  local NESTED = {
    options = "recorder = true", council = [[{ members = { { id = "p", council = council "inner" {
      members = { scripted "a" }, rounds = { "independent_analysis" } } } }, rounds = { "independent_analysis" } }]],
    under_way = "SELECT count(*) AS n FROM {runs} WHERE parent_run_id = 'left-1' AND status = 'running'",
  }

  local function inner()
    local found = store:query "SELECT run_id FROM {runs} WHERE parent_run_id IS NOT NULL"
    return row_of(found[1].run_id)
  end

  it("fail with the run that they are part of", function()
    support.leave_behind(place.url, NESTED)
    assert.same({ resumed = 0, restarted = 0, failed = 1, skipped = 0 }, curia.recovery.sweep())
    assert.same({ "failed", "failed", "orphaned" }, { row_of "left-1".status, inner().status, inner().error.kind })
    assert.equal(0, curia.recovery.sweep().failed)
  end)

  it("fail by themselves where that has ended already, or is not recorded", function()
    support.leave_behind(place.url, NESTED)
    local end_outer = "UPDATE {runs} SET status = 'completed', finalized_at = ? WHERE run_id = 'left-1'"
    assert(store:execute(end_outer, require "curia.core.clock".wall_ms()))
    assert.equal(0, curia.recovery.sweep().failed)
    assert(store:execute(end_outer, 1))
    assert.equal(1, curia.recovery.sweep().failed)
    assert.equal("failed", inner().status)
    assert(store:execute "UPDATE {runs} SET status = 'running', finalized_at = NULL WHERE parent_run_id = 'left-1'")
    assert(store:execute "DELETE FROM {runs} WHERE run_id = 'left-1'")
    assert.equal(1, curia.recovery.sweep().failed)
  end)

  it("are left alone as long as that goes on", function()
    support.leave_behind(place.url, NESTED)
    assert(store:execute("UPDATE {runs} SET incarnation = ? WHERE run_id = 'left-1'",
      assert(require "curia.recovery.node".current(store)).incarnation))
    assert.equal(0, curia.recovery.sweep().failed)
    assert.equal("running", inner().status)
  end)
end)
