local curia = require "curia"
local helper = require "spec.helper"
local runner = require "curia.workflows.runner"
local support = require "spec.workflows.support"
local system = require "curia.core.system"
local task = require "curia.task"
local T = require "spec.engine.support"

local place, store

before_each(function()
  place = support.place()
  store = place.store
end)

after_each(function()
  place.close()
end)

local function job(more)
  local made = { council = T.council { ids = { "a" } }, input = { question = "Why?" }, namespace = "default", options = {},
    run_id = system.uuid7() }
  for name, value in pairs(more or {}) do made[name] = value end
  return made
end

local function stored(status, columns, id)
  local rows, unit = require "curia.store.runs", {}
  local row = { namespace = "default", run_id = status, council = "x", status = status, durability = "sync", attempt = 1,
    attempts = 1, fence = 1, events = 0 }
  for name, value in pairs(columns or {}) do row[name] = value end
  rows.insert(store, unit, row)
  assert(store:write(unit))
  return runner.look(store, "default", id or status)
end

describe("the door to runs", function()
  it("gives what later steps see of a run that has gone well", function()
    T.answers { a = "Because." }
    helper.run(function()
      local outcome = runner.run(job { run_id = "door-1" })
      assert.same({ "door-1", "ok", "Because." },
        { outcome.result.run_id, outcome.result.status, outcome.result.content })
      assert.same({ "ended", outcome }, { runner.look(store, "default", "door-1") })
    end)
  end)

  it("gives why a run has failed, was not valid, was cancelled or terminated", function()
    helper.virtual(function()
      local outcome = runner.run(job { council = "nobody" })
      assert.same({ "invalid_council", "unknown_council" }, { outcome.error.kind, outcome.error.code })
      T.answers { a = { error = { status = 401, message = "no" } } }
      assert.equal("auth", runner.run(job()).error.kind)
      local slow = T.council { ids = { "a" }, members = { a = { run = function() task.sleep(1e6) end } } }
      local function ended(id, how)
        local running = task.spawn(runner.run, job { run_id = id, council = slow })
        repeat task.sleep(5) until curia.find(id) and curia.find(id).status == "running"
        assert.equal("live", (runner.look(store, "default", id)))
        how(id)
        return select(2, running:await())
      end
      assert.equal("cancelled", ended("door-2", function(id) runner.cancel("default", id) end).error.kind)
      assert.equal("terminated", ended("door-3", curia.terminate).error.kind)
    end)
  end)

  it("finds in the store what has left memory, however it has ended", function()
    helper.run(function()
      assert.equal("unknown", (runner.look(store, "default", "never")))
      local me = runner.owner(store)
      for _, status in ipairs { "pending", "running", "blocked" } do
        assert.equal("live", (stored(status, { incarnation = me })))
        assert.equal("left", (stored(status, { run_id = status .. "-2", incarnation = "nobody" }, status .. "-2")))
        assert.equal(status == "blocked" and "live" or "left",
          (stored(status, { run_id = status .. "-3" }, status .. "-3")))
      end
      local found, outcome = stored("completed", { result = { run_id = "x", status = "partial", final = { content = "y" } } })
      assert.same({ "ended", "partial", "y" }, { found, outcome.result.status, outcome.result.content })
      assert.equal("quorum", select(2, stored("failed", { error = { kind = "quorum", message = "m" } })).error.kind)
      assert.equal("terminated", select(2, stored "terminated").error.kind)
      assert.equal("cancelled", select(2, stored("cancelled",
        { result = { status = "error", errors = { { kind = "cancelled", message = "m" } } } })).error.kind)
    end)
  end)

  it("has no outcome of a run that was let go, and takes it up where it has stopped", function()
    helper.virtual(function()
      local asked = { a = 0, b = 0 }
      T.script(function(request)
        asked[request.member] = asked[request.member] + 1
        if request.member == "b" and asked.b == 1 then task.sleep(60000) end
        return "yes"
      end)
      local given = job { run_id = "door-4", council = T.council { ids = { "a", "b" } }, store = store }
      local running = task.spawn(runner.run, given)
      repeat
        task.sleep(5)
        local answered = store:query "SELECT 1 FROM {steps} WHERE kind = 'call' AND finished IS NOT NULL"
      until #answered > 0 and asked.b > 0
      require "curia.recovery".release(0)
      assert.same({ true }, { running:await() })
      assert.equal("left", (runner.look(store, "default", "door-4")))
      assert.is_true(runner.take_up(store, "default", "door-4", given.council))
      assert.equal("live", (runner.look(store, "default", "door-4")))
      assert.equal("ok", runner.run(given).result.status)
      assert.same({ a = 1, b = 2 }, asked)
    end)
  end)

  it("has no outcome of a run that another process has begun at the same moment", function()
    helper.run(function()
      local given = job { store = store }
      stored("running", { run_id = given.run_id, council = given.council.name, incarnation = "another", input = given.input })
      assert.same({}, { runner.run(given) })
    end)
  end)

  it("leaves a run that cannot be taken up to the next who tries", function()
    helper.run(function()
      stored("running", { council = "nobody", incarnation = "dead" })
      local taken, err = runner.take_up(store, "default", "running", "nobody")
      assert.same({ nil, "unknown_council" }, { taken, err.code })
      assert.equal("left", (runner.look(store, "default", "running")))
      assert.equal("unknown_run", select(2, runner.take_up(store, "default", "never", "nobody")).kind)
    end)
  end)

  it("leaves a run alone that another process has taken up since it was looked for, or ended", function()
    helper.run(function()
      stored("running", { run_id = "taken", council = "nobody", incarnation = runner.owner(store) })
      stored("completed", { run_id = "done", council = "nobody", finalized_at = 5 })
      for _, run_id in ipairs { "taken", "done" } do
        assert.is_false(runner.take_up(store, "default", run_id, "nobody"))
      end
      assert.equal(1, store:query "SELECT max(fence) AS n FROM {runs}"[1].n)
    end)
  end)

  it("knows that it lives, and that one is dead of which nobody has heard", function()
    helper.run(function()
      assert.is_true(runner.is_alive(store, runner.owner(store)))
      assert.is_false(runner.is_alive(store, "nobody"))
    end)
  end)
end)
