local clock = require "curia.core.clock"
local errors = require "curia.errors"
local helper = require "spec.helper"
local json = require "curia.json"
local queue = require "curia.jobs.queue"
local rows = require "curia.jobs.rows"
local support = require "spec.jobs.support"
local task = require "curia.task"

local store

before_each(function() store = support.store() end)
after_each(function() support.close(store) end)

local function insert(more)
  local unit, row = {}, support.row(more)
  rows.insert(store, unit, row)
  assert(store:write(unit))
  return row.job_id
end

local function claim(limit, by)
  by = by or {}
  by.queue, by.incarnation = by.queue or "default", by.incarnation or "me"
  local unit = {}
  queue.claim(unit, by, limit or 10)
  local jobs = assert(rows.all(store, assert((by.store or store):write(unit))[1]))
  table.sort(jobs, queue.before)
  return jobs
end

local function ids(jobs)
  local list = {}
  for i, job in ipairs(jobs) do list[i] = job.job_id end
  return list
end

local function write(fn, ...)
  local unit = {}
  fn(unit, ...)
  return store:write(unit)
end

local function settle(job, outcome)
  local unit = {}
  queue.settle(store, unit, job, outcome)
  assert(store:write(unit))
  return rows.get(store, job.job_id)
end

describe("a claim", function()
  it("takes what is available, by priority, then by age", function()
    local late = insert { schedule_at = 9 }
    local early = insert { schedule_at = 3 }
    local urgent = insert { schedule_at = 9, priority = -1 }
    insert { priority = 5 }
    insert { queue = "other" }
    insert { state = "completed" }
    local jobs = claim(3)
    assert.same({ urgent, early, late }, ids(jobs))
    assert.same({ "executing", 1, 1, "me" },
      { jobs[1].state, jobs[1].attempt, jobs[1].fence, jobs[1].incarnation })
    assert.equal(1, #claim())
    assert.equal(0, #claim())
  end)

  it("takes what is of its scope", function()
    local nobodys = insert()
    local blue = insert { source_stack = "blue" }
    local test = insert { source_env = "test" }
    insert { source_stack = "green" }
    assert.same({ test }, ids(claim(10, { env = "test" })))
    assert.same({ nobodys, blue }, ids(claim(10, { stack = "blue" })))
  end)

  it("gives each job to one process of several", function()
    for _ = 1, 60 do insert() end
    local others, functions = {}, {}
    for i = 1, 4 do
      others[i] = support.again(store)
      functions[i] = function()
        local mine = {}
        repeat
          local jobs = claim(3, { incarnation = "p" .. i, store = others[i] })
          for _, job in ipairs(jobs) do mine[#mine + 1] = job.job_id end
        until #jobs == 0
        return mine
      end
    end
    local taken, failures = helper.run(function() return task.all(functions) end)
    assert.same({}, failures)
    local seen, count = {}, 0
    for _, list in ipairs(taken) do
      for _, id in ipairs(list) do
        assert.is_nil(seen[id])
        seen[id], count = true, count + 1
      end
    end
    assert.equal(60, count)
    for _, other in ipairs(others) do other:close() end
  end)
end)

describe("a peek", function()
  it("sees what a claim would take", function()
    local by = { queue = "default", incarnation = "me", env = "test" }
    insert()
    insert { state = "scheduled", source_env = "test" }
    assert.is_false(queue.peek(store, by))
    insert { source_env = "test" }
    assert.is_true(queue.peek(store, by))
  end)
end)

describe("the claim of a job that is not stored yet", function()
  it("takes what a claim in the store would", function()
    local by = { queue = "default", incarnation = "me", stack = "blue" }
    local row = support.row { source_stack = "blue" }
    assert.is_true(queue.claim_new(row, by))
    assert.same({ "executing", "me", 1, 1 }, { row.state, row.incarnation, row.attempt, row.fence })
    for _, other in ipairs {
      { state = "scheduled" }, { queue = "mail" }, { source_stack = "green" }, { source_env = "test" },
    } do
      row = support.row(other)
      assert.is_false(queue.claim_new(row, by))
      assert.is_nil(row.incarnation)
    end
  end)

  it("settles as any other", function()
    local row, unit = support.row(), {}
    queue.claim_new(row, { queue = "default", incarnation = "me" })
    rows.insert(store, unit, row)
    assert(store:write(unit))
    assert.equal("completed", settle(rows.get(store, row.job_id), { state = "completed" }).state)
  end)
end)

describe("what was to wait", function()
  it("becomes available when its time has come", function()
    local due, future = insert { state = "scheduled" }, insert { state = "retryable", schedule_at = 9e15 // 1 }
    local again = insert { state = "retryable" }
    assert(write(queue.promote))
    assert.same({ due, again }, ids(claim()))
    assert.equal("retryable", rows.get(store, future).state)
    assert.equal(9e15 // 1, store:query("SELECT min(schedule_at) AS at FROM {jobs} WHERE state = 'retryable'")[1].at)
    assert.equal(9e15 // 1, write(queue.next_due)[1][1].at)
  end)
end)

describe("settling", function()
  local failed = errors.new("transient", "it broke")

  it("ends a job and frees its key", function()
    insert { unique_key = "k" }
    local job = settle(claim()[1], { state = "completed" })
    assert.equal("completed", job.state)
    assert.is_nil(job.unique_key)
    assert.is_nil(job.incarnation)
    assert.is_true(math.abs(job.finished_at - clock.wall_ms()) < 5000)
  end)

  it("keeps a key that has a time of its own", function()
    insert { unique_key = "k", unique_until = 9e15 // 1 }
    assert.equal("k", settle(claim()[1], { state = "discarded", error = failed }).unique_key)
  end)

  it("keeps the errors of all attempts", function()
    insert()
    local job = settle(claim()[1], { state = "retryable", error = failed, schedule_at = 5 })
    assert.same({ "retryable", 5, 1 }, { job.state, job.schedule_at, #job.errors })
    assert(write(queue.promote))
    job = settle(claim()[1], { state = "discarded", error = failed })
    assert.same({ "discarded", 2, 2 }, { job.state, #job.errors, job.errors[2].attempt })
  end)

  it("does nothing to a job that another has claimed meanwhile, and all else of its unit takes effect", function()
    insert()
    insert()
    local jobs, unit = claim(), {}
    assert(store:execute("UPDATE {jobs} SET fence = fence + 1 WHERE job_id = ?", jobs[1].job_id))
    for _, job in ipairs(jobs) do queue.settle(store, unit, job, { state = "completed" }) end
    assert(store:write(unit))
    assert.equal("executing", rows.get(store, jobs[1].job_id).state)
    assert.equal("completed", rows.get(store, jobs[2].job_id).state)
  end)

  it("does nothing to a job that another has settled with the same claim: two may rescue one of the dead", function()
    for _, outcome in ipairs {
      { state = "available" }, { state = "retryable", error = failed, schedule_at = 5 }, { state = "parked" },
      { state = "discarded", error = failed },
    } do
      insert()
      local job = claim()[1]
      settle(job, { state = "completed" })
      assert.equal("completed", settle(job, outcome).state)
      assert(write(queue.begin_anew, job))
      assert.equal("completed", rows.get(store, job.job_id).state)
    end
  end)

  it("counts no attempt that was let go", function()
    insert()
    local first = claim()[1]
    local job = settle(first, { state = "available" })
    assert.same({ "available", 0 }, { job.state, job.attempt })
    assert.equal("available", settle(first, { state = "completed" }).state)
  end)
end)

describe("a parked job", function()
  local id, job

  local function set_run(status, incarnation)
    assert(store:execute("UPDATE {runs} SET status = ?, incarnation = ?", status, incarnation or json.null))
  end

  before_each(function()
    id = insert { run_id = "r1" }
    local unit = {}
    require "curia.store.runs".insert(store, unit, {
      namespace = "default", run_id = "r1", council = "panel", status = "blocked", durability = "sync", attempt = 1,
      attempts = 1, fence = 1, events = 0,
    })
    assert(store:write(unit))
    job = settle(claim()[1], { state = "parked" })
  end)

  it("is nobody's, and waits as long as its run", function()
    assert.same({ "executing", 1 }, { job.state, job.attempt })
    assert.is_nil(job.incarnation)
    assert(write(queue.promote))
    assert.equal(0, #claim())
    set_run("running", "another")
    assert(write(queue.promote))
    local again = claim()[1]
    assert.same({ id, 1, 2 }, { again.job_id, again.attempt, again.fence })
  end)

  it("is cancelled at once, and its run is free to be taken up and ended", function()
    assert(write(queue.cancel, id, "enough"))
    assert.equal("cancelled", rows.get(store, id).state)
    assert.same({ status = "pending", cancel_requested = "enough" },
      store:query "SELECT status, cancel_requested FROM {runs}"[1])
  end)

  it("ends when that was asked for just before", function()
    set_run "running"
    assert(write(queue.promote))
    job = claim()[1]
    assert(write(queue.cancel, id, "enough"))
    set_run "blocked"
    job = settle(job, { state = "parked" })
    assert.same({ "cancelled", "enough" }, { job.state, job.cancel_requested })
  end)
end)

describe("cancelling", function()
  it("ends what has not begun", function()
    local id = insert { state = "scheduled", unique_key = "k" }
    assert(write(queue.cancel, id, "enough"))
    local job = rows.get(store, id)
    assert.same({ "cancelled", "enough" }, { job.state, job.cancel_requested })
    assert.is_nil(job.unique_key)
  end)

  it("asks for the end of what executes, which is then not tried again", function()
    local id = insert()
    local job = claim()[1]
    assert(write(queue.cancel, id, "enough"))
    assert.equal("executing", rows.get(store, id).state)
    assert.same({ { job_id = id, cancel_requested = "enough" } },
      { table.unpack(write(queue.to_cancel, "me")[1]) })
    job = settle(job, { state = "retryable", error = errors.new("transient", "it broke"), schedule_at = 5 })
    assert.equal("cancelled", job.state)
    assert.is_truthy(job.finished_at)
  end)

  it("ends what was given back after that was asked for, whether or not the attempt counts", function()
    for _, give_back in ipairs {
      function(unit, job) queue.settle(store, unit, job, { state = "available" }) end, queue.begin_anew,
    } do
      local id = insert { unique_key = "k" }
      local job = claim()[1]
      assert(write(queue.cancel, id, "enough"))
      assert(write(give_back, job))
      job = rows.get(store, id)
      assert.same({ "cancelled", "enough" }, { job.state, job.cancel_requested })
      assert.is_nil(job.unique_key)
      assert.equal(0, #claim())
    end
  end)

  it("is stored with the run, for whoever has it", function()
    local unit, id = {}, insert { run_id = "r1" }
    require "curia.store.runs".insert(store, unit, {
      namespace = "default", run_id = "r1", council = "panel", status = "running", durability = "sync", attempt = 1,
      attempts = 1, fence = 1, events = 0,
    })
    queue.cancel(unit, id, "enough")
    assert(store:write(unit))
    assert.equal("enough", store:query "SELECT cancel_requested FROM {runs}"[1].cancel_requested)
  end)
end)

describe("once more", function()
  local function insert_run(run_id, status, asked)
    local unit = {}
    require "curia.store.runs".insert(store, unit, {
      namespace = "default", run_id = run_id, council = "panel", status = status, durability = "sync", attempt = 1,
      attempts = 1, fence = 1, events = 0, cancel_requested = asked or nil,
    })
    assert(store:write(unit))
  end

  it("is available at once, with an attempt left", function()
    local id = insert { state = "discarded", attempt = 5 }
    assert(write(queue.again, id))
    local job = claim()[1]
    assert.same({ id, 6, 6 }, { job.job_id, job.attempt, job.max_attempts })
  end)

  it("has another run where its own was cancelled, or is about to be", function()
    for status, asked in pairs { cancelled = false, terminated = false, running = "enough", failed = "enough" } do
      local id = insert { state = "cancelled", run_id = "run-" .. status }
      insert_run("run-" .. status, status, asked)
      assert(write(queue.again, id))
      assert.not_equal("run-" .. status, rows.get(store, id).run_id)
    end
  end)

  it("has its own run else", function()
    for status, asked in pairs { failed = false, running = false, completed = "enough" } do
      local id = insert { state = "discarded", run_id = "run-" .. status }
      insert_run("run-" .. status, status, asked)
      assert(write(queue.again, id))
      assert.equal("run-" .. status, rows.get(store, id).run_id)
    end
  end)

  it("is nothing for a job that goes on or is done", function()
    local id = insert { state = "completed" }
    local done, err = write(queue.again, id)
    assert.is_nil(done)
    assert.equal("unexpected_rows", err.code)
  end)
end)
