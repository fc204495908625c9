local errors = require "curia.errors"
local rows = require "curia.jobs.rows"
local support = require "spec.jobs.support"

local store

before_each(function() store = support.store() end)
after_each(function() support.close(store) end)

local function insert(more)
  local unit, row = {}, support.row(more)
  rows.insert(store, unit, row)
  local results = assert(store:write(unit))
  return row, results[#results].changes
end

describe("the row of a job", function()
  it("is read as it was written", function()
    local long = ("long "):rep(500)
    local row = insert {
      input = { question = long }, group_name = "night", options = { seed = 7 }, backoff = { base_ms = 5 },
      metadata = { from = "spec" }, timeout_ms = 100, source_env = "test",
    }
    local job = assert(rows.get(store, row.job_id))
    assert.equal(long, job.input.question)
    assert.same({ "night", 7, 5, "spec", 100, "test" },
      { job.group, job.options.seed, job.backoff.base_ms, job.metadata.from, job.timeout_ms, job.source_env })
    assert.is_nil(job.group_name)
  end)

  it("is told not to be there", function()
    local job, err = rows.get(store, "none")
    assert.is_nil(job)
    assert.same({ "validation", "unknown_job" }, { err.kind, err.code })
  end)

  it("is not inserted while another has its key", function()
    assert.equal(1, select(2, insert { unique_key = "k" }))
    assert.equal(0, select(2, insert { unique_key = "k" }))
    assert.equal(1, select(2, insert { unique_key = "k", namespace = "other" }))
    assert.equal(1, select(2, insert { unique_key = "k", source_stack = "other" }))
    assert.equal(1, select(2, insert { unique_key = "k", source_env = "other" }))
    assert.equal(0, select(2, insert { unique_key = "k", source_env = "other" }))
    assert.equal(1, select(2, insert { unique_key = "l" }))
  end)

  it("gives its key back once the time of that is over", function()
    insert { unique_key = "past", unique_until = 5 }
    insert { unique_key = "to come", unique_until = 9e15 // 1 }
    local unit = {}
    for _, key in ipairs { "past", "to come" } do
      rows.forget_key(unit, support.row { unique_key = key })
      rows.forget_key(unit, support.row { unique_key = key, source_env = "other" })
    end
    assert(store:write(unit))
    assert.equal(1, select(2, insert { unique_key = "past" }))
    assert.equal(0, select(2, insert { unique_key = "to come" }))
  end)
end)

describe("the list of jobs", function()
  it("has the newest first, filtered", function()
    local first, second, third = insert(), insert { queue = "mail" }, insert { council = "jury", group_name = "g" }
    local function ids(filter)
      local found = {}
      for i, job in ipairs(assert(rows.list(store, filter))) do found[i] = job.job_id end
      return found
    end
    assert.same({ third.job_id, second.job_id, first.job_id }, ids {})
    assert.same({ third.job_id }, ids { limit = 1 })
    assert.same({ second.job_id }, ids { queue = "mail" })
    assert.same({ third.job_id }, ids { council = "jury", group = "g", state = "available" })
    assert.same({}, ids { state = "completed" })
  end)
end)

describe("the errors of a job", function()
  it("grow at the end", function()
    local job = { attempt = 1 }
    job.errors = rows.with_error(job, errors.new("transient", "first"))
    job.attempt = 2
    local list = rows.with_error(job, errors.new("auth", "second", { code = "no_key" }))
    assert.equal(1, #job.errors)
    assert.same({ "transient", 1, "auth", "no_key", 2 },
      { list[1].kind, list[1].attempt, list[2].kind, list[2].code, list[2].attempt })
  end)
end)
