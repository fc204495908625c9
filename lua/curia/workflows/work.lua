--- The work of a step: a run of a council, or a call of a function.
local errors = require "curia.errors"
local json = require "curia.json"
local rows = require "curia.workflows.rows"
local task = require "curia.task"
local user_code = require "curia.engine.user_code"

local M = {}

---@class curia.workflow.Job a step that is this process's to do
---@field code table the step in its definition
---@field instance table the workflow's row
---@field attempt integer
---@field run_id string
---@field input any

local function context(job)
  local instance = job.instance
  return { workflow = instance.name, workflow_id = instance.id, namespace = instance.namespace,
    subject = instance.subject, step = job.code.name, attempt = job.attempt, key = job.run_id }
end

local function checked(what, value)
  local _, err = json.encode(value)
  if not err then return { result = value } end
  return { error = errors.new("script", ("%s: its result has no data form: %s"):format(what, err.message)) }
end

local function call(code, ctx, input)
  local what = ("step '%s'"):format(code.name)
  local ok, value, second = user_code.try(what, code.run, ctx, input)
  if not ok then return { error = value } end
  if value == nil and second ~= nil then return { error = user_code.error_of(what, second) } end
  return checked(what, value == nil and {} or value)
end

local function call_within(code, ctx, input)
  if not code.timeout_ms then return call(code, ctx, input) end
  local ok, outcome = task.within(code.timeout_ms, call, code, ctx, input)
  return ok and outcome or { error = outcome }
end

local PARTS = { "kind", "code", "message", "reason", "member" }

-- What users have put into an error need not have a data form.
local function plain_error(err)
  local plain = {}
  for _, name in ipairs(PARTS) do plain[name] = err[name] ~= nil and tostring(err[name]) or nil end
  return plain
end

local function merged(first, second)
  local options = {}
  for name, value in pairs(first or {}) do options[name] = value end
  for name, value in pairs(second or {}) do options[name] = value end
  return options
end

local function run_council(store, runner, job)
  local instance = job.instance
  local options, err = rows.value(store, instance.options)
  if err then return { error = err } end
  return runner.run { store = store, council = job.code.council, input = job.input, run_id = job.run_id,
    namespace = instance.namespace, options = merged(options, job.code.options), stack = instance.source_stack,
    env = instance.source_env }
end

--- Does a step's work.
---@async
---@param store curia.Store
---@param runner table see curia.workflows.runner
---@param job curia.workflow.Job
---@return curia.workflow.Outcome? outcome nil: its run goes on elsewhere, or will
function M.perform(store, runner, job)
  if job.code.council then return run_council(store, runner, job) end
  return call_within(job.code, context(job), job.input)
end

--- What an outcome is to the machine.
---@param name string the step's
---@param attempt integer
---@param run_id string whose outcome it is: recovery may have given the step another run meanwhile
---@param outcome curia.workflow.Outcome
---@return table event
function M.event(name, attempt, run_id, outcome)
  local event = { type = "finished", step = name, attempt = attempt, run_id = run_id, result = outcome.result }
  if outcome.error then event.type, event.error = "failed", plain_error(outcome.error) end
  return event
end

return M
