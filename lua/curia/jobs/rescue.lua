--- Jobs whose process has died. What became of such a job is what became of its run, whose row is the truth: one that
-- has ended settles the job, one that has not is left to recovery, and the job is available again to wait for it.
local errors = require "curia.errors"
local outcomes = require "curia.jobs.outcome"
local queue = require "curia.jobs.queue"
local rows = require "curia.jobs.rows"
local runs = require "curia.store.runs"

local M = {}

local function died(job)
  return errors.new("orphaned", ("job %s: the process that executed it has died"):format(job.job_id))
end

local ENDED = {}

function ENDED.completed()
  return { state = "completed" }
end

function ENDED.cancelled(job, row)
  return { state = "cancelled", error = row.error and errors.wrap(row.error) or died(job) }
end

function ENDED.terminated(job, row)
  return outcomes.of(job, errors.new("terminated", ("run %s was terminated"):format(row.run_id)))
end

function ENDED.failed(job, row)
  return outcomes.of(job, row.error and errors.wrap(row.error) or died(job))
end

-- A run that is on record counts itself how many processes have died of it. One that is not has only its job for that.
local function outcome_of(job, row)
  local ended = row and row.finalized_at and ENDED[row.status]
  if ended then return ended(job, row) end
  if job.cancel_requested and not row then return { state = "cancelled" } end
  if row or job.attempt < job.max_attempts then return { state = "available" } end
  return { state = "discarded", error = died(job) }
end

local ANOTHER = "SELECT 1 FROM {jobs} WHERE job_id = ? AND run_id <> ?"

-- Recovery may have begun the run anew since the job was read, as another one (`recovery.again`), in the unit that has
-- failed the first: the next look finds that one.
local function has_another_run(store, job)
  local found, err = store:query(ANOTHER, job.job_id, job.run_id)
  if not found then return nil, err end
  return found[1] ~= nil
end

local function settle(store, job)
  local row, err = runs.get(store, job.namespace, job.run_id)
  if not row and err.kind ~= "unknown_run" then return nil, err end
  local moved
  moved, err = has_another_run(store, job)
  if moved ~= false then return moved, err end
  local unit, outcome = {}, outcome_of(job, row)
  if outcome.state == "available" and not row then queue.begin_anew(unit, job)
  else queue.settle(store, unit, job, outcome) end
  return store:write(unit)
end

local EXECUTING = "SELECT DISTINCT incarnation FROM {jobs} WHERE state = 'executing' AND incarnation <> ?"

local function of_dead(store, incarnation, is_alive)
  local found, err = store:query(EXECUTING, incarnation)
  if not found then return nil, err end
  local jobs = {}
  for _, owner in ipairs(found) do
    if not is_alive(owner.incarnation) then
      local theirs, problem = store:query("SELECT * FROM {jobs} WHERE state = 'executing' AND incarnation = ?",
        owner.incarnation)
      if not theirs then return nil, problem end
      table.move(theirs, 1, #theirs, #jobs + 1, jobs)
    end
  end
  return rows.all(store, jobs)
end

--- Takes up the jobs of processes that have died.
---@async
---@param store curia.Store
---@param incarnation string this process
---@param is_alive fun(incarnation: string): boolean
---@return integer? how many
---@return curia.Error?
function M.rescue(store, incarnation, is_alive)
  local jobs, err = of_dead(store, incarnation, is_alive)
  if not jobs then return nil, err end
  for _, job in ipairs(jobs) do
    local done, problem = settle(store, job)
    if not done then return nil, problem end
  end
  return #jobs
end

return M
