local errors = require "curia.errors"
local helper = require "spec.helper"
local rows = require "curia.jobs.rows"
local runners = require "curia.jobs.runner"
local support = require "spec.jobs.support"
local task = require "curia.task"
local telemetry_support = require "spec.telemetry.support"
local wake = require "curia.jobs.wake"
local workers = require "curia.jobs.worker"

local store, worker

before_each(function() store = support.store() end)
after_each(function()
  if worker then worker:stop(0) end
  worker = nil
  support.close(store)
end)

local function start(fn, more)
  local opts = {
    store = store, runner = runners.of_function(fn), queue = "default", concurrency = 5, incarnation = "me",
    is_alive = function() return true end,
  }
  for name, value in pairs(more or {}) do opts[name] = value end
  worker = workers.start(opts)
  return worker
end

local function insert(more)
  local unit, row = {}, support.row(more)
  rows.insert(store, unit, row)
  assert(store:write(unit))
  wake.notify(store, row.state == "scheduled")
  return row.job_id
end

local function run(fn)
  helper.virtual(function()
    fn()
    worker:stop(0)
  end)
end

-- Waits, in a task, until a job is in a state.
local function until_state(job_id, state)
  while true do
    local job = assert(rows.get(store, job_id))
    if job.state == state then return job end
    task.sleep(1)
  end
end

local function transient()
  return nil, errors.new("transient", "it broke")
end

describe("a worker", function()
  it("executes what is there, and what is enqueued later, by priority and not too much at a time", function()
    local order, now, most = {}, 0, 0
    for i = 1, 4 do insert { priority = -i, input = i } end
    start(function(job)
      now = now + 1
      most = math.max(most, now)
      order[#order + 1] = job.input
      task.sleep(2)
      now = now - 1
      return true
    end, { concurrency = 2 })
    run(function()
      until_state(insert { input = 5 }, "completed")
      worker:stop()
    end)
    assert.same({ 4, 3, 2, 1, 5 }, order)
    assert.equal(2, most)
  end)

  it("tries a job again that has failed, until there is no attempt left", function()
    local attempts = {}
    start(function(job)
      attempts[#attempts + 1] = job.attempt
      return transient()
    end)
    run(function()
      local job = until_state(insert { max_attempts = 3, backoff = { base_ms = 4 } }, "discarded")
      assert.same({ 1, 2, 3 }, attempts)
      assert.same({ 3, "transient", "it broke" }, { #job.errors, job.errors[3].kind, job.errors[3].message })
    end)
  end)

  it("discards at once what no attempt can mend, and what raises is tried again", function()
    local times = 0
    start(function(job)
      if job.council == "wrong" then return nil, errors.new("validation", "no") end
      times = times + 1
      if times == 1 then error "oops" end
      return true
    end)
    run(function()
      assert.equal(1, until_state(insert { council = "wrong" }, "discarded").attempt)
      local job = until_state(insert { backoff = { base_ms = 2 } }, "completed")
      assert.matches("oops", job.errors[1].message)
    end)
  end)

  it("ends an attempt whose time is over", function()
    start(function() task.sleep(60000) end)
    run(function()
      local job = until_state(insert { timeout_ms = 5, max_attempts = 1 }, "discarded")
      assert.equal("deadline", job.errors[1].kind)
    end)
  end)

  it("begins a scheduled job when it is due", function()
    local clock = require "curia.core.clock"
    start(function() return true end)
    run(function()
      local due = math.ceil(clock.wall_ms()) + 30
      local job = until_state(insert { state = "scheduled", schedule_at = due }, "completed")
      assert.is_true(job.attempted_at >= due and job.attempted_at < due + 500)
    end)
  end)

  it("cancels what it executes when that is asked for, also by another process", function()
    local ended
    start(function()
      local _ <close> = setmetatable({}, { __close = function() ended = true end })
      task.sleep(60000)
    end)
    run(function()
      local id, unit = insert(), {}
      until_state(id, "executing")
      require "curia.jobs.queue".cancel(unit, id, "enough")
      assert(store:write(unit)) -- nobody is notified: it is found in the next second
      local job = until_state(id, "cancelled")
      assert.is_true(ended)
      assert.same({ "cancelled", "enough" }, { job.errors[1].kind, job.cancel_requested })
    end)
  end)

  it("makes the jobs of schedules", function()
    local ran = 0
    local cron = require "curia.jobs.cron"
    local template = support.row { input = "Why?" }
    for _, name in ipairs { "job_id", "run_id", "inserted_at", "updated_at", "state", "attempt", "fence", "schedule_at" } do
      template[name] = nil
    end
    assert(require "curia.jobs.schedules".put(store, "often", assert(cron.parse "* * * * *"), template))
    assert(store:execute "UPDATE {schedules} SET next_at = 60000")
    start(function() ran = ran + 1 end)
    run(function()
      while ran == 0 do task.sleep(1) end
    end)
  end)

  it("takes up the jobs of the dead", function()
    local id = insert { state = "executing", attempt = 1, fence = 1 }
    assert(store:execute "UPDATE {jobs} SET incarnation = 'dead'")
    start(function() return true end, { is_alive = function(incarnation) return incarnation ~= "dead" end })
    run(function() assert.equal(2, until_state(id, "completed").attempt) end)
  end)

  it("finds what another process enqueues well before the next second", function()
    start(function() end)
    run(function()
      task.sleep(100)
      local unit, row, clock = {}, support.row(), require "curia.core.clock"
      rows.insert(store, unit, row)
      assert(store:write(unit)) -- nobody is notified
      local at = clock.ms()
      until_state(row.job_id, "completed")
      assert.is_true(clock.ms() - at < 100)
    end)
  end)

  it("has a slot for others while a job is parked", function()
    start(function(job)
      if job.council == "asks" then job.parked = true end
    end, { concurrency = 1 })
    run(function()
      local parked = insert { council = "asks", run_id = "waits" }
      assert(store:execute [[INSERT INTO {runs} (namespace, run_id, council, status, durability, attempt, attempts,
        fence, events, inserted_at, updated_at) VALUES ('default', 'waits', 'asks', 'blocked', 'sync', 1, 1, 1, 0, 1, 1)]])
      until_state(insert(), "completed")
      local job = rows.get(store, parked)
      assert.same({ "executing", 1 }, { job.state, job.attempt })
      assert.is_nil(job.incarnation)
    end)
  end)

  it("removes what ended longer ago than is to be kept", function()
    local old, recent = insert { state = "completed" }, insert { state = "completed" }
    assert(store:execute("UPDATE {jobs} SET finished_at = 1000 WHERE job_id = ?", old))
    assert(store:execute("UPDATE {jobs} SET finished_at = 9e15 WHERE job_id = ?", recent))
    start(function() end, { retention_ms = 24 * 3600 * 1000 })
    run(function()
      repeat task.sleep(1) until not rows.get(store, old)
    end)
    assert.is_truthy(rows.get(store, recent))
  end)

  it("goes on when the store fails for a while", function()
    local logged = require "spec.engine.support".logged
    local id
    local lines = logged(function()
      assert(store:execute "ALTER TABLE {jobs} RENAME TO away")
      start(function() return true end)
      run(function()
        task.sleep(20)
        assert(store:execute "ALTER TABLE away RENAME TO {jobs}")
        id = insert()
        until_state(id, "completed")
      end)
    end)
    assert.matches("worker of queue default", lines[1])
  end)

  it("tells telemetry what it does", function()
    local heard = telemetry_support.listen { "job.start", "job.stop", "job.exception" }
    start(function(job)
      if job.attempt == 1 then return transient() end
    end)
    run(function() until_state(insert { backoff = { base_ms = 2 } }, "completed") end)
    heard:stop()
    local names = {}
    for i, event in ipairs(heard) do names[i] = event.name end
    assert.same({ "job.start", "job.exception", "job.stop", "job.start", "job.stop" }, names)
    assert.same({ "retryable", 1 }, { heard[3].metadata.state, heard[3].metadata.attempt })
    assert.is_true(heard[5].measurements.duration_us >= 0)
  end)
end)

describe("a worker that stops", function()
  it("lets what is under way end, and begins nothing", function()
    start(function() task.sleep(20) end, { concurrency = 1 })
    run(function()
      local first, second = insert(), insert()
      until_state(first, "executing")
      worker:stop(5000)
      assert.equal("completed", rows.get(store, first).state)
      assert.equal("available", rows.get(store, second).state)
    end)
  end)

  it("gives back what takes too long, its attempt not counted", function()
    start(function() task.sleep(60000) end)
    run(function()
      local id = insert()
      until_state(id, "executing")
      worker:stop(5)
      local job = rows.get(store, id)
      assert.same({ "available", 0 }, { job.state, job.attempt })
      assert.is_nil(job.incarnation)
      worker:stop(5)
    end)
  end)

  it("is handed nothing that others wait before", function()
    start(function() end, { concurrency = 1 })
    run(function()
      task.sleep(5)
      local first = assert(wake.reserve(store, support.row()))
      assert.is_nil(wake.reserve(store, support.row()))
      first(nil)
      assert.is_nil(wake.reserve(store, support.row()))
      task.sleep(5)
      assert(wake.reserve(store, support.row()))(nil)
    end)
  end)

  it("gives back what is handed to it when it has stopped meanwhile", function()
    start(function() task.sleep(60000) end)
    run(function()
      local busy = insert()
      until_state(busy, "executing")
      local unit, row = {}, support.row()
      local hand_over = assert(wake.reserve(store, row))
      rows.insert(store, unit, row)
      assert(store:write(unit))
      local stopping = task.spawn(worker.stop, worker, 0)
      task.sleep(5)
      hand_over(assert(rows.get(store, row.job_id)))
      assert(stopping:await())
      for _, id in ipairs { busy, row.job_id } do
        local job = rows.get(store, id)
        assert.same({ "available", 0 }, { job.state, job.attempt })
      end
    end)
  end)
end)
