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
  curia.config { stack = "", env = "" }
  T.script { content = "yes", delay_ms = 40 }
end)

after_each(function() place.close() end)

local function two_steps()
  return T.council { ids = { "a", "b" }, name = "two", rounds = { "independent_analysis", "independent_analysis" } }
end

describe("a run that is resumed by hand", function()
  local function state()
    local row = rows.get(store, "default", "left-1")
    return { row.status, row.incarnation or "nobody", row.attempts, row.finalized_at or 0 }
  end

  it("is what it was where that cannot be, and can be tried again", function()
    support.leave_behind(place.url)
    for _, was in ipairs {
      "status = 'running'", "status = 'blocked', incarnation = NULL, owner = NULL",
      "status = 'failed', finalized_at = 7, incarnation = NULL, owner = NULL",
    } do
      assert(store:execute("UPDATE {runs} SET spec_hash = NULL, " .. was))
      local before = state()
      local run, err = curia.recovery.resume "left-1"
      assert.is_nil(run)
      assert.equal("unknown_council", err.code)
      assert.same(before, state())
    end
    local known = T.council { ids = { "a" }, members = { a = { provider = "scripted" } }, name = "left-1" }
    local run = assert(curia.recovery.resume("left-1", { councils = { ["left-1"] = known } }))
    assert(run:await())
    run:leave_to_others()
  end)

  it("is refused where it goes on, has ended, or is not durable", function()
    local function code_of(run_id)
      local _, err = curia.recovery.resume(run_id)
      return err.code or err.kind
    end
    helper.virtual(function()
      local run = S.start(two_steps(), nil, { run_id = "here" })
      curia.task.sleep(20)
      assert.equal("running", code_of "here")
      assert(run:await())
      run:leave_to_others()
      assert.equal("ended", code_of "here")
      assert.equal("unknown_run", code_of "nowhere")
      assert(store:execute "UPDATE {runs} SET durability = 'none'")
      assert.equal("unsupported", code_of "here")
    end)
  end)
end)

describe("recovery", function()
  it("goes on until it is stopped", function()
    support.leave_behind(place.url)
    local sweeps = 0
    local recovery = curia.recovery.start({}, function() sweeps = sweeps + 1 end)
    helper.run(function()
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
    helper.virtual(function()
      local recovery = curia.recovery.start(opts, function() count = count + 1 end)
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

  it("says again that its process is alive, where the file that says so was taken away", function()
    local here = assert(require "curia.recovery.node".current(store))
    local file = place.folder.path("runs.db.nodes/" .. here.incarnation)
    for _, enabled in ipairs { true, false } do
      assert(os.remove(file))
      helper.virtual(function()
        local recovery = curia.recovery.start { enabled = enabled, every_ms = 10 }
        curia.task.sleep(3000)
        recovery:stop()
      end)
      assert(io.open(file)):close()
    end
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
    helper.virtual(function()
      local run = S.start(two_steps(), nil, { run_id = "asked-to-end" })
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
    helper.virtual(function()
      local run = S.start(two_steps(), nil, { run_id = "let-go" })
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
    helper.virtual(function()
      local run = S.start(two_steps(), nil, { run_id = "let-go-late" })
      curia.task.sleep(20)
      curia.recovery.release(20)
      assert.equal("released", select(2, run:await()).code)
    end)
  end)
end)
