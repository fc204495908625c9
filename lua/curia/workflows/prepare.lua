--- What a step needs before it begins: its input, and perhaps an equal step's result.
local errors = require "curia.errors"
local graph = require "curia.workflows.graph"
local json = require "curia.json"
local paths = require "curia.workflows.paths"
local rows = require "curia.workflows.rows"
local system = require "curia.core.system"
local user_code = require "curia.engine.user_code"

local M = {}

---@class curia.workflow.Prepared
---@field input? any
---@field input_hash? string
---@field result? any of an equal step
---@field reused_from? string "workflow id/step"
---@field error? curia.Error why the step cannot begin

-- Only what stands before a step is shown to it: the same, whichever of the others was faster.
local function prior_of(store, state, name)
  local prior = {}
  for other in pairs(graph.before(state.plan.steps, name)) do
    local value, err = rows.value(store, state.steps[other].result)
    if err then return nil, err end
    prior[other] = value
  end
  return prior
end

local function made_input(code, trigger, prior)
  if code.input == nil then return trigger end
  if type(code.input) ~= "function" then
    return paths.resolve(code.input, { trigger = trigger, prior = prior })
  end
  return user_code.call(("input of step '%s'"):format(code.name), code.input, trigger, prior)
end

local function plain(code, value)
  local _, err = json.encode(value)
  if not err then return value end
  return nil, errors.new("script", ("the input of step '%s' has no data form: %s"):format(code.name, err.message))
end

-- A try after the first has the first one's input.
local function input_of(store, state, code)
  local row = state.steps[code.name]
  if row.input then return rows.value(store, row.input) end
  local trigger, err = rows.value(store, state.instance.trigger_value)
  if err then return nil, err end
  local prior
  prior, err = prior_of(store, state, code.name)
  if not prior then return nil, err end
  local input
  input, err = made_input(code, trigger, prior)
  if err then return nil, err end
  return plain(code, input == nil and {} or input)
end

local function hash_of(state, name, input)
  local instance = state.instance
  return system.sha256(assert(json.encode {
    instance.name, instance.definition_hash, name, instance.subject or json.null, instance.source_stack or json.null,
    instance.source_env or json.null, input,
  }))
end

local function reuse(store, state, code, prepared, now)
  prepared.input_hash = hash_of(state, code.name, prepared.input)
  local row, err = rows.reusable(store, state.instance.namespace, prepared.input_hash, now - code.reuse_ms)
  if not row then return nil, err end
  prepared.result, err = rows.value(store, row.result)
  if not err then prepared.reused_from = row.workflow_id .. "/" .. row.name end
  return nil, err
end

--- Readies a step.
---@async
---@param store curia.Store
---@param state curia.workflow.State
---@param code table the step in its definition
---@param now integer
---@return curia.workflow.Prepared?
---@return curia.Error? err kind `storage`
function M.step(store, state, code, now)
  local input, err = input_of(store, state, code)
  if err and err.kind == "storage" then return nil, err end
  if err then return { error = err } end
  local prepared = { input = input }
  if code.reuse_ms then
    local _, problem = reuse(store, state, code, prepared, now)
    if problem then return nil, problem end
  end
  return prepared
end

return M
