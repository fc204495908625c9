--- One attempt: one request to a provider, whole or streamed, to a response or a typed error.
local clock = require "curia.core.clock"
local command = require "curia.engine.command"
local cost = require "curia.cost"
local decoder = require "curia.core.decoder"
local errors = require "curia.errors"
local http = require "curia.http"
local lazy = require "curia.lazy"
local in_process = require "curia.engine.in_process"
local limiter = require "curia.engine.limiter"
local models = require "curia.data.models"
local redact = require "curia.redact"
local secrets = require "curia.language.secrets"
local telemetry = require "curia.telemetry"
local told = lazy "curia.telemetry.requests"
local user_code = require "curia.engine.user_code"

local M = {}

local SILENCE_MS, FIRST_BYTE_STREAMED_MS, FIRST_BYTE_WHOLE_MS = 30000, 60000, 600000
local TOTAL_MS = 20 * 60 * 1000

-- ---- what is known of a provider, fetched once ------------------------------------------------

local known_providers = setmetatable({}, { __mode = "k" }) -- entry -> {config =, gate =}

local function known_provider(entry)
  local known = known_providers[entry]
  if known then return known end
  local opts = { runner = command.run }
  local key, err = secrets.resolve(entry, opts)
  if err then return nil, err end
  local headers
  headers, err = secrets.headers(entry, opts)
  if not headers then return nil, err end
  local config = {
    base_url = entry.base_url, api_key = key, headers = headers, name = entry.name, script = entry.script,
    logprobs = entry.logprobs, idempotency_key = entry.idempotency_key,
  }
  known = { config = config, gate = limiter.of(entry, key) }
  known_providers[entry] = known
  return known
end

-- A refused key is fetched anew by the next call: it may have been rotated.
local function forget(entry)
  known_providers[entry] = nil
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
  err = user_code.error_of("provider " .. entry.name, err)
  err.provider = err.provider or entry.name
  for _, name in ipairs { "message", "reason", "code" } do
    if type(err[name]) == "string" then err[name] = redact.text(err[name]) end
  end
  redact.deep(err.context)
  if err.kind == "auth" then forget(entry) end
  return err
end

-- ---- one attempt --------------------------------------------------------------------------------

---@class curia.Attempt what the member's turn sees of an attempt under way
---@field content_seen? boolean a byte of the answer has come
---@field exchange? table the HTTP exchange
---@field started_us? integer when a streamed one was started
---@field on_delta fun(attempt: curia.Attempt, kind: string, text: string, finish_reason?: string)

local function first_byte_limit(member)
  if member.first_byte_timeout_ms then return member.first_byte_timeout_ms end
  if not member.stream or models.of(member.model).reasoning then return FIRST_BYTE_WHOLE_MS end
  return FIRST_BYTE_STREAMED_MS
end

local function limits_of(member)
  return {
    first_byte_timeout_ms = first_byte_limit(member), silence_timeout_ms = member.timeout_ms or SILENCE_MS,
    total_timeout_ms = member.total_timeout_ms or TOTAL_MS,
  }
end

-- What is the same in all requests of a member is read once, as long as its adapter gives the same
-- URL and headers.
local prepared_requests = setmetatable({}, { __mode = "k" })

local function prepare(member, built)
  local options = limits_of(member)
  options.url, options.headers, options.method = built.url, built.headers, "POST"
  local request = http.prepare(options)
  prepared_requests[member] = { url = built.url, headers = built.headers, request = request }
  return request
end

local function prepared_for(member, built)
  local known = prepared_requests[member]
  if known and known.url == built.url and known.headers == built.headers then return known.request end
  return prepare(member, built)
end

local function start(built, member, paths, watch)
  local exchange, failure = http.send(prepared_for(member, built), built.body, paths, watch)
  if exchange then return exchange end
  if failure.kind == "validation" then
    return nil, errors.new("validation", "the request cannot be written as JSON: " .. failure.message)
  end
  return nil, transport_error(failure, { name = member.provider_name })
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

-- An answer that was no stream after all, an error for instance, has a body.
local function end_of_stream(adapter, exchange, headers, state, request)
  local body = exchange.body
  if body then return adapter.parse(exchange.status, headers, body, request) end
  return adapter.stream.finish(state, exchange.status, headers)
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
  local headers = exchange.headers
  local response, err = end_of_stream(adapter, exchange, headers, state, request)
  return response, err, headers
end

local function read_whole(attempt, adapter, request, config)
  local status, headers, body = http.answer(attempt.exchange)
  if not status then return nil, transport_error(headers, config) end
  local response, err = adapter.parse(status, headers, body, request)
  if response then response.raw = body end -- as text: a fifth of its tree's memory, for as long as the run stays
  return response, err, headers
end

-- A provider that honours it knows a call again that a durable run repeats, since its process has died.
local function with_key(built, attempt, config)
  if not (config.idempotency_key and attempt.idempotency_key) then return built end
  local headers = { ["idempotency-key"] = attempt.idempotency_key }
  for name, value in pairs(built.headers) do headers[name] = value end
  return { url = built.url, body = built.body, headers = headers }
end

-- Gives the headers besides: they tell of the provider's limits.
local function over_http(attempt, member, request, config)
  local adapter = member.adapter
  local built, err = adapter.build(request, config)
  if not built then return nil, err end
  local streamed = request.stream and adapter.stream
  local paths = streamed and paths_of(adapter) or nil
  local exchange, failure = start(with_key(built, attempt, config), member, paths, attempt.watch)
  if not exchange then return nil, failure end
  attempt.exchange = exchange
  if streamed then attempt.started_us = clock.us() end
  local transfer <close> = exchange -- a cancelled turn aborts it
  local read = streamed and read_stream or read_whole
  local response, answered
  response, failure, answered = read(attempt, adapter, request, config)
  attempt.exchange = false
  return response, failure, answered
end

local function inside(attempt, member, request, config)
  local response, err, code, text = in_process.call(attempt, member.adapter, request, config, limits_of(member))
  if code then return nil, transport_error({ code = code, message = text, sent = true }, config) end
  return response, err
end

-- The user's own prices come before the shipped ones.
local function cost_of(response, member, prices)
  local own = prices and cost.of_response(response, member.model, member.provider_name, prices)
  return own or cost.of_response(response, member.model, member.provider_name)
end

-- The cost, and the reason of the end on the last piece of a stream.
local function completed(attempt, response, member, request, prices)
  response.cost = cost_of(response, member, prices)
  if request.stream and attempt.content then attempt:on_delta("content", "", response.finish_reason) end
  return response
end

-- What waits before the gate, or is refused there, is no attempt yet. Only budgets ask an attempt for it.
local function mark_sent(attempt)
  local turn = attempt.turn
  if attempt.counts ~= false then turn.attempts = turn.attempts + 1 end
  if turn.run.budget or attempt.counts == false then attempt.sent = true end
end

--- One attempt at one request, once the gate of its provider's key lets it in.
---@async
---@param attempt curia.Attempt
---@param member table planned member, or one of its fallbacks: provider, adapter, model, limits
---@param request table neutral request
---@param prices? table<string, curia.Price> the user's own
---@return table? response
---@return curia.Error? err
function M.attempt(attempt, member, request, prices)
  local known, err = known_provider(member.provider)
  if not known then
    mark_sent(attempt)
    return nil, cleaned(err, member.provider)
  end
  local gate = known.gate
  local number, refused = gate:enter(attempt.turn.run, request)
  if not number then return nil, refused end
  mark_sent(attempt)
  local guard <close> = gate
  local asked <close> = telemetry.any and told.begin(attempt.turn, member, known.config.base_url, request.messages)
  local go = member.adapter.call and inside or over_http
  local response, headers
  response, err, headers = go(attempt, member, request, known.config)
  if not response then err = cleaned(err, member.provider) end
  if asked then asked:finish(response, err, headers and response and 200) end
  gate:heard(number, err, headers)
  return response and completed(attempt, response, member, request, prices), err
end

return M
