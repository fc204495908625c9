--- Watching runs by id and by topic (SPEC 13).
local config = require "curia.config"
local events = require "curia.engine.events"
local fields = require "curia.language.fields"
local namespaces = require "curia.engine.namespace"
local options = require "curia.engine.options"
local run_class = require "curia.engine.run"
local runs = require "curia.engine.runs"
local topics = require "curia.engine.topics"

local M = {}

-- Options of which one says where the run is, and the others are the method's own.
local function split(opts)
  if type(opts) ~= "table" or opts.namespace == nil then return nil, opts end
  local own = {}
  for name, value in pairs(opts) do own[name] = value end
  own.namespace = nil
  return { namespace = opts.namespace }, own
end

--- All events of a run, those that were missed first: `for event in curia.events(id) do ... end`.
---@async
---@param id string|curia.Run
---@param opts? curia.SubscribeOptions and `namespace`
---@return (fun(): curia.Event?)?
---@return curia.Error? err kind unknown_run
function M.events(id, opts)
  local where, own = split(opts)
  local run, err = runs.find(id, where)
  if not run then return nil, err end
  return run:events(own)
end

--- Prints a run's timeline from its beginning; see `verbose`.
---@param id string|curia.Run
---@param opts? {debug?: boolean, to?: function|file*, namespace?: string}
---@return curia.Subscription? with `stop()`
---@return curia.Error? err kind unknown_run
function M.trace(id, opts)
  local where, own = split(opts)
  local run, err = runs.find(id, where)
  if not run then return nil, err end
  return run:trace(own)
end

-- ---- topics ---------------------------------------------------------------------------------------

local WATCH = {
  topic = { type = "string", nonempty = true }, run = { type = "any" }, namespace = fields.group.namespace,
}
for name, rule in pairs(events.OPTIONS) do WATCH[name] = rule end

local OF_RUNS = { "from_seq", "requests", "sub_runs" }

local function misuse(read)
  if (read.topic == nil) == (read.run == nil) then return "one of topic and run is needed" end
  if read.run ~= nil or read.topic:find "^run:" then return nil end
  for _, name in ipairs(OF_RUNS) do
    if read[name] then return name .. " is for the topic of a run" end
  end
end

-- `run` is shared, not copied, as it may be a handle.
local function open(read, run)
  local own = { from_seq = read.from_seq, tokens = read.tokens, requests = read.requests, sub_runs = read.sub_runs }
  if read.topic then
    local namespace = namespaces.of(read.namespace or config.shared():get "namespace")
    return topics.watch(namespace, read.topic, own)
  end
  local found, err = runs.find(run, read.namespace and { namespace = read.namespace })
  if not found then return nil, err end
  return found:watch(own)
end

local function subscribe_to(read, run, fn)
  local subscription, err = open(read, run)
  if not subscription then return nil, err end
  return fn and events.deliver(subscription, fn) or subscription
end

--- Subscribes to a run's events: those that were missed first, then those that follow. Or, with a table in place of
--- the id, to a topic; without a function, the handle is read.
---
---     curia.subscribe(id, fn, { from_seq = 1 })
---     curia.subscribe({ topic = "group:tenant-42" }, fn)
---     local all = curia.subscribe { topic = "all" }   -- for event in all:each() do ... end
---@param what string|curia.Run|table `topic` or `run`; `from_seq`, `tokens`, `requests`, `sub_runs`, `namespace`
---@param fn? fun(event: curia.Event) may wait; when it raises it is reported and detached
---@param opts? curia.SubscribeOptions with an id: and `namespace`
---@return curia.Subscription? with `stop()`, `next()`, `each()`
---@return curia.Error? err kind unknown_run
function M.subscribe(what, fn, opts)
  if type(what) == "table" and not run_class.is(what) then
    if fn ~= nil and type(fn) ~= "function" then error("bad argument #2 to 'subscribe' (function expected)", 2) end
    local read = options.read("subscribe", what, WATCH)
    local fault = misuse(read)
    if fault then error("subscribe: " .. fault, 2) end
    return subscribe_to(read, what.run, fn)
  end
  local where, own = split(opts)
  local run, err = runs.find(what, where)
  if not run then return nil, err end
  return run:subscribe(fn, own)
end

return M
