local config = require "curia.config"
local curia = require "curia"
local helper = require "spec.helper"
local json = require "curia.json"
local shared = require "curia.store.shared"
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
