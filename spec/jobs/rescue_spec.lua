local errors = require "curia.errors"
local rescuing = require "curia.jobs.rescue"
local rows = require "curia.jobs.rows"
local runs = require "curia.store.runs"
local support = require "spec.jobs.support"

local store

before_each(function() store = support.store() end)
after_each(function() support.close(store) end)

-- A job that a process has left executing, and perhaps its run.
local function left(job, run)
  local unit, row = {}, support.row { state = "executing", attempt = 1, fence = 3 }
  for name, value in pairs(job) do row[name] = value end
  rows.insert(store, unit, row)
  if run then
    local made = {
      namespace = "default", run_id = row.run_id, council = "panel", durability = "sync", attempt = 1, attempts = 1,
      fence = 1, events = 0, incarnation = "dead",
    }
    for name, value in pairs(run) do made[name] = value end
    runs.insert(store, unit, made)
  end
  assert(store:write(unit))
  assert(store:execute("UPDATE {jobs} SET incarnation = ?, cancel_requested = ? WHERE job_id = ?",
    job.incarnation or "dead", job.cancel_requested or require "curia.json".null, row.job_id))
  return row.job_id
end

local function rescue()
  return assert(rescuing.rescue(store, "me", function(incarnation) return incarnation == "alive" end))
end

local function state_after(job, run)
  local id = left(job, run)
  rescue()
  return rows.get(store, id)
end

describe("a job whose process has died", function()
  it("is what its run has become", function()
    assert.equal("completed", state_after({}, { status = "completed", finalized_at = 5 }).state)
    local failed = state_after({}, {
      status = "failed", finalized_at = 5, error = errors.new("quorum", "too few"),
    })
    assert.same({ "retryable", "quorum" }, { failed.state, failed.errors[1].kind })
    assert.equal("discarded", state_after({}, {
      status = "failed", finalized_at = 5, error = errors.new("auth", "no key"),
    }).state)
    assert.equal("cancelled", state_after({}, { status = "cancelled", finalized_at = 5 }).state)
    assert.equal("discarded", state_after({}, { status = "terminated", finalized_at = 5 }).state)
  end)

  it("is left for the next look where its run was begun anew as another one just then", function()
    local id = left({}, { status = "failed", finalized_at = 5, error = errors.new("orphaned", "begun anew") })
    local hasty = setmetatable({ query = function(_, text, ...)
      if text:find "{runs}" then assert(store:execute "UPDATE {jobs} SET run_id = 'anew'") end
      return store:query(text, ...)
    end }, { __index = store })
    assert.equal(1, rescuing.rescue(hasty, "me", function() return false end))
    assert.same({ "executing", "anew" }, { rows.get(store, id).state, rows.get(store, id).run_id })
  end)

  it("waits for a run that goes on, and that attempt does not count", function()
    local job = state_after({ attempt = 5 }, { status = "running" })
    assert.same({ "available", 4 }, { job.state, job.attempt })
    assert.equal("dead", store:query "SELECT incarnation FROM {runs}"[1].incarnation)
  end)

  it("without a run begins anew as long as it has attempts", function()
    local job = state_after {}
    assert.same({ "available", 1 }, { job.state, job.attempt })
    job = state_after { attempt = 5 }
    assert.same({ "discarded", "orphaned" }, { job.state, job.errors[1].kind })
  end)

  it("without a run does not begin when it was to end", function()
    assert.equal("cancelled", state_after({ cancel_requested = "enough" }).state)
  end)
end)

describe("a job whose process lives", function()
  it("is left alone", function()
    left { incarnation = "alive" }
    left { incarnation = "me" }
    assert.equal(0, rescue())
    left {}
    assert.equal(1, rescue())
    assert.equal(0, rescue())
  end)
end)
