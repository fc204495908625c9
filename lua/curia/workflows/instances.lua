--- Beginnings: the row of a new workflow, and that there is only one.
local clock = require "curia.core.clock"
local equal = require "curia.equal"
local errors = require "curia.errors"
local paths = require "curia.workflows.paths"
local rows = require "curia.workflows.rows"
local scopes = require "curia.workflows.scope"
local tidings = require "curia.workflows.tidings"
local user_code = require "curia.engine.user_code"

local M = {}

local function subject_of(definition, trigger)
  if type(definition.subject) == "function" then
    return user_code.call("subject of workflow " .. definition.name, definition.subject, trigger)
  end
  return paths.resolve(definition.subject, { trigger = trigger })
end

local function find_subject(definition, trigger, opts)
  if opts.subject then return opts.subject end
  local subject, err = subject_of(definition, trigger)
  if err then return nil, err end
  if subject == nil then return nil end
  if type(subject) == "table" then
    return nil, errors.new("validation", ("the subject of workflow '%s' is a table"):format(definition.name),
      { code = "wrong_type" })
  end
  return tostring(subject)
end

--- A workflow's row as it begins.
---@param definition curia.Workflow
---@param trigger any
---@param opts {subject?: string, options?: table, stack?: any, env?: any, source?: string}
---@param key curia.workflow.Key
---@return table? instance
---@return curia.Error? err what the definition's `subject` has raised, or that it is a table
function M.make(definition, trigger, opts, key)
  local subject, err = find_subject(definition, trigger, opts)
  if err then return nil, err end
  local now = clock.wall_ms()
  return {
    namespace = key.namespace, id = key.id, name = definition.name, subject = subject, status = "running",
    source = opts.source, definition_hash = definition.hash, plan = definition.plan, trigger_value = trigger,
    options = opts.options, source_stack = scopes.stamp(opts.stack, "stack"),
    source_env = scopes.stamp(opts.env, "env"), version = 1, started_at = now, updated_at = now,
  }
end

local function in_flight(store, instance)
  if not instance.subject then return nil end
  local found, err = store:query([[SELECT id FROM {workflows} WHERE namespace = ? AND name = ? AND subject = ?
    AND COALESCE(source_stack, '') = ? AND COALESCE(source_env, '') = ? AND status IN ('running', 'blocked')]],
    instance.namespace, instance.name, instance.subject, instance.source_stack or "", instance.source_env or "")
  return found and found[1] and found[1].id, err
end

local function duplicate(instance, other)
  tidings.duplicate(instance, other)
  return nil, errors.new("duplicate_run", ("workflow '%s' is in flight for %s already: %s"):format(instance.name,
    instance.subject, other), { code = "duplicate_in_flight", context = { workflow_id = other } })
end

-- There is one of that id, or one for that subject.
local function refused(store, instance)
  local first, err = rows.load(store, instance)
  if not first and err.kind ~= "unknown_run" then return nil, err end
  if not first then
    local other, problem = in_flight(store, instance)
    if problem then return nil, problem end
    if other then return duplicate(instance, other) end
    return false -- it has ended meanwhile
  end
  local trigger = rows.value(store, first.instance.trigger_value)
  if first.instance.name == instance.name and equal(trigger, instance.trigger_value) then return true end
  return nil, errors.new("duplicate_run", ("there is a workflow %s already, with another name or trigger"):format(
    instance.id))
end

-- One that has been in the way may have ended before it was looked at, so often.
local TRIES = 10

--- Stores a workflow, unless there is one of that id, or one in flight for its subject.
---@async
---@param store curia.Store
---@param instance table
---@return true? stored or there already, with the same name and trigger
---@return curia.Error? err kind `duplicate_run`, code `duplicate_in_flight` for the subject; or `storage`
function M.insert(store, instance)
  local written, err
  for _ = 1, TRIES do
    written, err = store:write(rows.insertion(store, instance, instance.plan))
    if written then
      tidings.tell(instance, { type = "workflow_started", at = instance.started_at, version = 1 })
      return true
    end
    if not rows.is_lost(err) then break end
    local known, problem = refused(store, instance)
    if known ~= false then return known, problem end
  end
  return nil, err
end

return M
