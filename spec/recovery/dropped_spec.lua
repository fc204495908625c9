local curia = require "curia"
local dropped = require "curia.recovery.dropped"
local helper = require "spec.helper"
local node = require "curia.recovery.node"
local rows = require "curia.store.runs"
local S = require "spec.durable.support"
local shared = require "curia.store.shared"
local T = require "spec.engine.support"

local place, store

before_each(function()
  place = S.place()
  store = assert(shared.configured())
  curia.config { stack = "", env = "" }
  T.script { content = "yes", delay_ms = 30 }
end)

after_each(function() place.close() end)

local function start(run_id)
  local run = S.start(T.council { ids = { "a" } }, nil, { run_id = run_id })
  curia.task.sleep(10)
  return run
end

-- As if a minute had passed.
local function grow_silent()
  assert(store:execute "UPDATE {runs} SET updated_at = updated_at - 61000")
end

local function give_back()
  return T.logged(function() assert(dropped.give_back(store, assert(node.current(store)))) end)
end

local function incarnation(run_id)
  return assert(rows.get(store, "default", run_id)).incarnation
end

describe("a run that has stopped here without an outcome", function()
  it("is given up, and taken up again by a sweep", function()
    helper.virtual(function()
      local run = start "stops"
      function store.write() return nil, { kind = "storage", code = "corrupt", message = "not now" } end
      T.logged(function() run:await() end)
      store.write = nil
      assert.equal("lost", run.status)
      assert.same({}, give_back())
      assert.equal(0, curia.recovery.sweep().resumed)
      grow_silent()
      local lines = T.logged(function() assert.equal(1, curia.recovery.sweep().resumed) end)
      assert.matches("run stops has stopped here without an outcome", lines[1])
      local again = assert(curia.find "stops")
      assert.equal("ok", again:await().status)
      again:leave_to_others()
    end)
  end)

  it("is none that goes on, however silent it is", function()
    helper.virtual(function()
      local run = start "goes-on"
      grow_silent()
      assert.same({}, give_back())
      assert.equal(node.current(store).incarnation, incarnation "goes-on")
      assert.equal("ok", run:await().status)
      run:leave_to_others()
    end)
  end)

  it("is none of another process", function()
    helper.virtual(function()
      local run = start "others"
      assert(run:await())
      run:leave_to_others()
      assert(store:execute "UPDATE {runs} SET status = 'running', incarnation = 'other', finalized_at = NULL")
      grow_silent()
      assert.same({}, give_back())
      assert.equal("other", incarnation "others")
    end)
  end)
end)
