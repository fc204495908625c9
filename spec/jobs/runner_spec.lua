local errors = require "curia.errors"
local helper = require "spec.helper"
local rows = require "curia.jobs.rows"
local runners = require "curia.jobs.runner"
local runs = require "curia.store.runs"
local support = require "spec.jobs.support"
local task = require "curia.task"

local store, doors, started, resumed, swept

-- A run that stands still until `finish`.
local function fake_run(run_id)
  local run = { id = run_id, ended = false, status = "running", journal = {}, done = task.signal() }
  function run:await(timeout_ms)
    if not self.ended and not self.done:wait(timeout_ms) then return nil, errors.new("timeout", "it goes on") end
    return self.outcome, self.failure
  end
  function run:finish(status, outcome, failure)
    self.ended, self.status, self.outcome, self.failure = true, status, outcome, failure
    self.done:notify()
  end
  function run:cancel(reason) self.cancelled = reason end
  function run:leave_to_others()
    self.left = true
    if self.status == "blocked" then self:finish("lost", nil, errors.new("storage", "lost")) end
  end
  return run
end

before_each(function()
  store = support.store()
  started, resumed, swept = {}, {}, 0
  doors = {
    start = function(council, input, opts)
      local run = fake_run(opts.run_id)
      run.council, run.input, run.opts = council, input, opts
      started[#started + 1] = run
      return run
    end,
    find = function(run_id)
      for _, list in ipairs { started, resumed } do
        for _, run in ipairs(list) do
          if run.id == run_id then return run end
        end
      end
    end,
    resume = function(_, row, opts)
      local run = fake_run(row.run_id)
      run.row, run.opts = row, opts
      resumed[#resumed + 1] = run
      return run
    end,
    current = function() return { node_id = "here", incarnation = "me" } end,
    is_alive = function(_, incarnation) return incarnation == "alive" end,
    sweep = function() swept = swept + 1 end,
  }
end)
after_each(function() support.close(store) end)

local function job_of(more)
  local unit, row = {}, support.row(more)
  row.state = "executing"
  rows.insert(store, unit, row)
  assert(store:write(unit))
  local job = assert(rows.get(store, row.job_id))
  job.attempt = more and more.attempt or 1
  if job.attempt > 1 then job.errors = { { at = 6, attempt = job.attempt - 1, kind = "transient" } } end
  return job
end

local function run_row(job, more)
  local unit, row = {}, {
    namespace = "default", run_id = job.run_id, council = "panel", durability = "sync", attempt = 1, attempts = 1,
    fence = 4, events = 0, status = "failed", finalized_at = 5,
  }
  for name, value in pairs(more or {}) do row[name] = value end
  if more and more.open then row.open, row.finalized_at = nil, nil end
  runs.insert(store, unit, row)
  assert(store:write(unit))
end

-- Runs a job in a task, and `during` beside it; gives what came of the job.
local function run(job, during, councils)
  local runner = runners.of_councils(store, councils, doors)
  return helper.virtual(function()
    local running = task.spawn(runner.run, runner, job)
    task.sleep(5)
    if during then during(running) end
    local ok, result, err = running:await()
    if ok then return result, err end
    return nil, result
  end)
end

describe("the first attempt of a job", function()
  it("starts its run, durable, under the id of the job", function()
    local job = job_of {
      timeout_ms = 900, group_name = "g", metadata = { from = "spec" }, options = { seed = 7 }, source_env = "test",
    }
    local result = run(job, function() started[1]:finish("completed", { status = "ok" }) end)
    assert.same({ status = "ok" }, result)
    local opts = started[1].opts
    assert.same({ "panel", "Why?", job.run_id, job.job_id, "sync", 900, "g", 7, "spec", "test" }, {
      started[1].council, started[1].input.question, opts.run_id, opts.job_id, opts.durability, opts.deadline_ms,
      opts.group, opts.seed, opts.metadata.from, opts.env,
    })
  end)

  it("takes a council that its worker was given", function()
    local panel = { name = "panel" }
    run(job_of(), function() started[1]:finish("completed", {}) end, { panel = panel })
    assert.equal(panel, started[1].council)
  end)

  it("gives the error of a run that fails, or cannot start", function()
    local err = errors.new("quorum", "too few")
    assert.same({ n = 2, nil, err }, table.pack(run(job_of(), function() started[1]:finish("failed", nil, err) end)))
    doors.start = function() return nil, err end
    assert.equal(err, select(2, run(job_of())))
  end)
end)

describe("a later attempt", function()
  it("takes the run up that has failed, under a new fence", function()
    local job = job_of { attempt = 2 }
    run_row(job)
    local result = run(job, function()
      local row = runs.get(store, "default", job.run_id)
      assert.same({ "running", 5, "me" }, { row.status, row.fence, row.incarnation })
      assert.is_nil(row.finalized_at)
      assert.same({ 5, "me", true }, { resumed[1].row.fence, resumed[1].row.incarnation, resumed[1].opts.reopen })
      resumed[1]:finish("completed", { status = "ok" })
    end)
    assert.same({ status = "ok" }, result)
    assert.equal(0, #started)
  end)

  it("fails with a failure that the job has not heard of: the run had ended elsewhere, once it was taken up", function()
    for attempt = 1, 2 do
      local job = job_of { attempt = attempt }
      run_row(job, { finalized_at = 7, error = { kind = "auth", message = "no" } })
      assert.equal("auth", select(2, run(job)).kind)
      assert.equal(0, #resumed)
    end
  end)

  it("leaves the run as it was when it cannot be taken up", function()
    local job = job_of { attempt = 2 }
    run_row(job)
    doors.resume = function() return nil, errors.new("invalid_council", "who?", { code = "unknown_council" }) end
    assert.equal("unknown_council", select(2, run(job)).code)
    local row = runs.get(store, "default", job.run_id)
    assert.same({ "failed", 5 }, { row.status, row.finalized_at })
    assert.is_nil(row.incarnation)
  end)

  it("starts another run when the job says so, or the run is not durable", function()
    for _, options in ipairs { { restart = true }, { durability = "none" } } do
      local job = job_of { attempt = 2, options = options }
      local before = job.run_id
      run(job, function() started[#started]:finish("completed", {}) end)
      local opts = started[#started].opts
      assert.not_equal(before, opts.run_id)
      assert.same({ before, options.durability or "sync" }, { opts.parent_attempt_run_id, opts.durability })
      assert.is_nil(opts.restart)
    end
  end)

  it("starts nothing once the job is another's, or is settled", function()
    for _, change in ipairs { "fence = fence + 1", "state = 'retryable'" } do
      local job = job_of { attempt = 2, options = { restart = true } }
      assert(store:execute(("UPDATE {jobs} SET %s WHERE job_id = ?"):format(change), job.job_id))
      local _, err = run(job, function()
        for _, needless in ipairs(started) do needless:finish("completed", {}) end
      end)
      assert.same({ "unexpected_rows", job.run_id, 0 }, { err and err.code, rows.get(store, job.job_id).run_id, #started })
    end
  end)

  it("waits for the run before it, which may go on yet", function()
    local job = job_of { attempt = 1, options = { restart = true } }
    run_row(job, { status = "running", incarnation = "alive", open = true })
    run(job, function()
      assert(store:execute("UPDATE {runs} SET status = 'completed', finalized_at = 9 WHERE run_id = ?", job.run_id))
    end)
    assert.equal(0, #started)
  end)

  it("is what a run has become that has ended meanwhile", function()
    local job = job_of { attempt = 2 }
    run_row(job, { status = "completed", result = { status = "ok" } })
    assert.same({ status = "ok" }, run(job))
    for status, kind in pairs { cancelled = "cancelled", terminated = "terminated" } do
      job = job_of()
      run_row(job, { status = status })
      assert.equal(kind, select(2, run(job)).kind)
    end
    assert.equal(0, #started + #resumed)
  end)
end)

describe("a job whose run goes on", function()
  local function finish_row(job)
    assert(store:execute("UPDATE {runs} SET status = 'completed', finalized_at = 9 WHERE run_id = ?", job.run_id))
  end

  it("in another process is waited for", function()
    local job = job_of()
    run_row(job, { status = "running", incarnation = "alive", open = true })
    local _, err = run(job, function() finish_row(job) end)
    assert.is_nil(err)
    assert.same({ 0, 0 }, { swept, #started })
  end)

  it("in nobody's hands is left to recovery", function()
    local job = job_of()
    run_row(job, { status = "running", incarnation = "dead", open = true })
    run(job, function() finish_row(job) end)
    assert.is_true(swept > 0)
    assert.equal(0, #started)
  end)

  -- As recovery does it: in one unit the run has failed, and the job has another.
  local function begin_anew(job, more)
    local before = job.run_id
    assert(store:execute("UPDATE {runs} SET status = 'failed', finalized_at = 8 WHERE run_id = ?", before))
    run_row({ run_id = "anew" }, more)
    assert(store:execute "UPDATE {jobs} SET run_id = 'anew'")
  end

  it("is followed when it is begun anew as another", function()
    local job = job_of()
    run_row(job, { status = "running", incarnation = "dead", open = true })
    doors.sweep = function() begin_anew(job, { status = "completed", result = { status = "ok" } }) end
    assert.same({ status = "ok" }, run(job))
    assert.equal("anew", job.run_id)
  end)

  it("is let go here when another process begins it anew", function()
    local job = job_of()
    local _, err = run(job, function()
      run_row(job, { status = "blocked", incarnation = "me", open = true })
      started[1].status = "blocked"
      task.sleep(2000)
      assert.is_nil(started[1].left)
      begin_anew(job, { status = "running", incarnation = "me", open = true })
      task.sleep(2000)
      assert.is_true(started[1].left)
      assert(store:execute "UPDATE {runs} SET status = 'completed', finalized_at = 9 WHERE run_id = 'anew'")
    end)
    assert.is_nil(err)
  end)

  it("is waited for when it is lost to another process", function()
    local job = job_of()
    run(job, function()
      run_row(job, { status = "completed", result = { status = "ok" } })
      started[1]:finish("lost", nil, errors.new("storage", "lost"))
    end)
    assert.equal(1, #started)
  end)
end)

describe("a job whose run waits for a decision", function()
  it("is parked once nobody has the run, and leaves it as it is", function()
    local job = job_of()
    assert.is_nil(run(job, function()
      run_row(job, { status = "blocked", incarnation = "me", open = true })
      started[1].status = "blocked"
      task.sleep(3000)
      assert.is_falsy(job.parked) -- other calls of it go on
      assert(store:execute "UPDATE {runs} SET incarnation = NULL")
    end))
    assert.is_true(job.parked)
    assert.is_nil(started[1].cancelled)
  end)

  it("is parked at once when it is claimed too early", function()
    local job = job_of()
    run_row(job, { status = "blocked", open = true })
    run(job)
    assert.is_true(job.parked)
    assert.same({ 0, 0 }, { swept, #started })
  end)

  it("is left to recovery when its process has died with more to do", function()
    local job = job_of()
    run_row(job, { status = "blocked", incarnation = "dead", open = true })
    run(job, function()
      assert.is_falsy(job.parked)
      assert(store:execute "UPDATE {runs} SET status = 'completed', finalized_at = 9")
    end)
    assert.is_true(swept > 0)
  end)

  it("hears of a decision that was taken in the store, whoever goes on with the run", function()
    local job = job_of()
    run(job, function()
      run_row(job, { status = "running", open = true })
      started[1].status = "blocked"
      task.sleep(2000)
      assert.is_true(swept > 0)
      assert.is_nil(started[1].left)
      assert(store:execute "UPDATE {runs} SET incarnation = 'alive'")
      task.sleep(2000)
      assert.is_true(started[1].left)
      assert(store:execute "UPDATE {runs} SET status = 'completed', finalized_at = 9")
    end)
    assert.is_falsy(job.parked)
  end)

  it("keeps its slot when nobody else could go on with the run", function()
    local job = job_of { options = { durability = "none" } }
    run(job, function()
      started[1].status, started[1].journal = "blocked", nil
      run_row(job, { status = "blocked", open = true, durability = "none" })
      task.sleep(3000)
      assert.is_falsy(job.parked)
      started[1]:finish("completed", { status = "ok" })
    end)
  end)
end)

describe("a job that is cancelled", function()
  it("cancels its run", function()
    local job = job_of()
    job.cancel_requested = "enough"
    local _, err = run(job, function(running) running:cancel "enough" end)
    assert.equal("cancelled", err.kind)
    assert.equal("enough", started[1].cancelled)
  end)

  it("leaves its run to others when its worker stops", function()
    local job = job_of()
    job.leaving = true
    run(job, function(running) running:cancel "the worker stops" end)
    assert.is_true(started[1].left)
    assert.is_nil(started[1].cancelled)
  end)

  it("leaves a run that goes on already to be let go in order", function()
    local job, how = job_of(), nil
    job.leaving = true
    run(job, function(running)
      started[1].conductor = { drain = function(_, at_once) how = at_once end }
      running:cancel "the worker stops"
    end)
    assert.is_true(how)
    assert.is_nil(started[1].left)
  end)

  it("ends a run that is not durable, as nobody can go on with it", function()
    local job = job_of { options = { durability = "none" } }
    job.leaving = true
    run(job, function(running)
      started[1].journal = nil
      running:cancel "the worker stops"
    end)
    assert.is_truthy(started[1].cancelled)
  end)
end)

describe("a runner of a function", function()
  it("calls it with the job, and ends it when its time is over", function()
    local job = job_of { timeout_ms = 5 }
    local quick = runners.of_function(function(given) return given.job_id end)
    assert.equal(job.job_id, helper.virtual(function() return quick:run(job) end))
    local slow = runners.of_function(function() task.sleep(60000) end)
    local _, err = helper.virtual(function() return slow:run(job) end)
    assert.equal("deadline", err.kind)
    local faulty = runners.of_function(function() error "oops" end)
    _, err = helper.virtual(function() return faulty:run(job) end)
    assert.matches("oops", err.message)
  end)
end)
