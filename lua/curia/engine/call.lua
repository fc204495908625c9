--- One attempt: one request to a provider, whole or streamed, to a response or a typed error.
local clock = require "curia.core.clock"
local command = require "curia.engine.command"
local cost = require "curia.cost"
local decoder = require "curia.core.decoder"
local errors = require "curia.errors"
local http = require "curia.http"
local json = require "curia.json"
local models = require "curia.data.models"
local redact = require "curia.redact"
local secrets = require "curia.language.secrets"
local task = require "curia.task"

local M = {}

local SILENCE_MS, FIRST_BYTE_STREAMED_MS, FIRST_BYTE_WHOLE_MS = 30000, 60000, 600000
local TOTAL_MS = 20 * 60 * 1000

-- ---- what is known of a provider, fetched once ------------------------------------------------

local configs = setmetatable({}, { __mode = "k" })

local function provider_config(entry)
  local known = configs[entry]
  if known then return known end
  local opts = { runner = command.run }
  local key, err = secrets.resolve(entry, opts)
  if err then return nil, err end
  local headers
  headers, err = secrets.headers(entry, opts)
  if not headers then return nil, err end
  local config = {
    base_url = entry.base_url, api_key = key, headers = headers, name = entry.name, script = entry.script,
  }
  configs[entry] = config
  return config
end

-- A refused key is fetched anew by the next call: it may have been rotated.
local function forget(entry)
  configs[entry] = nil
  secrets.forget(entry)
end

local PATH_FIELDS = { "framing", "text", "reasoning", "whole", "ignore", "when" }
local compiled = setmetatable({}, { __mode = "k" })

local function paths_of(adapter)
  local paths = compiled[adapter]
  if not paths then
    local description = {}
    for _, name in ipairs(PATH_FIELDS) do description[name] = adapter.stream[name] end
    paths = decoder.paths(description)
    compiled[adapter] = paths
  end
  return paths
end

-- ---- errors of the transport --------------------------------------------------------------------

local TRANSPORT_KINDS = {
  ECONNECT = "transient", ERESOLVE = "transient", ERESET = "transient", ECUT = "transient",
  EPROTO = "transient", ECONNTIMEOUT = "timeout", EFIRSTBYTE = "timeout", ESILENCE = "timeout",
  ETOTAL = "timeout", ETLS = "permanent", ETOOBIG = "permanent", ECANCELLED = "cancelled",
}

local function transport_error(failure, config)
  local kind = TRANSPORT_KINDS[failure.code] or "transient"
  return errors.new(kind, ("%s: %s"):format(config.name, failure.message), {
    reason = failure.message, code = failure.code, context = { sent = failure.sent },
  })
end

-- Vendors' texts may echo a key (SPEC 26).
local function cleaned(err, entry)
  err.provider = err.provider or entry.name
  err.message = redact.text(err.message)
  if err.reason then err.reason = redact.text(err.reason) end
  if err.kind == "auth" then forget(entry) end
  return err
end

-- ---- one attempt --------------------------------------------------------------------------------

---@class curia.Attempt what the member's turn sees of an attempt under way
---@field content_seen boolean a byte of the answer has come
---@field exchange? table the HTTP exchange
---@field prices? table the user's own price table
---@field on_delta fun(attempt: curia.Attempt, kind: string, text: string, finish_reason?: string)

local function first_byte_limit(member)
  if member.first_byte_timeout_ms then return member.first_byte_timeout_ms end
  if not member.stream or models.of(member.model).reasoning then return FIRST_BYTE_WHOLE_MS end
  return FIRST_BYTE_STREAMED_MS
end

-- The options of a member's exchanges. The client copies what it is told, so that one table serves
-- them all and only what differs is set anew.
local exchange_options = setmetatable({}, { __mode = "k" })

local function options_of(member)
  local options = exchange_options[member]
  if not options then
    options = {
      url = "", method = "POST", headers = {}, body = "", paths = nil, watch = false,
      first_byte_timeout_ms = first_byte_limit(member),
      silence_timeout_ms = member.timeout_ms or SILENCE_MS,
      total_timeout_ms = member.total_timeout_ms or TOTAL_MS,
    }
    exchange_options[member] = options
  end
  return options
end

local function start(built, member, paths, watch)
  local options = options_of(member)
  options.url, options.headers, options.body = built.url, built.headers, assert(json.encode(built.body))
  options.paths, options.watch = paths, watch
  return http.start(options)
end

local function deliver(attempt, deltas)
  for _, delta in ipairs(deltas) do attempt:on_delta(delta.kind, delta.text) end
end

-- Segments come as kind, value, name, kind, value, name, ...
local function push_segments(attempt, stream, state, segments)
  for i = 1, #segments, 3 do
    local kind, value = segments[i], segments[i + 1]
    local deltas = stream.push(state, kind, value, segments[i + 2] or nil)
    if kind == "text" then
      attempt:on_delta("content", value)
    elseif kind == "reasoning" then
      attempt:on_delta("reasoning", value)
    elseif deltas then
      deliver(attempt, deltas)
    end
  end
end

-- What had come of an answer before its connection failed is kept with the error.
local function with_partial(err, exchange, stream, state)
  local _, cut = stream.finish(state, exchange.status or 0, exchange.headers or {})
  err.context.partial = cut and cut.context and cut.context.partial
  return err
end

local function read_stream(attempt, adapter, request, config)
  local exchange, stream = attempt.exchange, adapter.stream
  local state = stream.start(request)
  local segments, finished, failure
  repeat
    segments, finished, failure = exchange:next()
    if segments then push_segments(attempt, stream, state, segments) end
  until finished
  if failure then return nil, with_partial(transport_error(failure, config), exchange, stream, state) end
  local body = exchange.body
  if body then return adapter.parse(exchange.status, exchange.headers, body, request) end
  return stream.finish(state, exchange.status, exchange.headers)
end

local function read_whole(attempt, adapter, request, config)
  local exchange = attempt.exchange
  local _, _, failure = exchange:next()
  if failure then return nil, transport_error(failure, config) end
  local body = exchange.body or ""
  local response, err = adapter.parse(exchange.status, exchange.headers, body, request)
  if response then response.raw = body end -- as text: a fifth of its tree's memory, for as long as the run stays
  return response, err
end

local function over_http(attempt, member, request, config)
  local adapter = member.adapter
  local built, err = adapter.build(request, config)
  if not built then return nil, err end
  local streamed = request.stream and adapter.stream
  local exchange
  exchange, err = start(built, member, streamed and paths_of(adapter) or nil, attempt.watch)
  if not exchange then return nil, transport_error(err, config) end
  attempt.exchange = exchange
  local guard <close> = exchange -- a cancelled turn aborts its transfer
  local read = streamed and read_stream or read_whole
  local response, failure = read(attempt, adapter, request, config)
  attempt.exchange = nil
  return response, failure
end

local function too_slow(attempt, config, limit_ms)
  local begun = attempt.begun
  return errors.new("timeout", ("%s: %s within %g ms"):format(config.name,
    begun and "no further byte" or "no byte of the answer", limit_ms),
    { code = begun and "ESILENCE" or "EFIRSTBYTE" })
end

-- An adapter without HTTP is held to the same limits as a server: its first byte, then its silences.
local function in_process(attempt, member, request, config)
  local limit_ms, silence_ms = first_byte_limit(member), member.timeout_ms or SILENCE_MS
  local turn
  turn = task.spawn(member.adapter.call, request, config, function(kind, text)
    attempt.begun, limit_ms = true, silence_ms
    turn:deadline(silence_ms)
    attempt:on_delta(kind, text)
  end)
  turn:deadline(limit_ms)
  local ok, response, err = turn:await()
  if ok then return response, err end
  if response.kind == "deadline" then return nil, too_slow(attempt, config, limit_ms) end
  return nil, response
end

local function with_cost(response, member, prices)
  if response.cost == nil then
    response.cost = cost.of(response.usage, response.model or member.model, member.provider_name, prices)
  end
  return response
end

--- One attempt at one request.
---@async
---@param attempt curia.Attempt
---@param member table planned member: provider, adapter, model, limits
---@param request table neutral request
---@return table? response
---@return curia.Error? err
function M.attempt(attempt, member, request)
  local config, err = provider_config(member.provider)
  if not config then return nil, cleaned(err, member.provider) end
  attempt.started_us = clock.us()
  local go = member.adapter.call and in_process or over_http
  local response
  response, err = go(attempt, member, request, config)
  if not response then return nil, cleaned(err, member.provider) end
  return with_cost(response, member, attempt.prices)
end

return M
