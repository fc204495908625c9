--- What all adapters do alike when an answer is complete: its finish reason and its shape.
local json = require "curia.json"
local failure = require "curia.adapters.support.failure"

local M = {}

local decode = json.decoder { nulls = false }
local number_type = math.type

--- Reads a body of status 2xx that should be JSON.
---@param provider string
---@param status integer
---@param headers table|nil
---@param body string|nil
---@return table|nil value, curia.Error|nil err
function M.read(provider, status, headers, body)
  if status and (status < 200 or status > 299) then
    return nil, failure.of_status(provider, status, headers, body)
  end
  local value = body and decode(body)
  if type(value) ~= "table" then
    return nil, failure.unreadable(provider, status, body, "answer is no JSON")
  end
  return value
end

--- The neutral finish reason. Vendors say "stop" with calls and "tool_calls" without any.
---@param reason string|nil already mapped
---@param calls table[]|nil
---@return string
function M.finish(reason, calls)
  if calls and (reason == nil or reason == "stop") then return "tool_calls" end
  if not calls and reason == "tool_calls" then return "stop" end
  return reason or "stop"
end

--- Whether a piece of data is an event that should have been JSON and is not; `[DONE]` and words that
-- proxies put into a stream are none.
---@param data string
---@return boolean
function M.is_broken(data)
  return data ~= "[DONE]" and data:find("^%s*[{%[]") ~= nil
end

--- `{content, reasoning}` of what a stream had brought before it failed.
---@param content string
---@param reasoning string|nil
---@return table
function M.partial(content, reasoning)
  return { content = content, reasoning = reasoning ~= "" and reasoning or nil }
end

--- A number of tokens as an integer; nil for anything else.
---@param value any
---@return integer|nil
function M.count(value)
  local kind = number_type(value)
  if kind == "integer" then return value end
  return kind and (math.tointeger(value) or math.floor(value)) or nil
end

return M
