local curia = require "curia"
local engines = require "curia.workflows.engine"
local errors = require "curia.errors"
local helper = require "spec.helper"
local reconcile = require "curia.workflows.reconcile"
local rows = require "curia.workflows.rows"
local scopes = require "curia.workflows.scope"
local support = require "spec.workflows.support"
local task = require "curia.task"
local T = require "spec.engine.support"

local workflows = curia.workflows
local step, workflow = workflows.step, workflows.workflow

local place, store, world

before_each(function()
  place, world = support.place(), support.world()
  store = place.store
end)

after_each(function()
  curia.config { stack = "", env = "" }
  place.close()
end)

local function answer(job) return { result = { said = job.input } } end

local function never() task.sleep(1e9) end

-- A process's engine on the store, instead of this process's own.
local function engine_with(owner, how, on)
  local engine = engines.new(on or store, support.door(world, owner, how or answer))
  engines.of(store).runner = engine.runner
  return engine
end

local function repair(engine, opts)
  return assert(reconcile.all(engine, scopes.of(opts or {})))
end

local function key(id, namespace) return { namespace = namespace or "default", id = id } end

local function echo(_, input) return input end

-- Begins workflows whose council steps never end, and lets the process die.
local function left_behind(id, opts)
  local engine = engine_with("first", never)
  workflows.register(workflow "w" { step "a" { council = "x" }, step "b" { run = echo, after = "a" } })
  opts = opts or {}
  opts.id, opts.store = id, store
  assert(workflows.start("w", { n = 1 }, opts))
  engines.of(store):stop()
  task.sleep(0)
  return engine
end

describe("reconciling", function()
  it("notes the end of a run that nobody has noted, and goes on", function()
    helper.virtual(function()
      left_behind "1"
      world.ended["1.a.1"] = { result = { said = "late" } }
      local engine = engine_with "second"
      assert.same({ replayed = 1, started = 1, skipped = 0 }, repair(engine))
      task.sleep(20)
      assert.equal("done a=done b=done", support.statuses(store, key "1"))
      assert.same({ replayed = 0, started = 0, skipped = 0 }, repair(engine))
    end)
  end)

  it("notes every way in which a run may end", function()
    helper.virtual(function()
      for kind in pairs { cancelled = 1, terminated = 1, transient = 1, budget = 1 } do
        left_behind(kind)
        world.ended[kind .. ".a.1"] = { error = errors.new(kind, "ended so") }
        assert.same({ replayed = 1, started = 0, skipped = 0 }, repair(engine_with "second"))
        assert.equal("failed a=failed b=cancelled", support.statuses(store, key(kind)))
      end
    end)
  end)

  it("leaves a step alone whose run was begun anew as another one just then", function()
    helper.virtual(function()
      left_behind "1"
      world.ended["1.a.1"] = { error = errors.new("orphaned", "it was begun anew") }
      local engine = engine_with "second"
      local look = engine.runner.look
      function engine.runner.look(...)
        assert(store:execute "UPDATE {workflow_steps} SET run_id = 'anew', version = version + 1 WHERE name = 'a'")
        return look(...)
      end
      assert.same({ replayed = 0, started = 0, skipped = 1 }, repair(engine))
      assert.equal("running a=running b=pending", support.statuses(store, key "1"))
    end)
  end)

  it("leaves a run alone that goes on, and a workflow that has ended", function()
    helper.virtual(function()
      left_behind "1"
      world.live = { ["1.a.1"] = "live" }
      assert.same({ replayed = 0, started = 0, skipped = 1 }, repair(engine_with "second"))
      assert(workflows.cancel("1", nil, { store = store }))
      world.ended["1.a.1"] = { result = {} }
      assert.same({ replayed = 0, started = 0, skipped = 0 }, repair(engine_with "second"))
    end)
  end)

  it("starts a run that was meant to start, unless its process lives: under the same id", function()
    helper.virtual(function()
      left_behind "1"
      world.alive.first = true
      local engine = engine_with "second"
      assert.same({ replayed = 0, started = 0, skipped = 1 }, repair(engine))
      world.alive.first = nil
      world.paid = {}
      assert.same({ replayed = 0, started = 1, skipped = 0 }, repair(engine))
      task.sleep(20)
      assert.equal("done a=done b=done", support.statuses(store, key "1"))
      assert.same({ ["1.a.1"] = 1 }, world.paid)
      assert.equal("second", rows.load(store, key "1").steps.a.owner)
    end)
  end)

  it("leaves the runs of the dead to recovery, unless somebody asks for the workflow", function()
    helper.virtual(function()
      left_behind "1"
      world.live = { ["1.a.1"] = "left" }
      local engine = engine_with "second"
      assert.same({ replayed = 0, started = 0, skipped = 1 }, repair(engine))
      assert.same({}, engine.runner.taken)
      assert.same({ replayed = 0, started = 1, skipped = 0 }, reconcile.one(engine, key "1"))
      assert.same({ "1.a.1" }, engine.runner.taken)
      task.sleep(20)
      assert.equal("done a=done b=done", support.statuses(store, key "1"))
    end)
  end)

  it("lets one of two processes take a step over", function()
    helper.virtual(function()
      left_behind "1"
      world.paid, world.alive.second, world.alive.third = {}, true, true
      local both_have_looked = false
      local function answer_later(job)
        while not both_have_looked do task.sleep(1) end
        return answer(job)
      end
      local one, two = engine_with("second", answer_later), engine_with("third", answer_later)
      local counts = task.all { function() return repair(one) end, function() return repair(two) end }
      both_have_looked = true
      assert.equal(1, counts[1].started + counts[2].started)
      task.sleep(20)
      assert.same({ ["1.a.1"] = 1 }, world.paid)
      assert.equal("done a=done b=done", support.statuses(store, key "1"))
    end)
  end)

  it("begins a try whose time has passed, and waits for one whose has not", function()
    helper.virtual(function()
      local calls = 0
      local engine = engine_with "first"
      workflows.register(workflow "w" { step "a" { on_failure = "retry", backoff = "1h", run = function()
        calls = calls + 1
        return calls > 1 and {} or nil, "not yet"
      end } })
      assert(workflows.start("w", {}, { id = "1", store = store }))
      task.sleep(1000)
      engines.of(store):stop()
      assert.same({ replayed = 0, started = 0, skipped = 0 }, repair(engine_with "second"))
      engine:stop()
      task.sleep(3600 * 1000)
      repair(engine_with "third")
      task.sleep(1000)
      assert.equal("done a=done", support.statuses(store, key "1"))
      assert.equal(2, calls)
    end)
  end)

  it("skips workflows that this process does not know, or that have changed", function()
    helper.virtual(function()
      left_behind "1"
      curia.unregister("workflow", "w")
      assert.same({ replayed = 0, started = 0, skipped = 1 }, repair(engine_with "second"))
      workflows.register(workflow "w" { step "a" { approval = true } })
      local state = rows.load(store, key "1")
      local code, err = engines.code(state, "a")
      assert.is_nil(code)
      assert.equal("definition_changed", err.code)
    end)
  end)

  it("does not stop at one that is broken", function()
    helper.virtual(function()
      left_behind "1"
      left_behind "2"
      assert(store:execute("UPDATE {workflows} SET plan = ? WHERE id = '1'", { bytes = "no JSON" }))
      world.ended["2.a.1"] = { result = {} }
      local counts
      local lines = T.logged(function() counts = repair(engine_with "second") end)
      assert.same({ replayed = 1, started = 1, skipped = 1 }, counts)
      assert.matches("workflow 1: it could not be put right", lines[1])
      task.sleep(20)
    end)
  end)

  it("keeps to its stack and env", function()
    helper.virtual(function()
      local function replayed(opts)
        for _, id in ipairs { "own", "none", "foreign", "rc" } do world.ended[id .. ".a.1"] = nil end
        opts.store = store
        local seen = {}
        for _, found in ipairs(rows.live(store, scopes.of(opts))) do seen[#seen + 1] = found.id end
        table.sort(seen)
        return table.concat(seen, " ")
      end
      left_behind("own", { stack = "a" })
      left_behind "none"
      left_behind("foreign", { stack = "b" })
      left_behind("rc", { stack = "a", env = "rc" })
      assert.equal("none own", replayed { source_stack = "a" })
      curia.config { stack = "a" }
      assert.equal("none own", replayed {})
      assert.equal("foreign none own", replayed { source_stack = false })
      assert.equal("rc", replayed { source_env = "rc" })
      curia.config { env = "rc" }
      assert.equal("rc", replayed {})
      assert.equal("none own", replayed { source_env = curia.null })
    end)
  end)

  it("is asked for by the public function, for one workflow too, and told as telemetry", function()
    helper.virtual(function()
      left_behind "1"
      world.ended["1.a.1"] = { error = errors.new("transient", "ended so") }
      engine_with "second"
      local heard
      local handle <close> = curia.telemetry.attach("workflow.reconcile", function(_, counts) heard = counts end)
      assert.same({ replayed = 0, started = 0, skipped = 0 },
        curia.reconcile_workflows { store = store, workflow = "other" })
      assert.same({ replayed = 1, started = 0, skipped = 0 },
        curia.reconcile_workflows { store = store, workflow = "w" })
      assert.same({ 1, 0, 0 }, { heard.replayed, heard.started, heard.skipped })
      assert.error_matches(function() curia.reconcile_workflows { source_stakc = "x" } end, "did you mean 'source_stack'")
      assert.is_not_nil(handle)
    end)
  end)

  it("asks for the end of runs that were started too late for their steps", function()
    helper.virtual(function()
      left_behind "1"
      workflows.cancel("1", nil, { store = store })
      assert(store:execute [[INSERT INTO {runs} (namespace, run_id, council, status, durability, attempt, attempts, fence,
        events, inserted_at, updated_at) VALUES ('default', '1.a.1', 'x', 'running', 'sync', 1, 1, 1, 0, 1, 1)]])
      repair(engine_with "second")
      assert.is_string(store:query "SELECT cancel_requested FROM {runs}"[1].cancel_requested)
    end)
  end)
end)

-- ---- a process that dies at every write -----------------------------------------------------------------

-- The store of a process that dies at its nth write: before it, or after it is on the disk.
local function mortal(n, after, die)
  local count = 0
  local write = store.write
  return setmetatable({ write = function(_, unit)
    count = count + 1
    if count < n then return write(store, unit) end
    if count == n and after then write(store, unit) end
    die()
    task.sleep(1e9)
  end }, { __index = store })
end

local function flaky(job)
  if job.run_id:find "%.check%.1$" then return { error = errors.new("transient", "try again") } end
  return { result = { said = job.input } }
end

local function release(calls)
  return workflow "release" {
    subject = "trigger.change",
    step "draft" { council = "x", input = { q = "trigger.change" } },
    step "check" { council = "x", input = "prior.draft.said", after = "draft", on_failure = "retry", backoff_ms = 0 },
    step "lint" { after = "draft", run = function(ctx, input)
      calls[ctx.key] = (calls[ctx.key] or 0) + 1
      return { linted = input.change }
    end },
    step "sign" { approval = true, after = { "check", "lint" } },
    step "send" { council = "x", input = { a = "prior.check.said", b = "prior.lint.linted" }, after = "sign" },
  }
end

-- What must be the same, however often a process has died.
local function essence(id)
  local made = assert(workflows.get(id, { store = store }))
  local steps = {}
  for i, one in ipairs(made.steps) do
    steps[i] = { one.name, one.status, one.attempt, one.run_id, one.input, one.result }
  end
  return { made.status, made.result, steps }
end

local function approve_if_asked(engine)
  local state = rows.load(store, key "1")
  if state and state.steps.sign.status == "blocked" then
    engine:apply(key "1", { type = "decided", step = "sign", approved = true })
  end
end

local function ended()
  local state = rows.load(store, key "1")
  return state ~= nil and state.instance.finished_at ~= nil
end

local function begin(engine, calls)
  workflows.register(release(calls))
  local definition = curia.lookup("workflow", "release")
  local instance = { namespace = "default", id = "1", name = "release", status = "running", subject = "c", plan =
    definition.plan, definition_hash = definition.hash, trigger_value = { change = "c" }, version = 1, started_at = 1,
    updated_at = 1 }
  if rows.load(store, key "1") then return end
  if engine.store:write(rows.insertion(engine.store, instance, instance.plan)) then engine:advance(key "1") end
end

-- Lives until the process dies, or all is done.
local function live(owner, n, after, calls)
  local dead = task.signal()
  local engine
  local on = n and mortal(n, after, function() dead:notify() end) or store
  engine = engine_with(owner, flaky, on)
  world.alive = { [owner] = true }
  local life = task.spawn_root(function()
    begin(engine, calls)
    repeat
      reconcile.all(engine, scopes.of {})
      approve_if_asked(engine)
      task.sleep(1)
    until ended()
    dead:notify()
  end)
  dead:wait(5000)
  life:cancel "it dies"
  engine:stop()
  life:await()
end

local function clean()
  for _, name in ipairs { "workflows", "workflow_steps" } do assert(store:execute(("DELETE FROM {%s}"):format(name))) end
  world = support.world()
end

local function undisturbed()
  live("calm", nil, nil, {})
  local expected = essence "1"
  clean()
  return expected
end

describe("a process that dies at any write, before it or after it", function()
  it("leaves a workflow that ends the same, and no council is paid twice that has ended", function()
    helper.virtual(function()
      local expected = undisturbed()
      assert.equal("done", expected[1])
      for _, after in ipairs { false, true } do
        for n = 1, 14 do
          local calls = {}
          live("first", n, after, calls)
          live("second", nil, nil, calls)
          assert.same(expected, essence "1")
          for run_id, times in pairs(world.paid) do assert.equal(1, times, run_id) end
          clean()
        end
      end
    end)
  end)

  it("and again at each of its next lives", function()
    helper.virtual(function()
      local expected = undisturbed()
      for n = 2, 4 do
        local calls, lives = {}, 0
        repeat
          lives = lives + 1
          live("life" .. lives, n, lives % 2 == 0, calls)
        until ended() or lives > 40
        assert.is_true(lives > 2 and lives <= 40, ("%d lives of %d writes"):format(lives, n))
        assert.same(expected, essence "1")
        for run_id, times in pairs(world.paid) do assert.equal(1, times, run_id) end
        clean()
      end
    end)
  end)
end)
