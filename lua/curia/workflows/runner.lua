--- The one door between workflows and what does their steps' work: runs, and who owns them.
local lazy = require "curia.lazy"
local claim = require "curia.recovery.claim"
local errors = require "curia.errors"
local live = require "curia.engine.run"
local node = require "curia.recovery.node"
local resuming = lazy "curia.durable.resume"
local runs = require "curia.engine.runs"
local stored = require "curia.store.runs"

local M = {}

--- Who this process is in the rows of steps.
---@async
---@param store curia.Store
---@return string?
---@return curia.Error?
function M.owner(store)
  local here, err = node.current(store)
  return here and here.incarnation, err
end

--- Whether the process that owns a step may still be at work on it.
---@async
---@param store curia.Store
---@param owner string
---@return boolean? alive
---@return curia.Error?
function M.is_alive(store, owner)
  return node.is_alive(store, owner)
end

-- ---- outcomes ---------------------------------------------------------------------------------------

---@class curia.workflow.Outcome
---@field result? table what later steps see of it
---@field error? curia.Error

local function summary(result)
  local final = result.final or {}
  return {
    run_id = result.run_id, status = result.status, content = final.content, parsed = final.parsed,
    decision = result.decision and { winner = result.decision.winner, ranking = result.decision.ranking,
      margin = result.decision.margin, tie = result.decision.tie },
    cost = result.cost,
  }
end

local function reason_of(result, err)
  local first = err or result and result.errors and result.errors[1]
  if not first then return errors.new("internal", "the run has failed, and nobody knows why") end
  return { kind = first.kind, code = first.code, message = first.message, reason = first.reason, member = first.member }
end

local function outcome_of(result, err)
  if result and (result.status == "ok" or result.status == "partial") then return { result = summary(result) } end
  if not result and err and err.kind == "unknown_run" then
    err = errors.new("terminated", "the run was terminated")
  end
  return { error = reason_of(result, err) }
end

local LIVE = { pending = true, running = true, blocked = true }

local function outcome_of_row(row)
  if LIVE[row.status] then return nil end
  if row.status == "terminated" then return outcome_of(nil, errors.new("terminated", "the run was terminated")) end
  return outcome_of(row.result, row.error)
end

-- ---- runs -------------------------------------------------------------------------------------------

local function options_of(job)
  local opts = { durability = "sync", store = job.store, stack = job.stack, env = job.env }
  for name, value in pairs(job.options) do opts[name] = value end
  opts.run_id, opts.namespace = job.run_id, job.namespace
  return opts
end

-- A copy that this process has lost, or has let go, is none of its runs any more.
local function in_memory(namespace, run_id)
  local run = runs.find(run_id, { namespace = namespace })
  return live.is(run) and run.status ~= "lost" and run or nil
end

-- A run that this process has lost, has let go, or has begun too late has not ended.
local GOES_ON = { lost = true, released = true, goes_on = true }

--- Runs a council for a step: the run of that id, whether it is new or goes on already.
---@async
---@param job {council: curia.Council|string, input: any, run_id: string, namespace: string, options: table} and
--- `stack`, `env`
---@return curia.workflow.Outcome? outcome nil: it goes on elsewhere, or will
function M.run(job)
  local run, err = in_memory(job.namespace, job.run_id), nil
  if not run then run, err = runs.start(job.council, job.input, options_of(job)) end
  if not run then return { error = reason_of(nil, err) } end
  local result, failure = run:await()
  if run.status == "lost" and GOES_ON[failure.code] then return nil end
  return outcome_of(result, failure)
end

local function state_of(store, row)
  local outcome = outcome_of_row(row)
  if outcome then return "ended", outcome end
  if not row.incarnation then return row.status == "blocked" and "live" or "left" end
  return node.is_alive(store, row.incarnation) and "live" or "left"
end

--- What has become of a step's run: it is unknown, goes on, was left by a process that has died, or has ended.
---@async
---@param store curia.Store
---@param namespace string
---@param run_id string
---@return "unknown"|"live"|"left"|"ended"|nil
---@return curia.workflow.Outcome|curia.Error|nil outcome of one that has ended
function M.look(store, namespace, run_id)
  local run = in_memory(namespace, run_id)
  if run and not run.ended then return "live" end
  if run then return "ended", outcome_of(run:result()) end
  local row, err = stored.get(store, namespace, run_id)
  if not row and err.kind == "unknown_run" then return "unknown" end
  if not row then return nil, err end
  return state_of(store, row)
end

local function claimed(store, row)
  local here, err = node.current(store)
  if not here then return nil, err end
  return claim.run(store, row, here)
end

-- The council that a run began with stands in the store, where that is possible.
local function councils_of(row, council)
  if row.spec_hash or type(council) ~= "table" then return nil end
  return { [row.council] = council }
end

--- Goes on with a step's run that a process has left which has died.
---@async
---@param store curia.Store
---@param namespace string
---@param run_id string
---@param council curia.Council|string of the step
---@return boolean? taken false: another was faster, or it has ended
---@return curia.Error?
function M.take_up(store, namespace, run_id, council)
  local row, err = stored.get(store, namespace, run_id)
  if not row then return nil, err end
  if state_of(store, row) ~= "left" then return false end -- whoever has taken it up would lose it
  local won
  won, err = claimed(store, row)
  if not won then return won, err end
  local run
  run, err = resuming.resume(store, row, { councils = councils_of(row, council) })
  if run then return true end
  claim.give_back(store, row, err.kind ~= "storage")
  return nil, err
end

--- Asks a run of this process to end.
---@param namespace string
---@param run_id string
function M.cancel(namespace, run_id)
  runs.cancel(run_id, "the workflow does not need it any more", { namespace = namespace })
end

return M
