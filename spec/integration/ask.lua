--- Asks a server through one of Curia's adapters and its HTTP client, without the engine.
local adapters = require "curia.adapters"
local decoder = require "curia.core.decoder"
local helper = require "spec.helper"
local http = require "curia.http"
local json = require "curia.json"

local PATH_FIELDS = { "framing", "text", "reasoning", "whole", "ignore", "when" }

local M = {
  --- The protocols, and where each begins on a server that speaks all of them.
  protocols = { "openai_chat", "openai_responses", "anthropic", "gemini", "ollama", "openrouter" },
  bases = {
    openai_chat = "/v1", openai_responses = "/v1", anthropic = "", gemini = "/v1beta", ollama = "",
    openrouter = "/api/v1",
  },
}

local function paths_of(adapter)
  local description = {}
  for _, name in ipairs(PATH_FIELDS) do description[name] = adapter.stream[name] end
  return decoder.paths(description)
end

-- Long enough for a server in JavaScript under valgrind.
local LIMIT_MS = 2000

local function start(adapter, built, request, limit_ms)
  return assert(http.start {
    url = built.url, method = "POST", headers = built.headers, body = assert(json.encode(built.body)),
    paths = request.stream and paths_of(adapter) or nil, first_byte_timeout_ms = limit_ms, silence_timeout_ms = limit_ms,
  })
end

local function read(adapter, exchange, request)
  local state = request.stream and adapter.stream.start(request)
  local segments, finished, failure
  repeat
    segments, finished, failure = exchange:next()
    for i = 1, segments and #segments or 0, 3 do
      adapter.stream.push(state, segments[i], segments[i + 1], segments[i + 2] or nil)
    end
  until finished
  if failure then return nil, failure end
  if exchange.body or not state then
    return adapter.parse(exchange.status, exchange.headers, exchange.body or "", request)
  end
  return adapter.stream.finish(state, exchange.status, exchange.headers)
end

--- One request.
---@param name string an adapter's name
---@param url string the server
---@param fields? table fields of the neutral request
---@param headers? table<string, string>
---@param limit_ms? number for the first byte, and for a silence
---@return table? response
---@return curia.Error? err
function M.ask(name, url, fields, headers, limit_ms)
  local adapter = assert(adapters.get(name))
  local request = { model = "m", max_tokens = 100, messages = { { role = "user", content = "How is the weather?" } } }
  for field, value in pairs(fields or {}) do request[field] = value end
  local config = { base_url = url .. M.bases[name], api_key = "sk-very-secret", headers = headers }
  local built = assert(adapter.build(request, config))
  return helper.run(function()
    local exchange <close> = start(adapter, built, request, limit_ms or LIMIT_MS)
    return read(adapter, exchange, request)
  end)
end

--- Calls `fn(name, fields, what)` for every protocol, whole and streamed.
---@param fn fun(name: string, fields: table, what: string)
function M.each(fn)
  for _, name in ipairs(M.protocols) do
    fn(name, { stream = false }, name)
    fn(name, { stream = true }, name .. " streamed")
  end
end

return M
