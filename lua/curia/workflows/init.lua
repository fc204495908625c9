--- Workflows: councils, functions and approvals that follow each other, each kept in a store, so that they go on where
--- they were after anything (SPEC 19).
--
--     curia.workflows.register(workflow "release" {
--       step "draft" { council = "panel", input = { question = "trigger.change" } },
--       step "sign"  { approval = true, after = "draft" },
--       step "send"  { run = function(ctx, input) ... end, input = "prior.draft.content", after = "sign" },
--     })
--     local id = curia.workflows.start("release", { change = "..." }).id
--     curia.workflows.approve(id, "sign", true)
local lazy = require "curia.lazy"
local clock = require "curia.core.clock"
local config = require "curia.config"
local definitions = require "curia.workflows.definition"
local engines = require "curia.workflows.engine"
local errors = require "curia.errors"
local fields = require "curia.language.fields"
local instances = require "curia.workflows.instances"
local json = require "curia.json"
local machine = require "curia.workflows.machine"
local options = require "curia.engine.options"
local reconciling = require "curia.workflows.reconcile"
local recovery = lazy "curia.recovery"
local registries = require "curia.registry"
local rows = require "curia.workflows.rows"
local scopes = require "curia.workflows.scope"
local shared = require "curia.store.shared"
local suggest = require "curia.suggest"
local system = require "curia.core.system"
local views = require "curia.workflows.view"
local workflow_fields = require "curia.workflows.fields"
local words = require "curia.workflows.words"

local M = {}

local ANY, NAMESPACE = { type = "any" }, fields.group.namespace
local WHERE = { namespace = NAMESPACE, store = ANY }

local function with(rules)
  for name, rule in pairs(WHERE) do rules[name] = rule end
  return rules
end

-- ---- where ------------------------------------------------------------------------------------------

local function engine_of(opts)
  local store, err = opts.store, nil
  if not store then store, err = shared.configured() end
  return store and engines.of(store), err
end

local function key_of(id, opts)
  return { namespace = opts.namespace or config.shared():get "namespace", id = id }
end

local function check_id(id, method)
  if type(id) ~= "string" then error(("bad argument #1 to '%s' (the id of a workflow expected)"):format(method), 3) end
end

-- ---- definitions --------------------------------------------------------------------------------------

--- `workflow "name" { ... }`, for those who have no words in scope.
---@param name string
---@return fun(body: table): curia.Workflow
function M.workflow(name)
  return words.workflow(function(made) return made end, name)
end

--- `step "name" { ... }`.
M.step = words.step

--- Makes a workflow known to this process: only then it goes on here. What has begun goes on with the shape that it
--- began with, and with the functions of the newest definition.
---@param definition curia.Workflow anything else raises
---@return true?
---@return curia.Error? err kind `validation`, every fault in `context.faults`
function M.register(definition)
  if not definitions.is(definition) then error("bad argument #1 to 'register' (a workflow expected)", 2) end
  local err = definition:fault()
  if err then return nil, err end
  registries.shared():register("workflow", definition.name, definition)
  recovery.after_sweep("workflows", function(opts)
    return M.reconcile { store = opts.store, source_stack = opts.source_stack, source_env = opts.source_env }
  end)
  return true
end

local function definition_of(given)
  if definitions.is(given) then
    local ok, err = M.register(given)
    return ok and given, err
  end
  if type(given) ~= "string" then
    error("bad argument #1 to 'start' (a workflow, or the name of a registered one, expected)", 3)
  end
  local registry = registries.shared()
  local found = registry:lookup("workflow", given)
  if definitions.is(found) then return found end
  return nil, errors.new("validation", suggest.message("workflow", given, registry:list "workflow"),
    { code = "unknown_workflow" })
end

-- ---- starting -----------------------------------------------------------------------------------------

-- With a step's name and an attempt behind it, it is the id of a run.
local LONGEST_ID = 48

local function id_fault(text)
  if #text >= 1 and #text <= LONGEST_ID and not text:find "[/%c]" then return nil end
  return ("must have 1 to %d bytes, none of them '/' or a control character"):format(LONGEST_ID)
end

local START = with {
  id = { type = "string", form = id_fault }, subject = { type = "string", nonempty = true },
  stack = ANY, env = ANY, source = { type = "string" },
  options = { type = "record", fields = workflow_fields.run_options },
}

local function check_trigger(trigger)
  local _, err = json.encode(trigger)
  if err then error(("bad argument #2 to 'start' (the trigger has no data form: %s)"):format(err.message), 3) end
end

--- Begins a workflow and returns when its first steps have begun. The same id with the same name and trigger is the
--- first one.
---@async
---@param given curia.Workflow|string a workflow, or the name of a registered one
---@param trigger? any a JSON value: what the steps' inputs are made of
---@param opts? table `id` (a new UUIDv7), `subject`, `options` of the councils' runs, `namespace`, `stack`, `env`,
--- `source` (the definition's file), `store`
---@return table? workflow as `get` gives it
---@return curia.Error? err kind `duplicate_run`, code `duplicate_in_flight` for the subject; `validation`; `storage`
function M.start(given, trigger, opts)
  opts = options.read("start", opts, START)
  if trigger == nil then trigger = {} end
  check_trigger(trigger)
  local definition, err = definition_of(given)
  if not definition then return nil, err end
  local engine
  engine, err = engine_of(opts)
  if not engine then return nil, err end
  local instance, begun
  instance, err = instances.make(definition, trigger, opts, key_of(opts.id or system.uuid7(), opts))
  if not instance then return nil, err end
  begun, err = instances.insert(engine.store, instance)
  if begun then begun, err = engine:advance(instance) end
  if not begun then return nil, err end
  return M.get(instance.id, { namespace = instance.namespace, store = opts.store })
end

-- ---- looking ------------------------------------------------------------------------------------------

--- A workflow as it stands: `status` (running, blocked, done, failed, cancelled), `steps` in their order, each with
--- `status`, `attempt`, `input`, `result`, `error`; once it is done, `result`: those of its last steps by name.
---@async
---@param id string
---@param where? {namespace?: string, store?: curia.Store}
---@return table?
---@return curia.Error? err kind `unknown_run`, code `unknown_workflow`; or `storage`
function M.get(id, where)
  check_id(id, "get")
  where = options.read("get", where, WHERE)
  local engine, err = engine_of(where)
  if not engine then return nil, err end
  local state
  state, err = rows.load(engine.store, key_of(id, where))
  if not state then return nil, err end
  return views.of(engine.store, state)
end

local STATUSES = { "running", "blocked", "done", "failed", "cancelled" }
local FILTER = with {
  status = { type = "string", enum = STATUSES }, workflow = { type = "string" }, subject = { type = "string" },
  limit = { type = "integer", min = 0 },
}

--- Workflows, newest first, without their steps.
---@async
---@param filter? {status?: string, workflow?: string, subject?: string, limit?: integer} and `namespace`, `store`
---@return table[]?
---@return curia.Error?
function M.list(filter)
  filter = options.read("list", filter, FILTER)
  local engine, err = engine_of(filter)
  if not engine then return nil, err end
  return rows.list(engine.store, { namespace = filter.namespace or config.shared():get "namespace",
    status = filter.status, name = filter.workflow, subject = filter.subject }, filter.limit)
end

-- Those of other processes are looked for that often.
local LOOK_MS = 500
local AWAIT = with { timeout_ms = { type = "duration" } }

-- A step that is at work when another one pauses may still come to its end.
local function is_quiet(state)
  if state.instance.status == "running" then return false end
  for _, row in pairs(state.steps) do
    if row.status == "running" then return false end
  end
  return true
end

--- Waits until a workflow has ended, or is `blocked`, waiting for a human being, with nothing at work.
---@async
---@param id string
---@param opts? {timeout_ms?: number, namespace?: string, store?: curia.Store}
---@return table? workflow as `get` gives it
---@return curia.Error? err kind `timeout`; else as for `get`
function M.await(id, opts)
  check_id(id, "await")
  opts = options.read("await", opts, AWAIT)
  local engine, err = engine_of(opts)
  if not engine then return nil, err end
  local key, ends = key_of(id, opts), clock.ms() + (opts.timeout_ms or math.huge)
  while true do
    local state, problem = rows.load(engine.store, key)
    if not state then return nil, problem end
    if is_quiet(state) then return views.of(engine.store, state) end
    local left = ends - clock.ms()
    if left <= 0 then return nil, errors.new("timeout", ("workflow %s goes on"):format(id)) end
    engine:await_change(key, math.min(left, LOOK_MS))
  end
end

-- ---- acting -------------------------------------------------------------------------------------------

local function act(method, id, where, event)
  check_id(id, method)
  where = options.read(method, where, WHERE)
  local engine, err = engine_of(where)
  if not engine then return nil, err end
  local changed, problem = engine:apply(key_of(id, where), event)
  if changed == nil then return nil, problem end
  return changed, problem, engine, key_of(id, where)
end

-- Whoever does not know the definition leaves the next steps to a process that does. What a dead process has left
-- beside them would hold the workflow up.
local function go_on(engine, key)
  local begun, err = engine:advance(key)
  if not begun and err.code ~= "unknown_workflow" then return nil, err end
  reconciling.one(engine, key)
  return true
end

--- Ends a workflow: what runs is cancelled, what has not begun never will. One that has ended stays as it is.
---@async
---@param id string
---@param reason? string
---@param where? {namespace?: string, store?: curia.Store}
---@return true?
---@return curia.Error? err kind `unknown_run`, or `storage`
function M.cancel(id, reason, where)
  local changed, err = act("cancel", id, where, { type = "cancel", reason = reason })
  if changed == nil then return nil, err end
  return true
end

--- Lets a workflow go on: steps at which it has paused are tried again, those whose process has died are taken over,
--- those that are ready begin.
---@async
---@param id string
---@param where? {namespace?: string, store?: curia.Store}
---@return true?
---@return curia.Error? err kind `validation`, code `not_live`: it has ended
function M.resume(id, where)
  local changed, state, engine, key = act("resume", id, where, { type = "resume" })
  if changed == nil then return nil, state end
  if not changed and not machine.is_live(state.instance.status) then
    return nil, errors.new("validation", ("workflow %s is %s"):format(id, state.instance.status), { code = "not_live" })
  end
  reconciling.one(engine, key)
  return true
end

--- Decides about a step that waits for approval. A refusal is a failure of the step, kind `permanent`, code `refused`.
---@async
---@param id string
---@param step string
---@param decision boolean
---@param note? string
---@param where? {namespace?: string, store?: curia.Store}
---@return true?
---@return curia.Error? err kind `validation`, code `not_pending`
function M.approve(id, step, decision, note, where)
  if type(decision) ~= "boolean" then error("bad argument #3 to 'approve' (true or false expected)", 2) end
  local changed, err, engine, key = act("approve", id, where,
    { type = "decided", step = step, approved = decision, note = note })
  if changed == nil then return nil, err end
  if not changed then
    return nil, errors.new("validation", ("workflow %s: no step '%s' waits for approval"):format(id, tostring(step)),
      { code = "not_pending" })
  end
  return go_on(engine, key)
end

local STOP = { store = ANY }

--- Ends the work on workflows in this process: no step begins, those under way may end for so long. What has not ended
--- by then stays as it stands in the store, for whoever resumes it; the runs are `curia.recovery.release`'s to let go.
---@async
---@param drain_ms? number 0
---@param where? {store?: curia.Store}
---@return true?
---@return curia.Error? err kind `storage`
function M.stop(drain_ms, where)
  local engine, err = engine_of(options.read("stop", where, STOP))
  if not engine then return nil, err end
  engine:drain(drain_ms or 0)
  return true
end

local RECONCILE = {
  source_stack = ANY, source_env = ANY, workflow = { type = "string" }, store = ANY,
}

--- Puts right what lost events have left behind: after a sweep, once the workflows are registered.
---@async
---@param opts? {source_stack?: any, source_env?: any, workflow?: string, store?: curia.Store} absent scopes are those
--- of the configuration; `source_stack = false`: all stacks; `source_env = curia.null`: rows without one
---@return {replayed: integer, started: integer, skipped: integer}?
---@return curia.Error?
function M.reconcile(opts)
  opts = options.read("reconcile_workflows", opts, RECONCILE)
  local engine, err = engine_of(opts)
  if not engine then return nil, err end
  local scope = scopes.of(opts)
  if opts.workflow then
    table.insert(scope.conditions, "name = ?")
    table.insert(scope.values, opts.workflow)
  end
  return reconciling.all(engine, scope)
end

return M
