--- What bindings/curia.c calls: texts and JSON in, JSON out. C hosts see it as curia.h.
--
-- Every function is called through `call`. It returns true or a text, and a count; false where there is no
-- such run; or nil and an error.
local lazy = require "curia.lazy"
local config = require "curia.config"
local core = require "curia.core.embed"
local errors = require "curia.errors"
local from_data = lazy "curia.language.from_data"
local json = require "curia.json"
local language = require "curia.language"
local runs = require "curia.engine.runs"
local task = require "curia.task"
local user_code = require "curia.engine.user_code"

local M = {}

local ID_MOST = 127 -- CURIA_ID_SIZE, with its zero byte

-- ---- texts --------------------------------------------------------------------------------------

local decode = json.decoder { nulls = false }

local function read(what, text)
  local value, err = decode(text)
  if value ~= nil then return value end
  err.message, err.malformed = ("%s: %s"):format(what, err.message), true
  return nil, err
end

-- An optional object.
local function read_object(what, text)
  if not text then return nil end
  local value, err = read(what, text)
  if err then return nil, err end
  if type(value) == "table" and not json.is_array(value) then return value end
  return nil, errors.new("validation", what .. ": a JSON object is expected")
end

local function written(value)
  local text, err = json.encode(value)
  return text or json.encode { kind = "internal", message = "cannot be written as JSON: " .. err.message }
end

local function described(err)
  local plain = { kind = err.kind, message = err.message, code = err.code }
  return json.encode(err) or json.encode(plain)
end

local function outcome(ok, value, second)
  if ok and value ~= nil then return value, second end
  local err = ok and second or user_code.as_error(value)
  return nil, err.malformed and "json" or err.kind, err.message, described(err)
end

--- Calls a function of this module. Nothing raises but what stops a script.
---@param fn function
---@return boolean|string? value nil: it failed
---@return integer|string? count, or the error's kind (`json`: a text is not JSON)
---@return string? message
---@return string? err the error as JSON
function M.call(fn, ...)
  return outcome(pcall(fn, ...))
end

--- Prepares a state.
---@param text? string keys of the configuration
---@param sandbox boolean
function M.configure(text, sandbox)
  local values, err = read_object("config", text)
  if err then return nil, err end
  if sandbox then require("curia.sandbox").confine() end
  if not values then return true end
  return config.shared():set("call", values)
end

-- ---- councils -----------------------------------------------------------------------------------

-- No Lua text begins with a brace.
local function is_data(text)
  return text:find("^%s*{") or text:find("^\u{FEFF}%s*{")
end

local function made_of(text, chunk, name)
  if is_data(text) then return from_data.council_from(text) end
  return language.load_text(text, "@" .. chunk, name)
end

--- Loads a council and registers it under its name.
---@param text string Lua, or the data form
---@param chunk string
---@param name? string which of several
---@return string? name
---@return curia.Error? err
function M.load(text, chunk, name)
  local council, err = made_of(text, chunk, name)
  if not council then return nil, err end
  local planned
  planned, err = language.plan(council, config.shared(), {})
  if not planned then return nil, err end
  config.shared().registry:register("council", council.name, council)
  return council.name
end

--- The faults of a council.
---@param text string
---@param chunk string
---@return string? faults a JSON array
---@return curia.Error? err where it could not be read at all
function M.validate(text, chunk)
  local council, err = made_of(text, chunk)
  if not council then
    local faults = err.context and err.context.faults
    if faults then return written(json.array(faults)) end
    return nil, err
  end
  local _, faults = language.validate(council)
  return written(json.array(faults or {}))
end

-- ---- watching -----------------------------------------------------------------------------------

local subscriptions = {} -- number -> {stopped, subscription}

local function tell_end(run, watch)
  subscriptions[watch.number] = nil
  if watch.stopped then return end
  local result = run.status ~= "terminated" and run:result() or nil
  core.finish(watch.watcher, run.id, run.status, result and written(result))
end

local function tell_events(run, watch)
  for event in watch.subscription.next, watch.subscription do
    if watch.stopped or run.status == "terminated" then return end
    core.event(watch.watcher, run.id, written(event))
    if core.is_over() then task.sleep(0) end
  end
end

-- The end comes after the last event, also where the runtime closes and this task is cancelled.
local function follow(run, watch)
  local _ <close> = setmetatable({}, { __close = function()
    watch.subscription:stop()
    run:on_end(function() tell_end(run, watch) end)
  end })
  tell_events(run, watch)
end

local function watch_run(run, watcher, number, from_seq)
  if not watcher then return end
  local events, tokens, ends = core.wants(watcher)
  local watch = { watcher = watcher, number = number, stopped = false }
  subscriptions[number] = watch
  if events then
    watch.subscription = select(4, run:events { from_seq = from_seq, tokens = tokens })
    task.spawn_root(follow, run, watch)
  elseif ends then
    run:on_end(function() tell_end(run, watch) end)
  end
end

-- ---- runs ---------------------------------------------------------------------------------------

local function read_input(text)
  local input, err = read("input", text)
  if err or type(input) == "string" or type(input) == "table" and not json.is_array(input) then return input, err end
  return nil, errors.new("validation", "input: a JSON object or string is expected")
end

local function too_long(id)
  return type(id) == "string" and #id > ID_MOST
end

--- Whether there is a run of the id that the options of a start ask for.
---@param text string
---@return boolean
function M.knows(text)
  local opts = read_object("options", text)
  return opts ~= nil and runs.find(opts.run_id) ~= nil
end

--- Starts a run.
---@param council string
---@param input string JSON
---@param options? string JSON
---@param number integer of the subscription
---@param watcher? userdata
---@return string? id
---@return curia.Error? err
function M.start(council, input, options, number, watcher)
  local given, err = read_input(input)
  local opts, run
  if not err then opts, err = read_object("options", options) end
  if err then return nil, err end
  if opts and too_long(opts.run_id) then
    return nil, errors.new("validation", ("options: run_id is longer than %d bytes"):format(ID_MOST))
  end
  run, err = runs.start(council, given, opts)
  if not run then return nil, err end
  watch_run(run, watcher, number, 1)
  return run.id
end

--- Whether there is a run.
---@param id string
function M.has(id)
  return runs.find(id) ~= nil
end

M.cancel, M.terminate, M.approve = runs.cancel, runs.terminate, runs.approve

--- The state of a run.
---@param id string
---@return string? json
---@return curia.Error? err
function M.state(id)
  local state, err = runs.state(id)
  return state and written(state), err
end

--- The result of a run; false: it has none yet.
---@param id string
---@return string|false|nil json
---@return curia.Error? err
function M.result(id)
  local run, err = runs.find(id)
  if not run then return nil, err end
  local result = run:result()
  return result and written(result) or false
end

local function left_of(filter, taken)
  if filter and filter.limit then filter.limit = math.max(0, filter.limit - taken) end
  return filter
end

--- The states of this Lua state's runs.
---@param text? string a filter, as JSON
---@param taken integer how many other states have given
---@return string? items of a JSON array
---@return integer|curia.Error count
function M.list(text, taken)
  local filter, err = read_object("filter", text)
  if err then return nil, err end
  local states = runs.list(left_of(filter, taken))
  return written(json.array(states)):sub(2, -2), #states
end

--- Subscribes to a run.
---@param id string
---@param from_seq integer
---@param number integer
---@param watcher userdata
function M.subscribe(id, from_seq, number, watcher)
  local run, err = runs.find(id)
  if not run then return nil, err end
  watch_run(run, watcher, number, from_seq)
  return true
end

--- Ends a subscription; one that there is not has ended.
---@param number integer
function M.unsubscribe(number)
  local watch = subscriptions[number]
  if not watch then return true end
  watch.stopped = true
  if watch.subscription then watch.subscription:stop() end
  return true
end

return M
