local curia = require "curia"
local rows = require "curia.store.runs"
local S = require "spec.durable.support"
local shared = require "curia.store.shared"
local support = require "spec.recovery.support"
local T = require "spec.engine.support"

local place, store

before_each(function()
  place = S.place()
  store = assert(shared.configured())
  curia.config { stack = "", env = "" }
  T.script { content = "yes", delay_ms = 40 }
end)

after_each(function() place.close() end)

local function two_steps()
  return T.council { ids = { "a", "b" }, name = "two", rounds = { "independent_analysis", "independent_analysis" } }
end

describe("recovery", function()
  it("goes on until it is stopped", function()
    support.leave_behind(place.url)
    local sweeps = 0
    local recovery = curia.recovery.start({}, function() sweeps = sweeps + 1 end)
    curia.task.run(function()
      repeat curia.task.sleep(5) until sweeps > 0
      local run = assert(curia.find "left-1")
      assert(run:await())
      run:leave_to_others()
      recovery:stop()
    end)
  end)

  -- How often there was a sweep in a while.
  local function sweeps(opts, run)
    local count = 0
    local recovery = curia.recovery.start(opts, function() count = count + 1 end)
    curia.task.run(function()
      curia.task.sleep(150)
      if run then run() end
      recovery:stop()
    end)
    return count
  end

  it("sweeps as often as it is told, else as the configuration says", function()
    assert.is_true(sweeps { every_ms = 10 } > 3)
    assert.equal(1, sweeps {})
    curia.config { sweep = { every = "10ms" } }
    local count = sweeps {}
    curia.config { sweep = {} }
    assert.is_true(count > 3)
    assert.error_matches(function() curia.recovery.start { every = "soon" } end, "every")
    assert.error_matches(function() curia.recovery.start { evry_ms = 3 } end, "did you mean 'every_ms'")
  end)

  it("only hears where sweeping is not enabled", function()
    curia.config { sweep = { enabled = false } }
    support.leave_behind(place.url)
    assert.equal(0, sweeps {})
    assert.equal("running", rows.get(store, "default", "left-1").status)
    assert.is_true(sweeps({ enabled = true }, function()
      local run = assert(curia.find "left-1")
      assert(run:await())
      run:leave_to_others()
    end) > 0)
    curia.config { sweep = {} }
  end)

  it("cancels the runs of which that was asked in the store", function()
    local run = S.start(two_steps(), nil, { run_id = "asked-to-end" })
    curia.task.run(function()
      curia.task.sleep(20)
      assert(store:execute "UPDATE {runs} SET cancel_requested = 'enough' WHERE run_id = 'asked-to-end'")
      assert(require "curia.recovery.requests".hear(store))
      local _, err = run:await()
      assert.same({ "cancelled", "enough" }, { err.kind, err.message })
    end)
  end)

  it("lets the runs of this process go: what is under way may end, and nothing new begins", function()
    local asked = 0
    T.script(function()
      asked = asked + 1
      return { content = "yes", delay_ms = 40 }
    end)
    local run = S.start(two_steps(), nil, { run_id = "let-go" })
    curia.task.run(function()
      curia.task.sleep(20)
      curia.recovery.release(1000)
      local _, err = run:await()
      assert.equal("released", err.code)
      local row = rows.get(store, "default", "let-go")
      assert.same({ "running", 2 }, { row.status, asked })
      assert.is_nil(row.incarnation)
      assert.equal(1, curia.recovery.sweep().resumed)
      assert.equal("ok", curia.find "let-go":await().status)
      assert.equal(4, asked)
    end)
  end)

  it("waits no longer than it was told", function()
    T.script { content = "late", delay_ms = 60000 }
    local run = S.start(two_steps(), nil, { run_id = "let-go-late" })
    curia.task.run(function()
      curia.task.sleep(20)
      curia.recovery.release(20)
      assert.equal("released", select(2, run:await()).code)
    end)
  end)
end)
