--- Telemetry of jobs.
local clock = require "curia.core.clock"
local telemetry = require "curia.telemetry"

local M = {}

local on, emit = telemetry.on, telemetry.emit

local function of_job(job)
  return {
    job_id = job.job_id, namespace = job.namespace, queue = job.queue, council = job.council, run_id = job.run_id,
    group = job.group, attempt = job.attempt,
  }
end

--- A job was enqueued.
---@param job curia.Job
function M.enqueued(job)
  if on["job.enqueue"] then emit("job.enqueue", { count = 1 }, of_job(job)) end
end

--- An attempt begins.
---@param job curia.Job
function M.started(job)
  if not on["job.start"] then return end
  emit("job.start", { waited_us = math.max(0, clock.wall_ms() - job.schedule_at) * 1000 // 1 }, of_job(job))
end

--- An attempt has ended.
---@param job curia.Job
---@param outcome curia.jobs.Outcome
function M.stopped(job, outcome)
  local measured = { duration_us = math.max(0, clock.wall_ms() - job.attempted_at) * 1000 // 1 }
  if outcome.error and on["job.exception"] then
    local metadata = of_job(job)
    metadata.error = outcome.error
    emit("job.exception", measured, metadata)
  end
  if not on["job.stop"] then return end
  local metadata = of_job(job)
  metadata.state = outcome.state
  emit("job.stop", measured, metadata)
end

return M
