--- What the mock's protocols do alike: texts out of any content, events, identifiers, fragments.
local json = require "curia.json"
local pieces = require "curia.script.pieces"

local M = {}

-- A call's argument text comes in fragments of about so many bytes.
local FRAGMENT = 12

--- Encodes a value that this program made itself.
---@param value any
---@return string
function M.encode(value)
  return (assert(json.encode(value)))
end

--- The text of a message's content in any vendor's form: a text, a part, a list of parts, nested.
---@param content any
---@return string
function M.text(content)
  if type(content) == "string" then return content end
  if type(content) ~= "table" then return "" end
  if type(content.text) == "string" then return content.text end
  if content.content ~= nil then return M.text(content.content) end
  if content.output ~= nil then return M.text(content.output) end
  local texts = {}
  for i, part in ipairs(content) do texts[i] = M.text(part) end
  return table.concat(texts, "\n")
end

--- The messages of a request in the neutral form.
---@param list any
---@param role_of? fun(item: table): string
---@return table[]
function M.messages(list, role_of)
  local messages = {}
  if type(list) == "string" then list = { { role = "user", content = list } } end
  for _, item in ipairs(type(list) == "table" and list or {}) do
    if type(item) == "table" then
      local role = role_of and role_of(item) or item.role or "user"
      messages[#messages + 1] = { role = role == "developer" and "system" or role, content = M.text(item) }
    end
  end
  return messages
end

--- Puts a system prompt that stands apart in front of the messages.
---@param messages table[]
---@param system any
---@return table[]
function M.with_system(messages, system)
  local text = M.text(system)
  if text ~= "" then table.insert(messages, 1, { role = "system", content = text }) end
  return messages
end

--- What a vendor answers to a request that lacks something.
---@param message string
---@param param? string
---@return nil, table problem
function M.invalid(message, param)
  return nil, { status = 400, message = message, param = param }
end

--- The fragments in which the arguments of a call are streamed.
---@param raw string
---@return string[]
function M.fragments(raw)
  return pieces.parts(raw, (#raw + FRAGMENT - 1) // FRAGMENT)
end

--- The pieces in which a reasoning is streamed.
---@param text string|nil
---@return string[]
function M.reasoning(text)
  return text and pieces.words(text) or {}
end

--- A server-sent event.
---@param value table|string encoded as JSON unless it is a text
---@param name? string
---@return string
function M.event(value, name)
  local data = type(value) == "string" and value or M.encode(value)
  return (name and "event: " .. name .. "\n" or "") .. "data: " .. data .. "\n\n"
end

--- The headers that say when to come back.
---@param err table
---@return table<string, string>
function M.hint_headers(err)
  local ms = err.retry_after_ms
  return {
    ["retry-after"] = ms and ("%d"):format(math.ceil(ms / 1000)) or nil,
    ["retry-after-ms"] = ms and ("%.0f"):format(ms) or nil,
    ["x-should-retry"] = err.should_retry ~= nil and tostring(err.should_retry) or nil,
  }
end

--- A counted number of tokens, 0 where the script sends no usage of that kind.
---@param usage table
---@param name string
---@return integer
function M.count(usage, name)
  return usage[name] or 0
end

--- The words that a vendor has for the neutral finish reasons; others are sent as they are.
---@param words table<string, string>
---@param reason string
---@return string
function M.finish(words, reason)
  return words[reason] or reason
end

return M
