local claim = require "curia.recovery.claim"
local curia = require "curia"
local failing = require "curia.recovery.failing"
local helper = require "spec.helper"
local node = require "curia.recovery.node"
local resuming = require "curia.durable.resume"
local rows = require "curia.store.runs"
local S = require "spec.durable.support"
local shared = require "curia.store.shared"
local support = require "spec.recovery.support"
local T = require "spec.engine.support"
local take_up = require "curia.recovery.take_up"

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

local function sweep(known)
  return { store = store, node = assert(node.current(store)), opts = {}, known = known or {
    registry = require "curia.registry".new() } }
end

local function with(module, name, fn, body)
  local own = module[name]
  module[name] = fn
  local ok, err = pcall(body)
  module[name] = own
  if not ok then error(err, 0) end
end

local function nothing() return nil, require "curia.errors".new("storage", "not now") end

local RESTART = { options = 'durability = "sync", recovery = "restart"' }

-- All runs that tried `left-1`, in their order.
local function attempts()
  local list, next_of = { row_of "left-1" }, {}
  for _, row in ipairs(store:query "SELECT run_id, parent_attempt_run_id AS before FROM {runs} WHERE attempt > 1") do
    assert(next_of[row.before] == nil, row.before .. " was begun anew twice")
    next_of[row.before] = row.run_id
  end
  while next_of[list[#list].run_id] do list[#list + 1] = row_of(next_of[list[#list].run_id]) end
  return list
end

local function await(run_id)
  local run = assert(curia.find(run_id))
  local result = run:await()
  run:leave_to_others()
  return result
end

describe("a run that is taken up", function()
  it("and cannot be ended is given back, as this process lives", function()
    support.leave_behind(place.url, { options = 'durability = "sync", recovery = "fail"' })
    with(failing, "fail", nothing, function()
      assert.error_matches(function() take_up.run(sweep(), row_of "left-1") end, "not now")
    end)
    assert.equal("failed", take_up.run(sweep(), row_of "left-1"))
  end)

  it("was claimed by another meanwhile, and is skipped", function()
    support.leave_behind(place.url)
    local row = row_of "left-1"
    assert(claim.run(store, row_of "left-1", { incarnation = "other", node_id = "n" }))
    assert.equal("skipped", take_up.run(sweep(), row))
  end)

  it("goes on as the council says that is known here, not as the stored one did", function()
    support.leave_behind(place.url, {
      council = '{ members = { scripted "a" }, rounds = { "independent_analysis" }, recovery = "restart" }',
    })
    assert.equal("restart", row_of "left-1".recovery)
    local known = T.council { ids = { "a" }, name = "left-1", recovery = "fail" }
    assert.equal("failed", take_up.run(sweep { councils = { ["left-1"] = known } }, row_of "left-1"))
  end)

  it("is blocked where its council's file has changed, and taken up by no sweep then", function()
    support.leave_behind(place.url)
    local path = place.folder.path "changed.lua"
    local file <close> = assert(io.open(path, "w"))
    file:write 'return council "left-1" { member "a" { profile = "fast" }, round "independent_analysis" {} }'
    file:close()
    assert(store:execute("UPDATE {runs} SET spec_hash = NULL, source = ?, source_hash = 'another'", path))
    local lines = T.logged(function() assert.equal("skipped", take_up.run(sweep(), row_of "left-1")) end)
    assert.matches("run left%-1 is blocked: .*changed.lua has changed", lines[1])
    local row = row_of "left-1"
    assert.same({ "blocked", "replay_mismatch", "replay_mismatch" }, { row.status, row.reason, row.error.kind })
    assert.is_nil(row.incarnation)
    assert.equal(0, curia.recovery.sweep().skipped)
  end)

  it("is part of another that has ended, and fails", function()
    support.leave_behind(place.url)
    assert(store:execute "UPDATE {runs} SET parent_run_id = 'ended'")
    assert.equal("failed", take_up.run(sweep(), row_of "left-1"))
    assert.matches("the run that it is part of has ended", row_of "left-1".error.message)
  end)
end)

describe("a run that is begun anew", function()
  it("has another id, the number of its attempt, and the one before it", function()
    support.leave_behind(place.url, RESTART)
    assert.equal("restarted", take_up.run(sweep(), row_of "left-1"))
    local list = attempts()
    assert.equal("ok", await(list[2].run_id).status)
    list = attempts()
    assert.same({ "failed", "completed", 2, 2 }, { list[1].status, list[2].status, list[2].attempt, #list })
    assert.matches("it was begun anew as " .. list[2].run_id, list[1].error.message, 1, true)
    assert.is_truthy(list[2].started_at)
  end)

  it("may be one that was only recorded, if its council is known here", function()
    support.leave_behind(place.url, { options = 'recorder = true, recovery = "restart"',
      under_way = "SELECT count(*) AS n FROM {run_events} WHERE type = 'member_started'" })
    assert.equal("skipped", take_up.run(sweep(), row_of "left-1"))
    local known = { councils = { ["left-1"] = T.council { ids = { "a" }, name = "left-1" } } }
    assert.equal("restarted", take_up.run(sweep(known), row_of "left-1"))
    local new = attempts()[2].run_id
    assert.equal("ok", await(new).status)
    helper.settle(function() return row_of(new).status == "completed" end)
    assert.equal(2, #attempts())
  end)

  it("is none that was to end: it ends", function()
    support.leave_behind(place.url, RESTART)
    assert(store:execute "UPDATE {runs} SET cancel_requested = 'enough'")
    assert.equal("resumed", take_up.run(sweep(), row_of "left-1"))
    await "left-1"
    assert.same({ "cancelled", 1 }, { row_of "left-1".status, #attempts() })
  end)

  it("is to end where that was asked of the one before it just then", function()
    support.leave_behind(place.url, RESTART)
    local own = sweep()
    own.opts.resolve_policy = function(row)
      assert(store:execute("UPDATE {runs} SET cancel_requested = 'enough' WHERE run_id = ?", row.run_id))
      return "restart"
    end
    assert.equal("restarted", take_up.run(own, row_of "left-1"))
    local new = attempts()[2]
    await(new.run_id)
    assert.equal("enough", new.cancel_requested)
  end)

  it("is none that was only recorded and was to end", function()
    support.leave_behind(place.url, { options = 'recorder = true, recovery = "restart"',
      under_way = "SELECT count(*) AS n FROM {run_events} WHERE type = 'member_started'" })
    assert(store:execute "UPDATE {runs} SET cancel_requested = 'enough'")
    assert.equal("failed", take_up.run(sweep(), row_of "left-1"))
    assert.same({ "cancelled", "enough", 1 }, { row_of "left-1".status, row_of "left-1".error.message, #attempts() })
  end)

  it("waits for another sweep where it cannot begin here", function()
    support.leave_behind(place.url, RESTART)
    local lines
    with(resuming, "resume", nothing, function()
      lines = T.logged(function() assert.equal("restarted", take_up.run(sweep(), row_of "left-1")) end)
    end)
    assert.matches("waits for another sweep: not now", lines[1])
    local new = attempts()[2]
    assert.equal("resumed", take_up.run(sweep(), row_of(new.run_id)))
    assert.equal("ok", await(new.run_id).status)
    assert.equal(2, #attempts())
  end)

  it("is given up after as many attempts as there may be", function()
    support.leave_behind(place.url, RESTART)
    assert(store:execute "UPDATE {runs} SET attempt = 3, attempts = 0")
    assert.equal("failed", take_up.run(sweep(), row_of "left-1"))
    assert.equal("poisoned", row_of "left-1".error.kind)
  end)
end)

-- A process that sweeps, and is killed at its `number`th unit of work: before it is committed, or after.
local DIES = [[
  local curia, uv = require "curia", require "luv"
  curia.config { store = %q, log = "error", providers = { scripted = { script = { fault = "hang" } } } }
  local store, count = require "curia.store.shared".configured(), 0
  local function die() uv.kill(uv.os_getpid(), "sigkill") end
  function store.write(self, unit)
    count = count + 1
    if count == %d and not %s then die() end
    local done, err = getmetatable(store).write(self, unit)
    if count == %d then die() end
    return done, err
  end
  curia.recovery.sweep()
  curia.task.sleep(5000)
]]

describe("a process that is killed while it begins a run anew", function()
  -- Claims the old one; ends it, and puts the new one there; claims that; begins it.
  for number = 1, 4 do
    for _, committed in ipairs { false, true } do
      it(("loses nothing and begins nothing twice: unit %d, %s"):format(number,
        committed and "committed" or "not committed"), function()
        support.leave_behind(place.url, RESTART)
        local said, code = helper.script(DIES:format(place.url, number, committed, number))
        assert(code == -9 or code == 137, said)
        curia.recovery.sweep()
        local list = attempts()
        assert.equal("ok", await(list[#list].run_id).status)
        list = attempts()
        for i = 1, #list - 1 do assert.equal("failed", list[i].status) end
        -- Only what had begun is begun anew.
        assert.equal(number == 4 and committed and 3 or 2, #list)
        assert.same({ resumed = 0, restarted = 0, failed = 0, skipped = 0 }, curia.recovery.sweep())
      end)
    end
  end
end)

describe("a run that does not repeat itself", function()
  it("is not taken up to be blocked again when it is to end: it ends", function()
    support.leave_behind(place.url)
    local other = { councils = { ["left-1"] = T.council { ids = { "b" }, name = "left-1" } } }
    T.logged(function()
      assert.equal("resumed", take_up.run(sweep(other), row_of "left-1"))
      await "left-1"
    end)
    assert.same({ "blocked", "replay_mismatch" }, { row_of "left-1".status, row_of "left-1".reason })
    assert.equal("1/independent_analysis/a", row_of "left-1".error.context.path)
    assert(curia.find "left-1":cancel "no more")
    assert.equal("failed", take_up.run(sweep(other), row_of "left-1"))
    assert.same({ "cancelled", "no more" }, { row_of "left-1".status, row_of "left-1".error.message })
  end)
end)
