--- Runs the council of a job: the only module of jobs that starts councils.
--
-- A job owns its run. The first attempt starts it; a later one takes the same run up again, so that nothing that was
-- paid for is paid again. A run that goes on elsewhere, or whose process has died, is recovery's: the job waits for it.
local lazy = require "curia.lazy"
local claim = require "curia.recovery.claim"
local errors = require "curia.errors"
local json = require "curia.json"
local live = lazy "curia.engine.run"
local node = lazy "curia.recovery.node"
local resuming = lazy "curia.durable.resume"
local rows = require "curia.store.runs"
local runs = lazy "curia.engine.runs"
local sweeping = lazy "curia.recovery.sweep"
local system = require "curia.core.system"
local task = require "curia.task"
local user_code = require "curia.engine.user_code"

local M = {}

---@class curia.jobs.Runner
---@field run fun(job: curia.Job): any, curia.Error? async; it ends early when its task is cancelled
local Runner = {}
Runner.__index = Runner

local LOOK_AGAIN_MS = 1000

---@class curia.jobs.Doors what a runner needs of the engine and of recovery
---@field start fun(council: curia.Council|string, input: any, opts: table): curia.Run?, curia.Error?
---@field find fun(run_id: string, where: table): curia.Run?
---@field resume fun(store: curia.Store, row: curia.store.RunRow, opts: table): curia.Run?, curia.Error?
---@field current fun(store: curia.Store): curia.Node?, curia.Error?
---@field is_alive fun(store: curia.Store, incarnation: string): boolean
---@field sweep fun(opts: table)
local DOORS = {}

-- Only those of this process: what the store knows of others is looked up here.
function DOORS.find(run_id, where)
  local run = runs.find(run_id, where)
  return live.is(run) and run or nil
end

function DOORS.start(...) return runs.start(...) end
function DOORS.resume(...) return resuming.resume(...) end
function DOORS.current(...) return node.current(...) end
function DOORS.is_alive(...) return node.is_alive(...) end

-- Who is not to take runs up waits for somebody who does, with the runs of its jobs too.
function DOORS.sweep(opts)
  if sweeping.is_enabled() then sweeping.sweep(opts) end
end

-- ---- waiting for a run ----------------------------------------------------------------------------

-- The job's task ends before its run: the job was cancelled, or is left to another process (`job.leaving`), which
-- begins a run anew that is not durable.
local function abandon(guard)
  local run, job = guard.run, guard.job
  if run.ended or job.parked then return end
  if not (job.leaving and run.journal) then run:cancel(job.cancel_requested or "its job has ended")
  elseif run.conductor then run.conductor:drain(true)
  else run:leave_to_others() end
end

local Guard = { __close = abandon }

-- A run that only waits for a decision is nobody's, and its job keeps no slot: it is claimed again when the run is free
-- to go on, here or elsewhere.
local function parks(job, row)
  job.parked = row.status == "blocked" and not row.incarnation
  return job.parked
end

local RUN_OF = "SELECT run_id FROM {jobs} WHERE job_id = ?"

-- Recovery may have begun the run anew, as another one (`recovery.again`), which is the job's from then on.
local function row_of(self, job)
  local row, err = rows.get(self.store, job.namespace, job.run_id)
  if not row or row.status ~= "failed" then return row, err end
  local found, problem = self.store:query(RUN_OF, job.job_id)
  if not found then return nil, problem end
  if not found[1] or found[1].run_id == job.run_id then return row end
  job.run_id = found[1].run_id
  return row_of(self, job)
end

-- Whether nobody has the run: it waits for recovery.
local function is_left(self, row)
  return not row.incarnation or not self.doors.is_alive(self.store, row.incarnation)
end

local function look_after(self, row)
  if not is_left(self, row) then return end
  self.doors.sweep { store = self.store.url, councils = self.councils }
end

local function is_anothers(self, row, run)
  if row.run_id ~= run.id then return true end
  local here = self.doors.current(self.store)
  return row.finalized_at ~= nil or here ~= nil and row.incarnation ~= nil and row.incarnation ~= here.incarnation
end

-- Looks whether a run that waits for a decision here can be parked. The decision may have been taken in the store, and
-- the run with it, by another process.
local function look_at_blocked(self, job, run)
  local row = row_of(self, job)
  if not row then return false end
  if is_anothers(self, row, run) then return run:leave_to_others() end
  if not parks(job, row) then look_after(self, row) end
  return job.parked
end

local function await(self, job, run)
  local _ <close> = setmetatable({ job = job, run = run }, Guard)
  repeat
    local result, err = run:await(LOOK_AGAIN_MS)
    if run.ended then return result, err, run.status == "lost" end
  until run.journal and run.status == "blocked" and look_at_blocked(self, job, run)
end

local function outcome_of(row)
  if row.status == "completed" then return row.result end
  if row.error then return nil, errors.wrap(row.error) end
  local kind = row.status == "cancelled" and "cancelled" or "terminated"
  return nil, errors.new(kind, ("run %s is %s"):format(row.run_id, row.status))
end

local function live_run(self, job)
  local run = self.doors.find(job.run_id, { namespace = job.namespace })
  return run and not run.ended and run or nil
end

local function wait_for(self, job)
  while true do
    local run = live_run(self, job)
    if run then
      local result, err, lost = await(self, job, run)
      if not lost then return result, err end
    end
    local row, err = row_of(self, job)
    if not row then return nil, err end
    if row.finalized_at then return outcome_of(row) end
    if parks(job, row) then return nil end
    look_after(self, row)
    if not live_run(self, job) then task.sleep(LOOK_AGAIN_MS) end
  end
end

-- ---- starting, and taking up ----------------------------------------------------------------------

local function options_of(self, job)
  local opts = { durability = "sync", store = self.store }
  for name, value in pairs(job.options or {}) do opts[name] = value end
  opts.restart = nil
  opts.run_id, opts.job_id, opts.namespace, opts.group = job.run_id, job.job_id, job.namespace, job.group
  opts.metadata = opts.metadata or job.metadata
  opts.deadline_ms = opts.deadline_ms or job.timeout_ms
  opts.stack, opts.env = job.source_stack or json.null, job.source_env or json.null
  return opts
end

local function start(self, job, after)
  local opts = options_of(self, job)
  opts.parent_attempt_run_id = after
  local run, err = self.doors.start(self.councils[job.council] or job.council, job.input, opts)
  if not run then return nil, err end
  local result, problem, lost = await(self, job, run)
  if lost then return wait_for(self, job) end
  return result, problem
end

local NEW_RUN = "UPDATE {jobs} SET run_id = ? WHERE job_id = ? AND fence = ? AND state = 'executing'"

-- Who has lost the job meanwhile begins nothing: nobody would wait for that run.
local function start_anew(self, job)
  local before = job.run_id
  local run_id = system.uuid7()
  local done, err = self.store:write { { NEW_RUN, run_id, job.job_id, job.fence, expect_rows = 1 } }
  if not done then return nil, err end
  job.run_id = run_id
  return start(self, job, before)
end

local CLOSE = [[UPDATE {runs} SET owner = NULL, incarnation = NULL, status = 'failed', finalized_at = ?
  WHERE namespace = ? AND run_id = ? AND fence = ?]]

local function claim_failed(self, row)
  local here, err = self.doors.current(self.store)
  if not here then return nil, err end
  return claim.reopen(self.store, row, here)
end

-- A run that cannot be taken up is what it was.
local function reopen(self, job, row)
  local claimed, err = claim_failed(self, row)
  if claimed == false then return wait_for(self, job) end
  if not claimed then return nil, err end
  local run
  run, err = self.doors.resume(self.store, row, { councils = self.councils, reopen = true })
  if run then return wait_for(self, job) end
  self.store:write { { CLOSE, row.finalized_at, row.namespace, row.run_id, row.fence } }
  return nil, err
end

local function must_restart(job)
  local opts = job.options or {}
  return opts.restart == true or opts.durability == "none"
end

-- A later attempt that is to begin anew does, once the run before it has failed or has left no trace.
local function begins_anew(job, row)
  if job.attempt == 1 or not must_restart(job) then return false end
  return not row or row.finalized_at ~= nil and row.status == "failed"
end

-- A failure that the job has not heard of is this attempt's: recovery had taken the run up, and it has failed there.
local function is_news(job, row)
  local last = job.errors and job.errors[#job.errors]
  return not last or last.at < row.finalized_at
end

local function go_on(self, job, row)
  if not row.finalized_at then return wait_for(self, job) end
  local may_reopen = row.status == "failed" and row.durability ~= "none"
  if may_reopen and not is_news(job, row) then return reopen(self, job, row) end
  return outcome_of(row)
end

--- Sees the run of a job to its end, or until it is `job.parked`.
---@async
---@param job curia.Job
---@return table? result
---@return curia.Error?
function Runner:run(job)
  local row, err = row_of(self, job)
  if not row and err.kind ~= "unknown_run" then return nil, err end
  if begins_anew(job, row) then return start_anew(self, job) end
  if row then return go_on(self, job, row) end
  return start(self, job)
end

--- A runner of councils.
---@param store curia.Store
---@param councils? table<string, curia.Council> known besides those that are registered
---@param doors? curia.jobs.Doors others, for tests
---@return curia.jobs.Runner
function M.of_councils(store, councils, doors)
  return setmetatable({ store = store, councils = councils or {}, doors = doors or DOORS }, Runner)
end

-- ---- runners of functions ---------------------------------------------------------------------------

local Function = {}
Function.__index = Function

function Function:run(job)
  if not job.timeout_ms then return user_code.call("job of " .. job.council, self.fn, job) end
  local ok, result, err = task.within(job.timeout_ms, user_code.call, "job of " .. job.council, self.fn, job)
  if ok then return result, err end
  return nil, user_code.as_error(result)
end

--- A runner that calls a function instead of a council.
---@param fn fun(job: curia.Job): any, curia.Error?
---@return curia.jobs.Runner
function M.of_function(fn)
  return setmetatable({ fn = fn }, Function)
end

return M
