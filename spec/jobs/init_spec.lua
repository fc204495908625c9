local config = require "curia.config"
local curia = require "curia"
local engine = require "spec.engine.support"
local helper = require "spec.helper"
local json = require "curia.json"
local shared = require "curia.store.shared"
local stored_runs = require "curia.store.runs"
local support = require "spec.store.support"
local task = require "curia.task"

local jobs = curia.jobs
local folder, url

before_each(function()
  folder = support.folder()
  url = folder.url "jobs.db"
end)
after_each(function()
  shared.close()
  folder.remove()
end)

local function enqueue(more)
  local opts = { council = "panel", input = "Why?", store = url }
  for name, value in pairs(more or {}) do opts[name] = value end
  return assert(jobs.enqueue(opts))
end

local function get(job)
  return assert(jobs.get(job.job_id, { store = url }))
end

local function set_state(job, state)
  assert(shared.of(url):execute("UPDATE {jobs} SET state = ?, finished_at = 1 WHERE job_id = ?", state, job.job_id))
end

describe("enqueueing", function()
  it("makes a job with the defaults", function()
    local job = enqueue()
    local stored = get(job)
    assert.same({ "available", "default", 0, 5, 0, "panel", "Why?" }, {
      stored.state, stored.queue, stored.priority, stored.max_attempts, stored.attempt, stored.council, stored.input,
    })
    assert.equal(job.run_id, stored.run_id)
    assert.is_nil(job.duplicate)
  end)

  it("stamps the scope, and the caller's word wins", function()
    local conf = config.shared()
    assert(conf:set("call", { stack = "blue", env = "test" }))
    local job, other = get(enqueue()), get(enqueue { source_stack = "green", source_env = json.null })
    assert(conf:set("call", { stack = "", env = "" }))
    assert.same({ "blue", "test", "green" }, { job.source_stack, job.source_env, other.source_stack })
    assert.is_nil(other.source_env)
  end)

  it("schedules what is to begin later", function()
    assert.equal("scheduled", enqueue { schedule_at = 9e15 // 1 }.state)
    assert.equal("available", enqueue { schedule_at = 5 }.state)
  end)

  it("refuses options that the run would", function()
    local job, err = jobs.enqueue { council = "panel", options = { sede = 5 }, store = url }
    assert.is_nil(job)
    assert.equal("validation", err.kind)
    assert.matches("did you mean 'seed'", err.message)
    assert.is_truthy(enqueue { options = { seed = 5, restart = true } })
    assert.error_matches(function() jobs.enqueue { input = "Why?" } end, "has no council")
  end)
end)

describe("a unique job", function()
  it("is the first one as long as that has not ended", function()
    local first = enqueue { unique = { key = "k" } }
    local second = enqueue { unique = { key = "k" }, input = "What?" }
    assert.same({ first.job_id, true, "Why?" }, { second.job_id, second.duplicate, second.input })
    assert.is_nil(enqueue { unique = { key = "l" } }.duplicate)
    assert(jobs.cancel(first.job_id, { store = url }))
    assert.is_nil(enqueue { unique = { key = "k" } }.duplicate)
  end)

  it("is one in its stack and its environment", function()
    local first = enqueue { unique = { key = "k" } }
    local other = enqueue { unique = { key = "k" }, source_env = "rc" }
    assert.is_nil(other.duplicate)
    assert.equal(other.job_id, enqueue({ unique = { key = "k" }, source_env = "rc" }).job_id)
    assert.equal(first.job_id, enqueue({ unique = { key = "k" } }).job_id)
    assert.is_nil(enqueue({ unique = { key = "k" }, source_stack = "blue" }).duplicate)
  end)

  it("is the first one for a time, whatever becomes of that", function()
    local first = enqueue { unique = { key = "k", period = "1h" } }
    assert(jobs.cancel(first.job_id, { store = url }))
    assert.is_true(enqueue { unique = { key = "k", period = "1h" } }.duplicate)
    assert(shared.of(url):execute "UPDATE {jobs} SET unique_until = 5")
    assert.is_nil(enqueue { unique = { key = "k", period = "1h" } }.duplicate)
  end)

  it("is one, whoever of several processes comes first", function()
    local urls, functions = { url, (url:gsub("^sqlite:", "sqlite://")) }, {}
    for i = 1, 20 do
      functions[i] = function()
        return assert(jobs.enqueue { council = "panel", input = i, unique = { key = "k" }, store = urls[i % 2 + 1] })
      end
    end
    local made, failures = helper.run(function() return task.all(functions) end)
    assert.same({}, failures)
    local new = 0
    for _, job in ipairs(made) do
      assert.equal(made[1].job_id, job.job_id)
      if not job.duplicate then new = new + 1 end
    end
    assert.equal(1, new)
  end)
end)

describe("looking after jobs", function()
  it("lists, cancels, and begins once more", function()
    local first, second = enqueue(), enqueue { queue = "mail" }
    assert.equal(second.job_id, jobs.list({ queue = "mail", store = url })[1].job_id)
    assert.equal("cancelled", jobs.cancel(first.job_id, { store = url, reason = "enough" }).state)
    assert.equal("enough", get(first).cancel_requested)
    assert.equal("available", jobs.retry(first.job_id, { store = url }).state)
    assert.is_nil(get(first).cancel_requested)
    set_state(first, "completed")
    assert.equal("completed", jobs.cancel(first.job_id, { store = url }).state)
    local done, err = jobs.retry(first.job_id, { store = url })
    assert.is_nil(done)
    assert.equal("wrong_state", err.code)
    done, err = jobs.cancel("none", { store = url })
    assert.is_nil(done)
    assert.equal("unknown_job", err.code)
  end)

  it("prunes what has ended long ago", function()
    local old, recent, waiting = enqueue(), enqueue(), enqueue()
    set_state(old, "completed")
    assert(jobs.cancel(recent.job_id, { store = url }))
    assert.equal(1, jobs.prune { store = url })
    assert.is_nil((jobs.get(old.job_id, { store = url })))
    assert.equal(1, jobs.prune { older_than = 0, store = url })
    assert.equal("available", get(waiting).state)
  end)

  it("raises for what is no id", function()
    for _, name in ipairs { "get", "cancel", "retry" } do
      assert.error_matches(function() jobs[name](5) end, "bad argument #1 to '" .. name)
    end
  end)
end)

describe("a schedule", function()
  it("is made, listed and taken away", function()
    assert.is_true(jobs.schedule { name = "nightly", cron = "0 3 * * *", council = "panel", input = "Why?", store = url })
    assert.same({ "nightly", "panel", 5 }, {
      jobs.schedules { store = url }[1].name, jobs.schedules { store = url }[1].job.council,
      jobs.schedules { store = url }[1].job.max_attempts,
    })
    assert.is_true(jobs.unschedule("nightly", { store = url }))
    assert.equal(0, #jobs.schedules { store = url })
  end)

  it("says which field is wrong", function()
    local done, err = jobs.schedule { name = "n", cron = "61 * * * *", council = "panel", store = url }
    assert.is_nil(done)
    assert.matches("minute", err.message)
  end)
end)

describe("a worker", function()
  local calls, worker

  before_each(function()
    calls = { a = 0, b = 0 }
    assert(config.shared():set("call", { store = url }))
  end)
  after_each(function()
    if worker then worker:stop(0) end
    worker = nil
  end)

  -- A council of two members, of which one fails as often as it is told.
  local function panel(failures)
    curia.config { providers = { test = { adapter = "scripted", script = function(request)
      local member = request.member
      calls[member] = calls[member] + 1
      if member == "b" and calls.b <= failures then return { error = { status = 503, message = "no" } } end
      return "yes from " .. member
    end } } }
    return engine.council {
      name = "panel", ids = { "a", "b" }, quorum = "all", retry = { attempts = 1 },
      rounds = { { type = "independent_analysis" } },
    }
  end

  local function work(council, job, state)
    return helper.run(function()
      worker = assert(jobs.work { councils = { panel = council } })
      local found
      repeat
        task.sleep(5)
        found = get(job)
      until found.state == state
      worker:stop(0)
      return found
    end)
  end

  it("sees the run of a job to its end", function()
    local job = work(panel(0), enqueue(), "completed")
    local run = assert(stored_runs.get(shared.of(url), "default", job.run_id))
    assert.same({ "completed", "sync", job.job_id }, { run.status, run.durability, run.job_id })
    assert.same({ a = 1, b = 1 }, calls)
  end)

  it("takes the run up again that has failed, and what was paid for is not paid again", function()
    local job = work(panel(1), enqueue { backoff = { base = 10 } }, "completed")
    assert.same({ 2, 1 }, { job.attempt, #job.errors })
    assert.same({ a = 1, b = 2 }, calls)
    local runs = shared.of(url):query "SELECT run_id, status, fence FROM {runs}"
    assert.same({ 1, job.run_id, "completed", 2 }, { #runs, runs[1].run_id, runs[1].status, runs[1].fence })
  end)

  it("is handed what is enqueued beside it, and keeps its order when it is behind", function()
    local order, states, open = {}, {}, false
    helper.virtual(function()
      worker = assert(jobs.work { concurrency = 1, run = function(job)
        order[#order + 1] = job.input
        while not open do task.sleep(1) end
      end })
      task.sleep(50)
      for i = 1, 3 do states[i] = enqueue({ input = i, priority = -i }).state end
      open = true
      repeat task.sleep(5) until #order == 3
      worker:stop()
    end)
    assert.same({ "executing", "available", "available" }, states)
    assert.same({ 1, 3, 2 }, order)
    assert.equal(3, #jobs.list { state = "completed" })
  end)

  it("gets its slot back when what was to be enqueued is a duplicate", function()
    enqueue { unique = { key = "k" }, queue = "other" }
    helper.virtual(function()
      worker = assert(jobs.work { concurrency = 1, run = function() end })
      task.sleep(50)
      assert.is_true(enqueue({ unique = { key = "k" } }).duplicate)
      local job = enqueue()
      assert.equal("executing", job.state)
      repeat task.sleep(5) until get(job).state == "completed"
      worker:stop()
    end)
  end)

  it("begins anew where the job says so", function()
    local job = work(panel(1), enqueue { backoff = { base = 10 }, options = { restart = true } }, "completed")
    assert.same({ a = 2, b = 2 }, calls)
    local first = shared.of(url):query("SELECT run_id FROM {runs} WHERE run_id <> ?", job.run_id)[1]
    assert.equal(first.run_id, stored_runs.get(shared.of(url), "default", job.run_id).parent_attempt_run_id)
  end)

  -- A job that a worker has let go in the midst of its run, that run's council, and how many steps were taken.
  local function left(recovery)
    local job, taken = enqueue(), { steps = 0 }
    local slow = curia.council "panel" { recovery = recovery, run = function(ctx)
      ctx:step("first", function()
        taken.steps = taken.steps + 1
        return taken.steps
      end)
      ctx:sleep(1000)
      return "done"
    end }
    helper.virtual(function()
      worker = assert(jobs.work { councils = { panel = slow } })
      repeat task.sleep(5) until shared.of(url):query "SELECT 1 FROM {steps} WHERE finished IS NOT NULL"[1]
      worker:stop(0)
    end)
    return job, slow, taken
  end

  it("leaves its run to the next when it stops, and what was done stays done", function()
    local job, slow, taken = left()
    assert.same({ "available", 0 }, { get(job).state, get(job).attempt })
    assert.is_nil(stored_runs.get(shared.of(url), "default", job.run_id).incarnation)
    assert.equal(1, work(slow, job, "completed").attempt)
    assert.equal(1, taken.steps)
  end)

  it("takes no run up where it is not to, and waits for who does", function()
    local job, slow = left()
    curia.config { sweep = { enabled = false } }
    local sweeps = 0
    local counting = curia.telemetry.attach("recovery.sweep", function() sweeps = sweeps + 1 end)
    helper.run(function()
      worker = assert(jobs.work { councils = { panel = slow } })
      repeat task.sleep(5) until get(job).state == "executing"
      task.sleep(50)
      assert.equal(0, sweeps)
      assert.equal(1, assert(curia.recovery.sweep { councils = { panel = slow } }).resumed)
      repeat task.sleep(5) until get(job).state == "completed"
      worker:stop(0)
    end)
    counting:detach()
    curia.config { sweep = {} }
    assert.equal(1, sweeps)
  end)

  it("spends no attempt when recovery begins its run anew", function()
    local job, slow, taken = left "restart"
    local done = work(slow, job, "completed")
    assert.same({ 1, 2 }, { done.attempt, taken.steps })
    assert.not_equal(job.run_id, done.run_id)
  end)

  -- A council that asks for a decision before its tool is called.
  local function asking()
    curia.config { providers = { test = { adapter = "scripted", script = function(request)
      calls.a = calls.a + 1
      local last = request.messages[#request.messages]
      if last.role == "tool" then return last.content end
      return { content = "", tool_calls = { { id = "c1", name = "look", arguments = {} } } }
    end } } }
    local look = curia.tool "look" { about = "looks", approval = true, run = function() return "seen" end }
    return engine.council {
      name = "panel", ids = { "a" }, members = { a = { tools = { look } } },
      rounds = { { type = "independent_analysis" } },
    }
  end

  local function until_parked(job)
    local found
    repeat
      task.sleep(5)
      found = get(job)
    until found.state == "executing" and not found.incarnation
  end

  it("parks a job whose run waits for a decision, and works meanwhile", function()
    local job = enqueue()
    local echo = curia.council "echo" { run = function() return "echo" end }
    helper.virtual(function()
      worker = assert(jobs.work { concurrency = 1, councils = { panel = asking(), echo = echo } })
      until_parked(job)
      local other = enqueue { council = "echo" }
      repeat task.sleep(5) until get(other).state == "completed"
      assert(curia.find(job.run_id):approve("c1", true))
      repeat task.sleep(5) until get(job).state == "completed"
      worker:stop()
    end)
    assert.same({ 1, 2 }, { get(job).attempt, calls.a })
  end)

  local function decide(job)
    local row = assert(stored_runs.get(shared.of(url), "default", job.run_id))
    assert(require "curia.recovery.requests".decide(shared.of(url), row, "c1", true))
  end

  it("goes on with what it has parked, once somebody has decided in the store", function()
    local job, council = enqueue(), asking()
    engine.logged(function()
      helper.virtual(function()
        worker = assert(jobs.work { councils = { panel = council } })
        until_parked(job)
        decide(job)
        repeat task.sleep(5) until get(job).state == "completed"
        worker:stop()
      end)
    end)
    assert.same({ 1, 2 }, { get(job).attempt, calls.a })
  end)

  it("goes on with what another has parked, once somebody has decided", function()
    local job, council = enqueue(), asking()
    helper.virtual(function()
      worker = assert(jobs.work { councils = { panel = council } })
      until_parked(job)
      worker:stop(0)
      engine.logged(function() curia.find(job.run_id):leave_to_others() end) -- its process dies
      decide(job)
      assert.equal("completed", work(council, job, "completed").state)
    end)
    assert.same({ 1, 2 }, { get(job).attempt, calls.a })
  end)

  it("cancels a run with its job", function()
    local job = enqueue()
    local slow = curia.council "panel" { run = function(ctx) ctx:sleep(60000) end }
    helper.virtual(function()
      worker = assert(jobs.work { councils = { panel = slow } })
      repeat task.sleep(5) until get(job).state == "executing" and curia.find(job.run_id)
      assert(jobs.cancel(job.job_id, { reason = "enough" }))
      repeat task.sleep(5) until get(job).state == "cancelled"
      assert.equal("cancelled", select(2, curia.await(job.run_id)).kind)
      worker:stop(0)
    end)
    assert.equal("cancelled", stored_runs.get(shared.of(url), "default", job.run_id).status)
  end)
end)
