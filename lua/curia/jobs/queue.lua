--- A job's way through its states, as statements for units of work.
--
-- A claim adds one to the fence; whoever settles names the fence that it has claimed, and settles what executes alone.
-- A worker that has lost a job meanwhile, or finds it settled, changes nothing, and the other statements of its unit
-- take effect all the same.
local clock = require "curia.core.clock"
local rows = require "curia.jobs.rows"
local runs = require "curia.store.runs"
local system = require "curia.core.system"

local M = {}

-- A key without a time of its own is free once its job has ended.
local FREE_KEY = "unique_key = CASE WHEN unique_until IS NULL THEN NULL ELSE unique_key END"

local PROMOTE = [[UPDATE {jobs} SET state = 'available', updated_at = ?
  WHERE state IN ('scheduled', 'retryable') AND schedule_at <= ?]]

-- Parked is what executes and belongs to nobody.
local UNPARK = [[UPDATE {jobs} SET state = 'available', attempt = attempt - 1, updated_at = ?
  WHERE state = 'executing' AND incarnation IS NULL AND NOT EXISTS (SELECT 1 FROM {runs}
    WHERE {runs}.namespace = {jobs}.namespace AND {runs}.run_id = {jobs}.run_id AND {runs}.status = 'blocked')]]

--- Adds to a unit: what was to wait until now is available, and so is what was parked and whose run is free to go on.
---@param unit curia.sql.Statement[]
function M.promote(unit)
  local now = clock.wall_ms()
  unit[#unit + 1] = { PROMOTE, now, now }
  unit[#unit + 1] = { UNPARK, now }
end

-- Scope as in recovery: the stack's own and those of none; the environment's alone.
local WAITING = [[FROM {jobs} WHERE state = 'available' AND queue = ?
  AND (source_stack IS NULL OR source_stack = ?) AND source_env IS NOT DISTINCT FROM ?]]

-- By priority, then by age.
local CLAIM = ([[UPDATE {jobs} SET state = 'executing', attempt = attempt + 1, fence = fence + 1, incarnation = ?,
  attempted_at = ?, updated_at = ? WHERE job_id IN (SELECT job_id %s
  ORDER BY priority, schedule_at, job_id LIMIT ?) RETURNING *]]):format(WAITING)

---@class curia.jobs.Claimant
---@field queue string
---@field incarnation string
---@field stack? string
---@field env? string

--- Adds to a unit: up to `limit` jobs are this process's. The statement's rows are theirs, in any order.
---@param unit curia.sql.Statement[]
---@param by curia.jobs.Claimant
---@param limit integer
function M.claim(unit, by, limit)
  local now = clock.wall_ms()
  unit[#unit + 1] = { CLAIM, n = 7, by.incarnation, now, now, by.queue, by.stack, by.env, limit }
end

local PEEK = ("SELECT 1 %s LIMIT 1"):format(WAITING)

--- Whether there is something to claim; it takes no lock.
---@async
---@param store curia.Store
---@param by curia.jobs.Claimant
---@return boolean
function M.peek(store, by)
  local found = store:read { { PEEK, n = 3, by.queue, by.stack, by.env } }
  return found ~= nil and found[1][1] ~= nil
end

--- Whether a claim would take a job that is about to be stored; then its row becomes that of a claimed one.
---@param row table
---@param by curia.jobs.Claimant
---@return boolean
function M.claim_new(row, by)
  local fits = row.state == "available" and row.queue == by.queue and row.source_env == by.env
    and (row.source_stack == nil or row.source_stack == by.stack)
  if not fits then return false end
  row.state, row.incarnation, row.attempted_at = "executing", by.incarnation, row.inserted_at
  row.attempt, row.fence = row.attempt + 1, row.fence + 1
  return true
end

--- Whether a job is to be begun before another.
---@param a curia.Job
---@param b curia.Job
---@return boolean
function M.before(a, b)
  if a.priority ~= b.priority then return a.priority < b.priority end
  if a.schedule_at ~= b.schedule_at then return a.schedule_at < b.schedule_at end
  return a.job_id < b.job_id
end

-- Two that rescue a job of the dead may both name its fence.
local CLAIMED = "WHERE job_id = ? AND fence = ? AND state = 'executing'"

local END = ([[UPDATE {jobs} SET state = ?, errors = coalesce(?, errors), finished_at = ?, incarnation = NULL,
  updated_at = ?, %s %s]]):format(FREE_KEY, CLAIMED)

local RETRY = [[UPDATE {jobs} SET state = 'retryable', errors = ?, schedule_at = ?, incarnation = NULL,
  updated_at = ? ]] .. CLAIMED

local PARK = "UPDATE {jobs} SET incarnation = NULL, updated_at = ? " .. CLAIMED

-- Who has asked for the end of a job that was executing wants no further attempt, and no decision.
local NO_MORE = ([[UPDATE {jobs} SET state = 'cancelled', finished_at = ?, %s
  WHERE job_id = ? AND fence = ? AND cancel_requested IS NOT NULL
  AND (state IN ('available', 'retryable') OR state = 'executing' AND incarnation IS NULL)]]):format(FREE_KEY)

local RELEASE = [[UPDATE {jobs} SET state = 'available', attempt = attempt - 1, incarnation = NULL, fence = fence + 1,
  updated_at = ? ]] .. CLAIMED

local BEGIN_ANEW = [[UPDATE {jobs} SET state = 'available', incarnation = NULL, fence = fence + 1,
  updated_at = ? ]] .. CLAIMED

-- Whoever claims it next would not hear of a request that is older than the claim.
local function free(unit, text, job)
  local now = clock.wall_ms()
  unit[#unit + 1] = { text, now, job.job_id, job.fence }
  unit[#unit + 1] = { NO_MORE, now, job.job_id, job.fence + 1 }
end

local settle = {}

local function ended(store, unit, job, outcome)
  local failures = outcome.error and store:pack(unit, rows.with_error(job, outcome.error)) or nil
  local now = clock.wall_ms()
  unit[#unit + 1] = { END, n = 6, outcome.state, failures, now, now, job.job_id, job.fence }
end

settle.completed, settle.discarded, settle.cancelled = ended, ended, ended

function settle.retryable(store, unit, job, outcome)
  local failures = store:pack(unit, rows.with_error(job, outcome.error))
  local now = clock.wall_ms()
  unit[#unit + 1] = { RETRY, failures, outcome.schedule_at, now, job.job_id, job.fence }
  unit[#unit + 1] = { NO_MORE, now, job.job_id, job.fence }
end

-- It waits with its run for a decision.
function settle.parked(_, unit, job)
  local now = clock.wall_ms()
  unit[#unit + 1] = { PARK, now, job.job_id, job.fence }
  unit[#unit + 1] = { NO_MORE, now, job.job_id, job.fence }
end

-- An attempt that was let go does not count.
function settle.available(_, unit, job)
  free(unit, RELEASE, job)
end

--- Adds to a unit: what came of a claimed job.
---@param store curia.Store
---@param unit curia.sql.Statement[]
---@param job curia.Job
---@param outcome curia.jobs.Outcome
function M.settle(store, unit, job, outcome)
  settle[outcome.state](store, unit, job, outcome)
end

local LET_GO = [[UPDATE {runs} SET owner = NULL, incarnation = NULL WHERE namespace = ? AND run_id = ?
  AND incarnation = ? AND finalized_at IS NULL]]

--- Adds to a unit: the run of a job that this process leaves is anybody's.
---@param unit curia.sql.Statement[]
---@param job curia.Job
function M.let_go_run(unit, job)
  unit[#unit + 1] = { LET_GO, job.namespace, job.run_id, job.incarnation }
end

--- Adds to a unit: a claimed job is available again, and its attempt counts.
---@param unit curia.sql.Statement[]
---@param job curia.Job
function M.begin_anew(unit, job)
  free(unit, BEGIN_ANEW, job)
end

local CANCEL = ([[UPDATE {jobs} SET state = 'cancelled', cancel_requested = ?, finished_at = ?, updated_at = ?, %s
  WHERE job_id = ? AND (state IN ('available', 'scheduled', 'retryable')
    OR state = 'executing' AND incarnation IS NULL)]]):format(FREE_KEY)

local ASK_TO_END = "UPDATE {jobs} SET cancel_requested = ?, updated_at = ? WHERE job_id = ? AND state = 'executing'"

local END_RUN = ([[UPDATE {runs} SET %s WHERE finalized_at IS NULL AND (namespace, run_id) IN
  (SELECT namespace, run_id FROM {jobs} WHERE job_id = ?)]]):format(runs.ASK_TO_END)

--- Adds to a unit: a job, and its run, are to end.
---@param unit curia.sql.Statement[]
---@param job_id string
---@param reason string
function M.cancel(unit, job_id, reason)
  local now = clock.wall_ms()
  unit[#unit + 1] = { CANCEL, reason, now, now, job_id }
  unit[#unit + 1] = { ASK_TO_END, reason, now, job_id }
  unit[#unit + 1] = { END_RUN, reason, job_id }
end

-- One attempt more, at least. A run that was to end is not taken up again.
local AGAIN = [[UPDATE {jobs} SET state = 'available', schedule_at = ?, finished_at = NULL, cancel_requested = NULL,
  run_id = CASE WHEN EXISTS (SELECT 1 FROM {runs} WHERE {runs}.namespace = {jobs}.namespace
    AND {runs}.run_id = {jobs}.run_id AND {runs}.status <> 'completed'
    AND ({runs}.cancel_requested IS NOT NULL OR {runs}.status IN ('cancelled', 'terminated'))) THEN ? ELSE run_id END,
  max_attempts = CASE WHEN max_attempts > attempt THEN max_attempts ELSE attempt + 1 END, updated_at = ?
  WHERE job_id = ? AND state IN ('discarded', 'cancelled', 'retryable', 'scheduled')]]

--- Adds to a unit: a job that waits, has failed or was cancelled is to begin now; with another run, if its own was
--- cancelled.
---@param unit curia.sql.Statement[]
---@param job_id string
function M.again(unit, job_id)
  local now = clock.wall_ms()
  unit[#unit + 1] = { AGAIN, now, system.uuid7(), now, job_id, expect_rows = 1 }
end

--- Adds to a unit: those of a process's jobs that are to end.
---@param unit curia.sql.Statement[]
---@param incarnation string
function M.to_cancel(unit, incarnation)
  unit[#unit + 1] = {
    [[SELECT job_id, cancel_requested FROM {jobs} WHERE state = 'executing' AND incarnation = ?
      AND cancel_requested IS NOT NULL]], incarnation,
  }
end

--- Adds to a unit: when the next job or schedule is due.
---@param unit curia.sql.Statement[]
function M.next_due(unit)
  unit[#unit + 1] = { [[SELECT min(at) AS at FROM (
    SELECT min(schedule_at) AS at FROM {jobs} WHERE state IN ('scheduled', 'retryable')
    UNION ALL SELECT min(next_at) AS at FROM {schedules}) AS due]] }
end

return M
