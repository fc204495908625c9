--- An MCP server over streamable HTTP: each message is a POST, answered as JSON or as a stream of events.
local command = require "curia.engine.command"
local decoder = require "curia.core.decoder"
local errors = require "curia.errors"
local http = require "curia.http"
local json = require "curia.json"
local secrets = require "curia.language.secrets"

local M = {}

local MOST_BYTES, CLOSE_MS = 16 * 1024 * 1024, 2000

---@class curia.mcp.Http: curia.mcp.Transport
local Http = {}
Http.__index = Http

local EVENTS = decoder.paths { framing = "sse" }
local decode = json.decoder { nulls = false }

local function failed(self, text, fields)
  return errors.new("tool", ("%s: %s"):format(self.name, text), fields)
end

local function headers_of(self)
  local headers = { ["content-type"] = "application/json", accept = "application/json, text/event-stream" }
  for name, value in pairs(self.headers) do headers[name:lower()] = value end
  headers["mcp-session-id"] = self.session
  headers["mcp-protocol-version"] = self.version
  return headers
end

local function start(self, method, body, timeout_ms)
  local exchange, err = http.start {
    url = self.url, method = method, headers = headers_of(self), body = body, paths = EVENTS, watch = true,
    max_body_bytes = MOST_BYTES, total_timeout_ms = timeout_ms,
  }
  if exchange then return exchange end
  return nil, failed(self, err.message, { code = err.code })
end

-- ---- answers ------------------------------------------------------------------------------------------

-- Gives the answer that is waited for, once it is among the messages.
local function take(self, message, id)
  if type(message) ~= "table" then return nil end
  if message.method then
    local reply = self.on_message and self.on_message(message)
    if reply then self:notify(reply) end
  elseif message.id == id then
    return message
  end
end

-- Segments come as kind, value, name, kind, value, name, ...
local function take_events(self, segments, id)
  for i = 1, #segments, 3 do
    local answer = segments[i] == "event" and take(self, segments[i + 1], id)
    if answer then return answer end
  end
end

local function take_body(self, body, id)
  local value = decode(body)
  local list = json.is_array(value) and value or { value }
  for _, message in ipairs(list) do
    local answer = take(self, message, id)
    if answer then return answer end
  end
end

-- A session that the server has forgotten can be used no more: the next use begins another.
local function refused(self, exchange)
  local status = exchange.status
  local why = exchange.body and exchange.body ~= "" and ": " .. exchange.body:sub(1, 500) or ""
  local err = failed(self, ("the server answered with status %d%s"):format(status, why), { code = status })
  if status == 404 and self.session then self.broken = err end
  return err
end

local function transport_failed(self, failure)
  local kind = failure.kind == "timeout" and "timeout" or "tool"
  return errors.new(kind, ("%s: %s"):format(self.name, failure.message), { code = failure.code })
end

local function is_good(status)
  return status and status >= 200 and status < 300
end

local function read_answer(self, exchange, id)
  while true do
    local segments, finished, failure = exchange:next()
    local good = is_good(exchange.status)
    local answer = good and segments and take_events(self, segments, id)
    if answer then return answer end
    if failure then return nil, transport_failed(self, failure) end
    if finished then
      if not good then return nil, refused(self, exchange) end
      answer = exchange.body and take_body(self, exchange.body, id)
      if answer then return answer end
      return nil, failed(self, "the server's answer holds no answer")
    end
  end
end

-- ---- messages -----------------------------------------------------------------------------------------

local function remember_session(self, exchange)
  self.session = self.session or exchange.headers and exchange.headers["mcp-session-id"]
end

--- Sends a request and waits for its answer.
---@async
---@param message table
---@param timeout_ms? number
---@return table? answer
---@return curia.Error?
function Http:request(message, timeout_ms)
  local exchange <close>, err = start(self, "POST", assert(json.encode(message)), timeout_ms)
  if not exchange then return nil, err end
  local answer
  answer, err = read_answer(self, exchange, message.id)
  remember_session(self, exchange)
  return answer, err
end

--- Sends what wants no answer.
---@async
---@param message table
---@return true?
---@return curia.Error?
function Http:notify(message)
  local exchange <close>, err = start(self, "POST", assert(json.encode(message)), CLOSE_MS)
  if not exchange then return nil, err end
  repeat
    local _, finished, failure = exchange:next()
    if failure then return nil, transport_failed(self, failure) end
  until finished
  if not is_good(exchange.status) then return nil, refused(self, exchange) end
  return true
end

--- Why the session can be used no more, or nil.
function Http:fault()
  return self.broken
end

--- Ends the session, if the server keeps one; whether it takes that is its own affair.
---@async
function Http:close()
  self.broken = self.broken or failed(self, "closed")
  if not self.session then return end
  local exchange <close> = start(self, "DELETE", nil, CLOSE_MS)
  repeat
    local _, finished = true, true
    if exchange then _, finished = exchange:next() end
  until finished
end

--- A server at an address. Nothing is sent yet.
---@async
---@param spec {name: string, url: string, headers?: table<string, string|curia.Secret>}
---@return curia.mcp.Http?
---@return curia.Error?
function M.open(spec)
  local headers, err = secrets.headers({ name = spec.name, headers = spec.headers }, { runner = command.run })
  if not headers then return nil, err end
  return setmetatable({ name = spec.name, url = spec.url, headers = headers }, Http)
end

return M
