local curia = require "curia"
local engines = require "curia.workflows.engine"
local errors = require "curia.errors"
local helper = require "spec.helper"
local rows = require "curia.workflows.rows"
local stores = require "curia.store"
local support = require "spec.workflows.support"
local task = require "curia.task"
local T = require "spec.engine.support"

local step, workflow = curia.workflows.step, curia.workflows.workflow

local place, store, world

before_each(function()
  place, world = support.place(), support.world()
  store = place.store
end)

after_each(function()
  place.close()
end)

local KEY = { namespace = "default", id = "1" }

local function begin(engine, body)
  local definition = workflow "w"(body)
  assert(curia.workflows.register(definition))
  local instance = { namespace = "default", id = "1", name = "w", status = "running", definition_hash = definition.hash,
    plan = definition.plan, trigger_value = {}, version = 1, started_at = 1, updated_at = 1 }
  assert(engine.store:write(rows.insertion(store, instance, instance.plan)))
  return engine:advance(KEY)
end

local function engine_on(on, answer)
  return engines.new(on or store, support.door(world, "me", answer or function() return { result = {} } end))
end

-- A store of which some writes fail.
local function failing(fails)
  local count = 0
  return setmetatable({ write = function(_, unit)
    count = count + 1
    if fails(count) then return nil, errors.new("storage", "the disk is full", { code = "full" }) end
    return store.write(store, unit)
  end }, { __index = store })
end

local function waits(engine)
  while next(engine.under_way) do task.sleep(1) end
end

describe("the engine", function()
  it("is one for each store", function()
    assert.equal(engines.of(store), engines.of(store))
    assert.not_equal(engines.of(store), engines.new(store))
  end)

  it("decides anew when somebody else was first", function()
    helper.virtual(function()
      local body, met = {}, 0
      for i = 1, 20 do
        body[i] = step("s" .. i) { run = function()
          met = met + 1
          while met < 20 do task.sleep(1) end
          return {}
        end }
      end
      local engine = engine_on()
      assert.equal(20, begin(engine, body))
      waits(engine)
      local state = rows.load(store, KEY)
      assert.same({ "done", 22 }, { state.instance.status, state.instance.version })
    end)
  end)

  it("does not do work again for a store that is away for a moment", function()
    helper.virtual(function()
      local calls = 0
      local engine = engine_on(failing(function(n) return n > 2 and n < 6 end))
      begin(engine, { step "a" { run = function()
        calls = calls + 1
        return {}
      end } })
      waits(engine)
      assert.same({ "done a=done", 1 }, { support.statuses(store, KEY), calls })
    end)
  end)

  it("gives up on a store that stays away, says so once, and leaves the step to be taken over", function()
    helper.virtual(function()
      local engine = engine_on(failing(function(n) return n > 2 end))
      local lines = T.logged(function()
        begin(engine, { step "a" { council = "x" } })
        waits(engine)
        engine:complain(KEY, "the end of step 'a' could not be stored", errors.new("storage", "the disk is full"))
      end)
      assert.same({ "warn: workflow 1: the end of step 'a' could not be stored: the disk is full" }, lines)
      assert.equal("running a=running", support.statuses(store, KEY))
    end)
  end)

  it("and another process's begin together what comes after two ends at once, once", function()
    helper.virtual(function()
      local other <close> = assert(stores.open(store.url))
      for _ = 1, 5 do
        store:execute "DELETE FROM {workflows}"
        store:execute "DELETE FROM {workflow_steps}"
        local calls, mine, theirs = 0, engine_on(nil, function() task.sleep(1e6) end), engine_on(other)
        begin(mine, { step "a" { council = "x" }, step "b" { council = "x" },
          step "c" { after = { "a", "b" }, run = function()
            calls = calls + 1
            return {}
          end } })
        local function finish(engine, name)
          assert(engine:apply(KEY, { type = "finished", step = name, attempt = 1, result = {} }))
          engine:advance(KEY)
        end
        task.all { function() finish(mine, "a") end, function() finish(theirs, "b") end }
        mine.tasks["1.a.1"]:cancel()
        mine.tasks["1.b.1"]:cancel()
        waits(mine)
        waits(theirs)
        assert.same({ 1, "done a=done b=done c=done" }, { calls, support.statuses(store, KEY) })
      end
    end)
  end)

  it("does not take over what is about to begin here, nor what has ended meanwhile", function()
    helper.virtual(function()
      local calls = 0
      local engine = engine_on()
      begin(engine, { step "a" { run = function()
        calls = calls + 1
        task.sleep(5)
        return {}
      end } })
      local state = rows.load(store, KEY)
      assert.is_false(engine:take_over(KEY, state, state.steps.a))
      waits(engine)
      assert.is_false(engine:take_over(KEY, state, state.steps.a))
      waits(engine)
      assert.equal(1, calls)
    end)
  end)

  it("wakes whoever waits for a change", function()
    helper.virtual(function()
      local engine = engine_on()
      begin(engine, { step "a" { approval = true } })
      local woken = task.spawn(function() engine:await_change(KEY, 5000) return true end)
      task.sleep(0)
      engine:apply(KEY, { type = "cancel" })
      assert.is_true(select(2, woken:await(1000)))
    end)
  end)

  it("stops, and leaves the rows as they are", function()
    helper.virtual(function()
      local engine = engine_on(nil, function() task.sleep(1e9) end)
      begin(engine, { step "a" { council = "x" } })
      engine:stop()
      waits(engine)
      assert.equal("running a=running", support.statuses(store, KEY))
    end)
  end)

  it("leaves a step whose run goes on elsewhere", function()
    helper.run(function()
      local engine = engine_on(nil, function() return nil end)
      begin(engine, { step "a" { council = "x" } })
      waits(engine)
      assert.equal("running a=running", support.statuses(store, KEY))
    end)
  end)

  it("lets what is under way end for a while, and begins nothing", function()
    helper.virtual(function()
      local engine = engine_on(nil, function(job)
        task.sleep(job.run_id == "1.a.1" and 50 or 1e9)
        return { result = {} }
      end)
      begin(engine, { step "a" { council = "x" }, step "b" { council = "x" }, step "c" { council = "x", after = "a" } })
      engine:drain(100)
      waits(engine)
      assert.equal("running a=done b=running c=pending", support.statuses(store, KEY))
    end)
  end)
end)
