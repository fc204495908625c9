local errors = require "curia.errors"
local support = require "spec.telemetry.support"
local told = require "curia.telemetry.jobs"

local JOB = {
  job_id = "j", namespace = "default", queue = "mail", council = "panel", run_id = "r", attempt = 2, schedule_at = 0,
  attempted_at = 0,
}

local heard

before_each(function() heard = support.listen { "job.enqueue", "job.start", "job.stop", "job.exception" } end)
after_each(function() heard:stop() end)

describe("telemetry of jobs", function()
  it("tells of a job that was enqueued, and that begins", function()
    told.enqueued(JOB)
    told.started(JOB)
    assert.same({ "job.enqueue", 1, "job.start", "mail", "panel", 2 }, {
      heard[1].name, heard[1].measurements.count, heard[2].name, heard[2].metadata.queue, heard[2].metadata.council,
      heard[2].metadata.attempt,
    })
    assert.is_true(heard[2].measurements.waited_us > 0)
  end)

  it("tells of an attempt that has failed before it tells that it has ended", function()
    told.stopped(JOB, { state = "retryable", error = errors.new("transient", "no") })
    assert.same({ "job.exception", "transient", "job.stop", "retryable" },
      { heard[1].name, heard[1].metadata.error.kind, heard[2].name, heard[2].metadata.state })
  end)

  it("tells of one that went well", function()
    told.stopped(JOB, { state = "completed" })
    assert.same({ 1, "job.stop" }, { #heard, heard[1].name })
  end)
end)
