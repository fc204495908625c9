--- What people see of a stored workflow.
local graph = require "curia.workflows.graph"
local rows = require "curia.workflows.rows"

local M = {}

local STEP_PLAIN = { "name", "status", "attempt", "run_id", "owner", "reused_from", "retry_at", "started_at",
  "finished_at" }
local PLAIN = { "id", "name", "namespace", "subject", "status", "source", "definition_hash", "source_stack",
  "source_env", "version", "started_at", "updated_at", "finished_at" }

local function copied(row, names)
  local made = {}
  for _, name in ipairs(names) do made[name] = row[name] end
  return made
end

local function unpack_into(store, made, row, names)
  for name, column in pairs(names) do
    local value, err = rows.value(store, row[column])
    if err then return nil, err end
    made[name] = value
  end
  return made
end

local function step_view(store, row, plan)
  local made = copied(row, STEP_PLAIN)
  made.kind, made.after = plan.kind, plan.after
  return unpack_into(store, made, row, { input = "input", result = "result", error = "error" })
end

local function results_of(state, steps)
  local results = {}
  for _, name in ipairs(graph.last(state.plan.steps)) do
    for _, step in ipairs(steps) do
      if step.name == name then results[name] = step.result end
    end
  end
  return results
end

--- A workflow as `curia.workflows.get` gives it.
---@async
---@param store curia.Store
---@param state curia.workflow.State
---@return table?
---@return curia.Error?
function M.of(store, state)
  local row = state.instance
  local made, err = unpack_into(store, copied(row, PLAIN), row,
    { trigger = "trigger_value", options = "options", error = "error" })
  if not made then return nil, err end
  made.steps = {}
  for i, plan in ipairs(state.plan.steps) do
    made.steps[i], err = step_view(store, state.steps[plan.name], plan)
    if err then return nil, err end
  end
  if row.status == "done" then made.result = results_of(state, made.steps) end
  return made
end

return M
