local cron = require "curia.jobs.cron"
local helper = require "spec.helper"
local rows = require "curia.jobs.rows"
local schedules = require "curia.jobs.schedules"
local support = require "spec.jobs.support"
local task = require "curia.task"

local store

before_each(function() store = support.store() end)
after_each(function() support.close(store) end)

local JOB = {
  namespace = "default", queue = "default", priority = 0, council = "panel", max_attempts = 5, input = "Why?",
}

local function put(text, name)
  assert(schedules.put(store, name or "nightly", assert(cron.parse(text)), JOB))
end

local function stands_at(at)
  assert(store:execute("UPDATE {schedules} SET next_at = ?", at))
end

describe("a schedule", function()
  it("is listed, replaced and taken away", function()
    put("0 3 * * *")
    local entry = schedules.list(store)[1]
    assert.same({ "nightly", "0 3 * * *", "panel" }, { entry.name, entry.cron, entry.job.council })
    assert.equal(cron.parse "0 3 * * *":next(require "curia.core.clock".wall_ms()), entry.next_at)
    stands_at(60000)
    put("0 3 * * *")
    assert.equal(60000, schedules.list(store)[1].next_at)
    put("0 4 * * *")
    assert.is_true(schedules.list(store)[1].next_at > 60000)
    assert.is_true(schedules.remove(store, "nightly"))
    assert.is_false(schedules.remove(store, "nightly"))
    assert.equal(0, #schedules.list(store))
  end)

  it("enqueues a job when it is due, once for all that was missed", function()
    put("* * * * *")
    assert.equal(0, schedules.fire_due(store))
    stands_at(60000)
    assert.equal(1, schedules.fire_due(store))
    assert.equal(0, schedules.fire_due(store))
    local jobs = rows.list(store, {})
    assert.equal(1, #jobs)
    assert.same({ "available", "Why?", 60000 }, { jobs[1].state, jobs[1].input, jobs[1].schedule_at })
    local entry = schedules.list(store)[1]
    assert.same({ 60000, true }, { entry.last_at, entry.next_at > require "curia.core.clock".wall_ms() })
  end)

  it("fires once, however many processes see that it is due", function()
    for i = 1, 5 do put("* * * * *", "s" .. i) end
    stands_at(60000)
    local others, functions = {}, {}
    for i = 1, 4 do
      others[i] = support.again(store)
      functions[i] = function() return assert(schedules.fire_due(others[i])) end
    end
    local counts, failures = helper.run(function() return task.all(functions) end)
    assert.same({}, failures)
    assert.equal(5, counts[1] + counts[2] + counts[3] + counts[4])
    assert.equal(5, #rows.list(store, {}))
    for _, other in ipairs(others) do other:close() end
  end)
end)
