--- The one door between workflows and what does their steps' work: runs, and who owns them.
local errors = require "curia.errors"
local node = require "curia.recovery.node"
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

--- Runs a council for a step: the run of that id, whether it is new or goes on already.
---@async
---@param job {council: curia.Council|string, input: any, run_id: string, namespace: string, options: table} and
--- `stack`, `env`
---@return curia.workflow.Outcome
function M.run(job)
  local run, err = runs.start(job.council, job.input, options_of(job))
  if not run then return { error = reason_of(nil, err) } end
  return outcome_of(run:await())
end

--- What has become of a step's run: it is unknown, goes on, or has ended.
---@async
---@param store curia.Store
---@param namespace string
---@param run_id string
---@return "unknown"|"live"|"ended"|nil
---@return curia.workflow.Outcome|curia.Error|nil outcome of one that has ended
function M.look(store, namespace, run_id)
  local run = runs.find(run_id, { namespace = namespace })
  if run and not run:result() then return "live" end
  if run then return "ended", outcome_of(run:result()) end
  local row, err = stored.get(store, namespace, run_id)
  if not row and err.kind == "unknown_run" then return "unknown" end
  if not row then return nil, err end
  local outcome = outcome_of_row(row)
  return outcome and "ended" or "live", outcome
end

--- Asks a run of this process to end.
---@param namespace string
---@param run_id string
function M.cancel(namespace, run_id)
  runs.cancel(run_id, "the workflow does not need it any more", { namespace = namespace })
end

return M
