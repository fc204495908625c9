--- Runs recorded exchanges through the adapters: the body whole, cut into single bytes, cut in two at
-- many places, and with every event handed on whole. All outcomes of one exchange must be equal.
local decoder = require "curia.core.decoder"
local json = require "curia.json"
local task = require "curia.task"

local M = {}

-- The watchdog stops what holds the loop for long; after so many bytes the loop gets its turn.
local BREATH = 1 << 20
local since_breath = 0

local function breathe(bytes)
  since_breath = since_breath + bytes
  if since_breath < BREATH then return end
  since_breath = 0
  task.sleep(0)
end

-- Bodies up to `every_byte` bytes are cut in two at each of them; bigger ones within `head` and `tail`
-- bytes of their ends, and at `random` places between. All are also fed byte by byte.
M.limits = { every_byte = 4096, head = 1024, tail = 512, random = 48 }

local ADAPTERS = {
  { "^ollama%.chat$", "ollama" },
  { "^openrouter%.chat$", "openrouter" },
  { "^cohere%.chat$", nil },
  { "%.openai_chat$", "openai_chat" },
  { "%.chat$", "openai_chat" },
  { "%.responses$", "openai_responses" },
  { "^anthropic%.messages$", "anthropic" },
  { "^gemini%.generate$", "gemini" },
  { "^vertex%.generate$", "gemini" },
}

--- The adapter that an exchange is for, by its api; where a file holds another protocol than its name
-- says, the path of the request tells.
---@param exchange table
---@return table|nil
function M.adapter_of(exchange)
  local api, path = exchange.api or "", exchange.request and exchange.request.path or ""
  if api:find("^ollama") and path:find("/api/chat", 1, true) then return require "curia.adapters.ollama" end
  for _, entry in ipairs(ADAPTERS) do
    if api:find(entry[1]) then return entry[2] and require("curia.adapters." .. entry[2]) end
  end
end

local function lower_names(headers)
  local lower = {}
  for name, value in pairs(headers or {}) do lower[name:lower()] = value end
  return lower
end

--- Whether the answer is a stream: one JSON document never is, and neither is an answer of failure.
---@param status integer
---@param headers table lower-case names
---@param body string
---@param request_body table
---@return boolean
function M.is_stream(status, headers, body, request_body)
  if status < 200 or status > 299 or json.decode(body) ~= nil then return false end
  local content_type = headers["content-type"] or ""
  if content_type:find("event-stream", 1, true) or content_type:find("ndjson", 1, true) then return true end
  if body:find("^%s*<") then return false end
  return request_body.stream == true or body:find("^%a*:") ~= nil or body:find("^%b{}\r?\n") ~= nil
end

local function push_all(adapter, state, segments, count)
  local push = adapter.stream.push
  for i = 1, count * 3, 3 do push(state, segments[i], segments[i + 1], segments[i + 2] or nil) end
end

local function read_stream(case, paths, chunks)
  local adapter, state, d = case.adapter, case.adapter.stream.start(case.request), decoder.new(paths)
  for _, chunk in ipairs(chunks) do
    assert(d:feed(chunk))
    push_all(adapter, state, d:take())
  end
  assert(d:finish())
  push_all(adapter, state, d:take())
  return adapter.stream.finish(state, case.status, case.headers)
end

--- The exchange as the adapter sees it; nil where no adapter is meant.
---@param exchange table
---@return table|nil case
function M.case(exchange)
  local adapter = M.adapter_of(exchange)
  if not adapter then return nil end
  local response, body = exchange.response, exchange.response.body or ""
  local headers = lower_names(response.headers)
  local asked = type(exchange.request.body) == "table" and exchange.request.body or {}
  local status = response.status or 200
  local stream = M.is_stream(status, headers, body, asked)
  return {
    exchange = exchange, adapter = adapter, status = status, headers = headers, body = body, stream = stream,
    request = { model = asked.model, messages = {}, stream = stream },
  }
end

--- The outcome of a case, read in one piece.
---@param case table from `M.case`
---@return table|nil response, curia.Error|nil err
function M.outcome(case)
  if not case.stream then return case.adapter.parse(case.status, case.headers, case.body, case.request) end
  return read_stream(case, decoder.paths(case.adapter.stream), { case.body })
end

local function call_record(call)
  return {
    id = not call.made_id and call.id or nil, name = call.name,
    arguments = call.arguments or call.raw,
  }
end

--- An outcome as plain data, for `--dump` and for comparing.
---@param id string
---@param response table|nil
---@param err curia.Error|nil
---@return table
function M.record(id, response, err)
  if not response then
    return {
      id = id, outcome = "error",
      error = { kind = err.kind, message = err.message, status = err.status, retry_after_ms = err.retry_after_ms },
    }
  end
  local calls = json.array()
  for i, call in ipairs(response.tool_calls or {}) do calls[i] = call_record(call) end
  return {
    id = id, outcome = "response", content = response.content, reasoning = response.reasoning,
    tool_calls = calls, finish_reason = response.finish_reason, usage = response.usage,
  }
end

-- Everything that may differ, in bytes that are equal for equal outcomes.
local function fingerprint(id, response, err)
  local record = M.record(id, response, err)
  if response then
    record.provider_parts, record.cost, record.model = response.provider_parts, response.cost, response.model
    record.provider_id, record.logprobs = response.provider_id, response.logprobs
  else
    record.error.code, record.error.reason, record.error.context = err.code, err.reason, err.context
    record.error.retryable = err.retryable
  end
  return assert(json.encode(record))
end

local function single_bytes(body)
  local bytes = {}
  for i = 1, #body do bytes[i] = body:sub(i, i) end
  return bytes
end

local function cut_places(size)
  local places, limits = {}, M.limits
  local small = size <= limits.every_byte
  for at = 1, size - 1 do
    if small or at <= limits.head or at >= size - limits.tail then places[#places + 1] = at end
  end
  for _ = 1, small and 0 or limits.random do places[#places + 1] = math.random(1, size - 1) end
  return places
end

local function different(case, paths, chunks, expected)
  breathe(#case.body)
  return fingerprint(case.exchange.id, read_stream(case, paths, chunks)) ~= expected
end

--- Reads a stream in all ways and names those whose outcome differs from `expected`.
---@param case table
---@param expected string fingerprint of the outcome in one piece
---@return string[] faults
local function compare_cuts(case, expected)
  local faults, body = {}, case.body
  local paths = decoder.paths(case.adapter.stream)
  local no_paths = decoder.paths { framing = case.adapter.stream.framing }
  if different(case, no_paths, { body }, expected) then faults[#faults + 1] = "every event whole" end
  if different(case, paths, single_bytes(body), expected) then faults[#faults + 1] = "single bytes" end
  for _, at in ipairs(cut_places(#body)) do
    if different(case, paths, { body:sub(1, at), body:sub(at + 1) }, expected) then
      faults[#faults + 1] = "cut after byte " .. at
      break
    end
  end
  return faults
end

--- Reads an exchange in all ways.
---@async
---@param exchange table
---@return table|nil record nil where no adapter is meant; string[] faults; table case, table|nil response, err
function M.check(exchange)
  local case = M.case(exchange)
  if not case then return nil end
  local response, err = M.outcome(case)
  local faults = case.stream and compare_cuts(case, fingerprint(exchange.id, response, err)) or {}
  return M.record(exchange.id, response, err), faults, case, response, err
end

--- The exchanges of a file, one per line.
---@param path string
---@return fun(): table|nil
function M.exchanges(path)
  local lines = assert(io.open(path)):lines()
  return function()
    local line = lines()
    return line and assert(json.decode(line, { nulls = false, max_depth = 512 }))
  end
end

return M
