--- All runs of this Lua state: starting, finding, listing; finished ones linger for a while.
local budgets = require "curia.engine.budget"
local check = require "curia.language.check"
local clock = require "curia.core.clock"
local config = require "curia.config"
local council = require "curia.council"
local errors = require "curia.errors"
local language = require "curia.language"
local options = require "curia.engine.options"
local runs = require "curia.engine.run"
local suggest = require "curia.suggest"
local support = require "curia.engine.support"

local M = {}

-- Finished runs beyond this many are let go before their time, oldest first.
local LINGER_MOST = 4096

local known = {}                        -- id -> run
local launched = 0                      -- runs so far
local finished = { first = 1, last = 0 } -- in the order of ending

local function forget_oldest()
  local run = finished[finished.first]
  finished[finished.first] = nil
  finished.first = finished.first + 1
  if known[run.id] == run then known[run.id] = nil end
end

local function reap()
  while finished.first <= finished.last do
    local run = finished[finished.first]
    local crowded = finished.last - finished.first >= LINGER_MOST
    if not crowded and clock.ms() - run.finished_ms < run.config:get("linger_ms") then return end
    forget_oldest()
  end
end

local home = {} -- what runs know of this module

function home.ended(run)
  if run.status == "terminated" then
    if known[run.id] == run then known[run.id] = nil end
    return
  end
  finished.last = finished.last + 1
  finished[finished.last] = run
end

-- ---- starting -------------------------------------------------------------------------------------

local function find_council(given, conf)
  if council.is(given) then return given end
  if type(given) ~= "string" then
    error("bad argument #1 (a council, or the name of a registered one, expected)", 3)
  end
  local found, faults = council.named(given, conf.registry)
  if found then return found end
  if faults then return nil, check.error(given, faults) end
  return nil, errors.new("invalid_council", suggest.message("council", given, conf.registry:list("council")),
    { code = "unknown_council" })
end

local function same(a, b, depth)
  if a == b then return true end
  if type(a) ~= "table" or type(b) ~= "table" or depth > 64 then return false end
  for key, value in pairs(a) do
    if not same(value, b[key], depth + 1) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

-- A second start with the same id: the first run when it is the same question, else an error.
local function duplicate(first, plan, input, opts)
  local equal = opts.idempotent ~= false and same(first.plan.spec, plan.spec, 0) and same(first.input, input, 0)
  if equal then return first end
  return nil, errors.new("duplicate_run",
    ("there is a run %s already, with another council or input"):format(opts.run_id))
end

local function normal_input(input)
  if type(input) == "string" then return { question = input } end
  return input
end

local function watch(run, opts)
  if type(opts.subscribe) == "function" then
    run:subscribe(opts.subscribe)
  elseif opts.subscribe == true then
    run:buffer()
  end
  if opts.verbose then run:trace { debug = opts.verbose == "debug", to = opts.verbose_to } end
end

-- The run's task begins when the caller waits or ends: whoever watches comes before the first event.
local function launch(plan, input, opts, conf, place)
  local run = runs.new(plan, input, opts, conf, home)
  if place.parent then run:join(place.parent, place.member) end
  run:launch(place.owned or opts.owned)
  launched = launched + 1
  run.number = launched
  known[run.id] = run
  watch(run, opts)
  return run
end

local NO_OPTIONS = {}

local function read_options(opts)
  if opts == nil then return NO_OPTIONS end
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
  made, err = find_council(given, conf)
  if not made then return nil, nil, err end
  opts, err = read_options(opts)
  if not opts then return nil, nil, err end
  plan, err = language.plan(made, conf, opts)
  if not plan then return nil, nil, err end
  return plan, opts, support.missing(plan, opts) or budgets.fault(opts, plan, conf:get("prices"))
end

local FREE, OWNED = { owned = false }, { owned = true }

-- `place`: whose run it is.
local function begin(given, input, opts, place)
  local conf = config.shared()
  reap()
  local plan, read, err = M.prepare(given, opts, conf)
  if err then return nil, err end
  input = normal_input(input)
  local first = read.run_id and known[read.run_id]
  if first then return duplicate(first, plan, input, read) end
  return launch(plan, input, read, conf, place)
end

-- Councils in councils: not for ever (SPEC 8).
local DEEPEST = 8

local function inherited(parent, opts)
  local own = {}
  for name, value in pairs(opts or NO_OPTIONS) do own[name] = value end
  if own.offline == nil then own.offline = parent.plan.offline or nil end
  if own.seed == nil then own.seed = parent:dice():bits() & 0x7fffffffffff end
  return own
end

function home.start_nested(parent, given, input, opts, member)
  if (parent.depth or 0) >= DEEPEST then
    return nil, errors.new("invalid_council", ("councils stand deeper than %d in councils"):format(DEEPEST),
      { code = "cycle" })
  end
  return begin(given, input, inherited(parent, opts), { owned = true, parent = parent, member = member })
end

--- Starts a run and returns at once.
---@param given curia.Council|string a council, or the name of a registered one
---@param input any a text (then `{question = text}`), or a table
---@param opts? table options of SPEC 9; an unknown one is an error
---@return curia.Run?
---@return curia.Error? err kinds invalid_council, validation, duplicate_run, unsupported
function M.start(given, input, opts)
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

-- ---- by id ----------------------------------------------------------------------------------------

--- The run with that id, while it lives or lingers.
---@param id string|curia.Run
---@return curia.Run?
---@return curia.Error? err kind unknown_run
function M.find(id)
  if runs.is(id) then return id end
  reap()
  local run = known[id]
  if run then return run end
  return nil, errors.new("unknown_run", "there is no run " .. tostring(id))
end

local FILTER = { status = { type = "string" }, group = { type = "string" }, limit = { type = "integer", min = 0 } }

--- The states of the runs that live or linger, oldest first.
---@param filter? {status?: string, group?: string, limit?: integer}
---@return table[]
function M.list(filter)
  filter = options.read("list", filter, FILTER)
  reap()
  local found = {}
  for _, run in pairs(known) do
    local fits = (not filter.status or run.status == filter.status)
      and (not filter.group or run.opts.group == filter.group)
    if fits then found[#found + 1] = run end
  end
  table.sort(found, function(a, b) return a.number < b.number end)
  local states = {}
  for i = 1, math.min(#found, filter.limit or math.huge) do states[i] = found[i]:state() end
  return states
end

local function by_id(method)
  return function(id, ...)
    local run, err = M.find(id)
    if not run then return nil, err end
    return run[method](run, ...)
  end
end

M.await, M.cancel, M.state = by_id "await", by_id "cancel", by_id "state"
M.result, M.events, M.on_end = by_id "result", by_id "events", by_id "on_end"
M.approve = by_id "approve"

--- Ends a run at once. True in all cases.
---@param id string|curia.Run
---@return true
function M.terminate(id)
  local run = M.find(id)
  return not run or run:terminate()
end

--- Subscribes to a run's events: those that were missed first, then those that follow.
---@param id string|curia.Run
---@param fn fun(event: curia.Event)
---@param opts? {from_seq?: integer, tokens?: boolean}
---@return curia.Subscription? with `stop()`
---@return curia.Error? err kind unknown_run
function M.subscribe(id, fn, opts)
  local run, err = M.find(id)
  if not run then return nil, err end
  return run:subscribe(fn, opts)
end

return M
