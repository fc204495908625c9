--- What an attempt means for its job: done, once more later, or never again.
local clock = require "curia.core.clock"
local system = require "curia.core.system"

local M = {}

---@class curia.jobs.Outcome
---@field state "completed"|"retryable"|"discarded"|"cancelled"|"available"|"parked"
---@field error? curia.Error
---@field schedule_at? integer of `retryable`: when to try again

-- Another attempt asks the same of the same: it would fail as this one has.
local HOPELESS = {
  validation = true, invalid_council = true, auth = true, unsupported = true, duplicate_run = true,
  replay_mismatch = true, budget = true, content_filter = true, poisoned = true, terminated = true,
  unknown_run = true, quota_exhausted = true, permanent = true,
}

local BASE_MS, MAX_MS = 15000, 3600000

--- How long a job waits for its next attempt: doubled with each, and between the half and the whole of that, so that
--- jobs that have failed together do not come back together.
---@param job curia.Job
---@param random? number in [0, 1)
---@return integer ms
function M.delay_ms(job, random)
  local backoff = job.backoff or {}
  local whole = math.min((backoff.base_ms or BASE_MS) * 2.0 ^ (job.attempt - 1), backoff.max_ms or MAX_MS)
  random = random or (system.random_integer() >> 11) / (1 << 53)
  return math.floor(whole * (0.5 + 0.5 * random))
end

-- A council that this process lacks may be known to the next.
local function is_hopeless(err)
  return HOPELESS[err.kind] and err.code ~= "unknown_council"
end

--- The outcome of an attempt.
---@param job curia.Job
---@param err? curia.Error nil: it went well
---@return curia.jobs.Outcome
function M.of(job, err)
  if not err then return { state = "completed" } end
  if err.kind == "cancelled" then return { state = "cancelled", error = err } end
  if is_hopeless(err) or job.attempt >= job.max_attempts then return { state = "discarded", error = err } end
  local wait_ms = math.max(M.delay_ms(job), err.retry_after_ms or 0)
  return { state = "retryable", error = err, schedule_at = clock.wall_ms() + wait_ms }
end

return M
