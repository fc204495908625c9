--- The rows of workflows and of their steps: statements for units of work, and readers.
--
-- Each change of a workflow is one unit that names the version which it was decided on; whoever comes second changes
-- nothing, reads again and decides anew.
local clock = require "curia.core.clock"
local errors = require "curia.errors"
local json = require "curia.json"
local runs = require "curia.store.runs"

local M = {}

---@class curia.workflow.Key
---@field namespace string
---@field id string

local PACKED = { plan = true, trigger_value = true, options = true, input = true, result = true, error = true }

--- Whether an error of a unit says that somebody else was first.
---@param err curia.Error
---@return boolean
function M.is_lost(err)
  return err.kind == "storage" and err.code == "unexpected_rows"
end

-- ---- writing ----------------------------------------------------------------------------------------

local function packed(store, unit, column, value)
  if PACKED[column] and value ~= json.null then return store:pack(unit, value) end
  return value
end

local function sorted(values)
  local names = {}
  for name in pairs(values) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function insert(store, unit, name, row)
  local columns, values = sorted(row), {}
  for i, column in ipairs(columns) do values[i] = packed(store, unit, column, row[column]) end
  unit[#unit + 1] = {
    ("INSERT INTO {%s} (%s) VALUES (?%s) ON CONFLICT DO NOTHING"):format(name, table.concat(columns, ", "),
      (", ?"):rep(#columns - 1)),
    expect_rows = 1, table.unpack(values),
  }
end

--- A unit that begins a workflow. It is undone when there is one of that id, or one in flight for the subject.
---@param store curia.Store
---@param instance table
---@param plan curia.workflow.Plan
---@return curia.sql.Statement[]
function M.insertion(store, instance, plan)
  local unit = {}
  insert(store, unit, "workflows", instance)
  for position, step in ipairs(plan.steps) do
    insert(store, unit, "workflow_steps", { namespace = instance.namespace, workflow_id = instance.id,
      name = step.name, position = position, status = "pending", attempt = 0, version = 1 })
  end
  return unit
end

-- `where` is a list of column and value.
local function update(store, unit, name, changes, where)
  local sets, values = { "version = version + 1" }, {}
  for _, column in ipairs(sorted(changes)) do
    sets[#sets + 1], values[#values + 1] = column .. " = ?", packed(store, unit, column, changes[column])
  end
  local conditions = {}
  for _, pair in ipairs(where) do
    conditions[#conditions + 1], values[#values + 1] = pair[1] .. " = ?", pair[2]
  end
  unit[#unit + 1] = {
    ("UPDATE {%s} SET %s WHERE %s"):format(name, table.concat(sets, ", "), table.concat(conditions, " AND ")),
    expect_rows = 1, table.unpack(values),
  }
end

local ASK_TO_END = ([[UPDATE {runs} SET %s WHERE namespace = ? AND run_id = ?
  AND cancel_requested IS NULL AND status IN ('pending', 'running', 'blocked')]]):format(runs.ASK_TO_END)

local function request_cancel(unit, namespace, run_id)
  unit[#unit + 1] = { ASK_TO_END, "the workflow does not need it any more", namespace, run_id }
end

--- A unit that carries out what the machine has decided on a state, if it still is that state.
---@param store curia.Store
---@param state curia.workflow.State
---@param changes curia.workflow.Changes
---@return curia.sql.Statement[]
function M.update(store, state, changes)
  local unit, instance = {}, state.instance
  local own = { updated_at = clock.wall_ms() }
  for column, value in pairs(changes.instance) do own[column] = value end
  update(store, unit, "workflows", own,
    { { "namespace", instance.namespace }, { "id", instance.id }, { "version", instance.version } })
  for _, name in ipairs(sorted(changes.steps)) do
    update(store, unit, "workflow_steps", changes.steps[name], { { "namespace", instance.namespace },
      { "workflow_id", instance.id }, { "name", name }, { "version", state.steps[name].version } })
  end
  for _, name in ipairs(changes.stop) do request_cancel(unit, instance.namespace, state.steps[name].run_id) end
  return unit
end

local END_ORPHANS = ([[UPDATE {runs} SET %s
  WHERE status IN ('pending', 'running', 'blocked') AND cancel_requested IS NULL AND EXISTS (
    SELECT 1 FROM {workflow_steps} WHERE {workflow_steps}.namespace = {runs}.namespace
      AND {workflow_steps}.run_id = {runs}.run_id AND {workflow_steps}.status = 'cancelled')]]):format(runs.ASK_TO_END)

--- Asks for the end of runs that go on for steps that were cancelled: what a start that came too late leaves behind.
---@async
---@param store curia.Store
---@return curia.sql.Rows?
---@return curia.Error?
function M.cancel_orphans(store)
  return store:execute(END_ORPHANS, "its workflow has ended")
end

-- ---- reading ----------------------------------------------------------------------------------------

--- The value in a column; nil where there is none.
---@async
---@param store curia.Store
---@param bytes string?
---@return any
---@return curia.Error?
function M.value(store, bytes)
  if bytes == nil then return nil end
  return store:unpack(bytes)
end

local function by_name(rows)
  local steps = {}
  for _, row in ipairs(rows) do steps[row.name] = row end
  return steps
end

--- A workflow as it stands; the values of users are left packed, see `value`.
---@async
---@param store curia.Store
---@param key curia.workflow.Key
---@return curia.workflow.State?
---@return curia.Error? err kind `unknown_run`, code `unknown_workflow`; or `storage`
function M.load(store, key)
  local results, err = store:read {
    { "SELECT * FROM {workflows} WHERE namespace = ? AND id = ?", key.namespace, key.id },
    { "SELECT * FROM {workflow_steps} WHERE namespace = ? AND workflow_id = ?", key.namespace, key.id },
  }
  if not results then return nil, err end
  local instance = results[1][1]
  if not instance then
    return nil, errors.new("unknown_run", "there is no workflow " .. key.id, { code = "unknown_workflow" })
  end
  local plan
  plan, err = store:unpack(instance.plan)
  if not plan then return nil, err end
  return { instance = instance, steps = by_name(results[2]), plan = plan }
end

local function conditions_of(filter)
  local texts, values = {}, {}
  for _, column in ipairs(sorted(filter)) do
    texts[#texts + 1], values[#values + 1] = column .. " = ?", filter[column]
  end
  return texts, values
end

--- Workflows, newest first.
---@async
---@param store curia.Store
---@param filter table<string, any> by column
---@param limit? integer
---@return table[]? rows without what they hold packed
---@return curia.Error?
function M.list(store, filter, limit)
  local texts, values = conditions_of(filter)
  values[#values + 1] = limit or math.maxinteger
  return store:query(([[SELECT namespace, id, name, subject, status, source, definition_hash, source_stack, source_env,
    version, started_at, updated_at, finished_at FROM {workflows} WHERE %s ORDER BY started_at DESC, id DESC LIMIT ?]])
    :format(table.concat(texts, " AND ")), table.unpack(values))
end

--- The keys of those that go on and are in scope, oldest first.
---@async
---@param store curia.Store
---@param scope {conditions: string[], values: any[]}
---@return curia.workflow.Key[]?
---@return curia.Error?
function M.live(store, scope)
  local texts = { "status IN ('running', 'blocked')", table.unpack(scope.conditions) }
  return store:query(("SELECT namespace, id, name FROM {workflows} WHERE %s ORDER BY started_at"):format(
    table.concat(texts, " AND ")), table.unpack(scope.values))
end

--- The newest result of an equal step; one that was itself taken again does not count.
---@async
---@param store curia.Store
---@param namespace string
---@param input_hash string
---@param since integer Unix ms
---@return table? row `workflow_id`, `name`, `result`; nil where there is none
---@return curia.Error?
function M.reusable(store, namespace, input_hash, since)
  local rows, err = store:query([[SELECT workflow_id, name, result FROM {workflow_steps} WHERE namespace = ?
    AND input_hash = ? AND status = 'done' AND reused_from IS NULL AND finished_at >= ?
    ORDER BY finished_at DESC LIMIT 1]], namespace, input_hash, since)
  return rows and rows[1], err
end

return M
