--- All runs of this Lua state: starting, finding, listing; finished ones linger for a while.
local lazy = require "curia.lazy"
local budgets = require "curia.engine.budget"
local check = require "curia.language.check"
local config = require "curia.config"
local council = require "curia.council"
local durable = lazy "curia.durable"
local equal = require "curia.equal"
local errors = require "curia.errors"
local fields = require "curia.language.fields"
local groups = require "curia.engine.group"
local language = require "curia.language"
local linger = require "curia.engine.linger"
local namespaces = require "curia.engine.namespace"
local options = require "curia.engine.options"
local reading = lazy "curia.recorder.reading"
local recorder = lazy "curia.recorder"
local recorders = require "curia.recorder.choice"
local rosters = require "curia.engine.roster"
local runs = require "curia.engine.run"
local secrets = require "curia.language.secrets"
local sharing = require "curia.registry.sharing"
local suggest = require "curia.suggest"
local task = require "curia.task"
local topics = require "curia.engine.topics"
local versions = lazy "curia.engine.versions"

local M = {}

local launched = 0 -- runs so far
local home = {} -- what runs and groups know of this module

function home.forget(run)
  run.namespace:remove(run)
  if run.group then run.group.known:remove(run) end
end

function home.ended(run)
  if run.group and not run.depth then run.group:ended(run) end
  if run.status == "terminated" then return home.forget(run) end
  linger.keep(run)
end

-- ---- starting -------------------------------------------------------------------------------------

local function find_council(given, conf)
  if council.is(given) then return given end
  if type(given) ~= "string" then
    error("bad argument #1 (a council, or the name of a registered one, expected)", 3)
  end
  local found, faults, message = council.named(given, conf.registry)
  if found then return found end
  if faults then return nil, check.error(given, faults) end
  message = message or suggest.message("council", given, conf.registry:list("council"))
  return nil, errors.new("invalid_council", message, { code = "unknown_council" })
end

-- A second start with the same id: the first run when it is the same question, else an error.
local function duplicate(first, plan, input, opts)
  local same = opts.idempotent ~= false and equal(first.plan.spec, plan.spec) and equal(first.input, input)
  if same then return first end
  return nil, errors.new("duplicate_run",
    ("there is a run %s already, with another council or input"):format(opts.run_id))
end

local function normal_input(input)
  if type(input) == "string" then return { question = input } end
  return input
end

local function watch(run, opts)
  local recorded = recorders.of(run)
  if recorded then recorder.attach(run, recorded) end
  if type(opts.subscribe) == "function" then
    run:subscribe(opts.subscribe)
  elseif opts.subscribe == true then
    run:buffer()
  elseif opts.subscribe then
    opts.subscribe:attach(run)
  end
  if opts.verbose then run:trace { debug = opts.verbose == "debug", to = opts.verbose_to } end
end

local function has_shared(origin)
  if not origin then return nil end
  local opts = origin.row.options
  return opts ~= nil and opts.shares_budget == true
end

-- Where a run stands: in a namespace, in a group, inside of another run.
local function settle_in(run, place)
  if place.parent then run:join(place.parent, place.member)
  elseif place.group then run:enter_group(place.group, has_shared(place.origin)) end
  run.log:publish_on(place.namespace.bus, topics.of_run(run.group, run.opts.relay_topics))
end

local function make_known(run, place)
  launched = launched + 1
  run.number = launched
  run.namespace:add(run)
  if place.group then place.group:add(run) end
end

-- Before anything is stored: a key may have been pasted into the question.
local function learn_keys(plan)
  for _, member in pairs(plan.by_id) do
    if member.provider then secrets.learn(member.provider) end
  end
end

-- The run's task begins when the caller waits or ends: whoever watches comes before the first event.
local function launch(plan, input, opts, conf, place)
  learn_keys(plan)
  local run = runs.new(plan, input, opts, conf, home, place.namespace)
  if place.durable then durable.attach(run, place.durable, place.council, place.origin) end
  settle_in(run, place)
  run:launch(place.owned or opts.owned)
  make_known(run, place)
  watch(run, opts)
  return run
end

-- The council that a start names: of the version that its options name.
local function choose_council(given, opts, conf)
  local made, err = find_council(given, conf)
  local wanted = type(opts) == "table" and opts.council_version
  if not made or type(wanted) ~= "string" then return made, err end
  return versions.choose(made, wanted, conf)
end

local NO_OPTIONS = {}

local function read_options(opts)
  if opts == nil then return NO_OPTIONS end
  if type(opts) ~= "table" then
    return nil, errors.new("validation", ("options: a table is expected, not a %s"):format(type(opts)),
      { code = "wrong_type" })
  end
  local read, faults = language.options(opts)
  if read then return read end
  local more = #faults > 1 and (" (and %d more)"):format(#faults - 1) or ""
  return nil, errors.new("validation", "options: " .. faults[1].message .. more, {
    code = faults[1].code, context = { faults = faults },
  })
end

--- What `start` has to know before it begins: the council's plan and the options, both checked.
---@param given curia.Council|string
---@param opts? table
---@param conf curia.Config
---@return curia.Plan? plan
---@return table? opts
---@return curia.Error? err
function M.prepare(given, opts, conf)
  local made, plan, err
  made, err = choose_council(given, opts, conf)
  if not made then return nil, nil, err end
  opts, err = read_options(opts)
  if not opts then return nil, nil, err end
  plan, err = language.plan(made, conf, opts)
  if not plan then return nil, nil, err end
  return plan, opts, budgets.fault(opts, plan, conf:get("prices"))
end

-- The namespace and the group that the options name. Those of a group that is given as such are the run's.
local function place_of(opts, conf)
  local group = opts.group
  if not groups.is(group) then
    local namespace = namespaces.of(opts.namespace or conf:get "namespace")
    return namespace, group and groups.of(namespace, group, home)
  end
  if not opts.namespace or opts.namespace == group.namespace.name then return group.namespace, group end
  return nil, nil, errors.new("validation", ("options: group: %s is of namespace %s"):format(group.name,
    group.namespace.name), { code = "conflict" })
end

-- A run inside of another belongs where that one does.
local function place_inside(parent, opts)
  if not (opts.group or opts.namespace) then return parent.namespace end
  return nil, nil, errors.new("validation", "options: a run inside of another has the namespace and the group of that",
    { code = "conflict" })
end

local function find_place(read, conf, owner)
  local namespace, group, err
  if owner.parent then namespace, group, err = place_inside(owner.parent, read)
  else namespace, group, err = place_of(read, conf) end
  if err then return nil, err end
  return { namespace = namespace, group = group, owned = owner.owned, parent = owner.parent, member = owner.member }
end

-- A run inside of another is as durable as that one.
local function durability_of(plan, read, place)
  local mode = read.durability or plan.spec.durability
  return not place.parent and mode ~= "none" and mode or nil
end

local function inside_durable(place)
  if place.parent or not task.in_scope() then return nil end
  return errors.new("unsupported", "a durable run starts others by ctx:run, which are part of it")
end

local function refusal(plan, read, conf, place)
  local err = inside_durable(place)
  if err then return err end
  return topics.fault(read.relay_topics) or place.group and place.group:refusal(plan, conf:get "prices")
end

local FREE, OWNED = { owned = false }, { owned = true }

-- What is known of a run that another process has by now, or that this one has taken up again.
local function is_another_copy(first, owner)
  return first.status == "lost" or owner.parent and first.root ~= owner.parent.root
end

-- `owner`: whose run it is.
local function begin(given, input, opts, owner)
  local conf = config.shared()
  linger.reap()
  local made, plan, read, place, err
  made, err = choose_council(given, opts, conf)
  if not made then return nil, err end
  plan, read, err = M.prepare(made, opts, conf)
  if err then return nil, err end
  place, err = find_place(read, conf, owner)
  if not place then return nil, err end
  input = normal_input(input)
  local first = read.run_id and place.namespace.by_id[read.run_id]
  if first and is_another_copy(first, owner) then first:leave_to_others() -- the store knows what became of it
  elseif first then return duplicate(first, plan, input, read) end
  err = refusal(plan, read, conf, place)
  if err then return nil, err end
  place.durable = durability_of(plan, read, place)
  place.council = made
  return launch(plan, input, read, conf, place)
end

--- Goes on with a durable run that another process, or an earlier one, has begun.
---@param made curia.Council
---@param row curia.store.RunRow
---@param opts table options of `start` that it had
---@param origin curia.durable.Origin
---@return curia.Run?
---@return curia.Error?
function M.take_up(made, row, opts, origin)
  sharing.freshen()
  local conf = config.shared()
  local plan, read, err = M.prepare(made, opts, conf)
  if err then return nil, err end
  local place
  place, err = find_place(read, conf, FREE)
  if not place then return nil, err end
  place.durable, place.council, place.origin = row.durability, made, origin
  return launch(plan, row.input, read, conf, place)
end

-- Councils in councils: not for ever (SPEC 8).
local DEEPEST = 8

local function inherited(parent, opts)
  local own = {}
  for name, value in pairs(opts or NO_OPTIONS) do own[name] = value end
  if own.offline == nil then own.offline = parent.plan.offline or nil end
  if own.seed == nil then own.seed = parent:dice():bits() & 0x7fffffffffff end
  if own.run_id == nil and parent.journal then own.run_id = parent.journal:uuid() end
  return own
end

function home.start_nested(parent, given, input, opts, member)
  if (parent.depth or 0) >= DEEPEST then
    return nil, errors.new("invalid_council", ("councils stand deeper than %d in councils"):format(DEEPEST),
      { code = "cycle" })
  end
  return begin(given, input, inherited(parent, opts), { owned = true, parent = parent, member = member })
end

--- Starts a run and returns at once; a task waits where a shared registry has to be read first.
---@param given curia.Council|string a council, or the name of a registered one
---@param input any a text (then `{question = text}`), or a table
---@param opts? table options of SPEC 9; an unknown one is an error
---@return curia.Run?
---@return curia.Error? err kinds invalid_council, validation, duplicate_run, unsupported
function M.start(given, input, opts)
  sharing.freshen()
  return begin(given, input, opts, FREE)
end

--- Starts a run that the caller owns and waits for its result.
---@async
---@param given curia.Council|string
---@param input any
---@param opts? table as for start; `await_timeout` cancels the run when it is over
---@return table? result
---@return curia.Error? err unless the result is ok or partial
function M.run(given, input, opts)
  sharing.freshen()
  local run, err = begin(given, input, opts, OWNED)
  if not run then return nil, err end
  local result
  result, err = run:await(run.opts.await_timeout)
  if not result and err.kind == "timeout" then
    run:cancel("await_timeout is over")
    run:await()
  end
  return result, err
end

--- Runs the council that the configuration names (`default_council`).
---@async
---@param input any
---@param opts? table as for run
---@return table? result
---@return curia.Error? err also kind `invalid_council`, code `missing`
function M.ask(input, opts)
  local given = config.shared():get "default_council"
  if given then return M.run(given, input, opts) end
  return nil, errors.new("invalid_council", "no council was named, and no default_council is configured",
    { code = "missing" })
end

home.start, home.run = M.start, M.run

local function namespace_of(where)
  return namespaces.of(where.namespace or config.shared():get "namespace")
end

local GROUP_NAME = { name = { type = "string", identifier = true } }

--- The group of a name: the same name gives the same group.
---@param name string
---@param opts? {max_runs?: integer, budget?: table, namespace?: string} unknown ones raise
---@return curia.RunGroup?
---@return curia.Error? err kind `validation`: the group was told other options before
function M.group(name, opts)
  if type(name) ~= "string" then error("bad argument #1 to 'group' (a name expected)", 2) end
  options.read("group", { name = name }, GROUP_NAME)
  opts = options.read("group", opts, fields.group)
  return groups.of(namespace_of(opts), name, home):configure(opts)
end

-- ---- by id ----------------------------------------------------------------------------------------

local WHERE = { namespace = fields.group.namespace }

-- Once it has left memory.
function home.stored(id, where)
  return reading.find(id, where.namespace or config.shared():get "namespace")
end

local function look_up(id, where)
  if runs.is(id) then return id end
  linger.reap()
  local run = namespace_of(where).by_id[id]
  if run then return run end
  return home.stored(id, where)
end

--- The run with that id: while it lives or lingers the run itself, then what the store knows of it (async).
---@param id string|curia.Run
---@param where? {namespace?: string} of which tenant; without it the configuration says so
---@return curia.Run?
---@return curia.Error? err kind unknown_run
function M.find(id, where)
  where = options.read("find", where, WHERE)
  return look_up(id, where)
end

local STATUSES = { "pending", "running", "blocked", "completed", "failed", "cancelled", "terminated", "lost" }
local FILTER = {
  status = { type = "string", enum = STATUSES }, group = { type = "string|group" },
  namespace = fields.group.namespace, limit = { type = "integer", min = 0 }, recorded = { type = "boolean" },
}

local NOTHING = rosters.new()

local function roster_of(filter)
  local group = filter.group
  if groups.is(group) then return group.known end
  local namespace = namespace_of(filter)
  if not group then return namespace.runs end
  group = namespace.groups[group]
  return group and group.known or NOTHING
end

local function list_stored(filter)
  local namespace, group = namespace_of(filter).name, filter.group
  if groups.is(group) then namespace, group = group.namespace.name, group.name end
  return reading.list { namespace = namespace, group = group, status = filter.status, limit = filter.limit }
end

--- The states of the runs that live or linger, newest first: the first 50 of many cost what 50 cost. With `recorded`,
--- those of the runs in the store (async).
---@param filter? {status?: string, group?: string|curia.RunGroup, namespace?: string, limit?: integer,
--- recorded?: boolean}
---@return table[]?
---@return curia.Error? err of the store
function M.list(filter)
  filter = options.read("list", filter, FILTER)
  if filter.recorded then return list_stored(filter) end
  linger.reap()
  local states, status, limit = {}, filter.status, filter.limit or math.huge
  for run in roster_of(filter):each() do
    if #states >= limit then break end
    if not status or run.status == status then states[#states + 1] = run:state() end
  end
  return states
end

-- A table at the end says where the run is.
local function by_id(method)
  return function(id, ...)
    local given = table.pack(...)
    local where = given[given.n]
    if type(where) == "table" then given.n = given.n - 1 else where = nil end
    local run, err = look_up(id, options.read(method, where, WHERE))
    if not run then return nil, err end
    return run[method](run, table.unpack(given, 1, given.n))
  end
end

M.await, M.cancel, M.state = by_id "await", by_id "cancel", by_id "state"
M.result, M.on_end, M.approve = by_id "result", by_id "on_end", by_id "approve"

--- Ends a run at once. True in all cases.
---@param id string|curia.Run
---@param where? {namespace?: string}
---@return true
function M.terminate(id, where)
  local run = look_up(id, options.read("terminate", where, WHERE))
  return not run or run:terminate()
end

return M
