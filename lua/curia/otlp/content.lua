--- Prompts and answers as the conventions write them (`gen_ai.input.messages`, `gen_ai.output.messages`), without
--- secrets.
local json = require "curia.json"
local redact = require "curia.redact"

local M = {}

local function text_part(text)
  return { type = "text", content = text }
end

-- Of pictures and files only that they were there.
local function add_content(parts, content)
  if type(content) == "string" then
    if content ~= "" then parts[#parts + 1] = text_part(content) end
    return
  end
  for _, part in ipairs(content or {}) do
    parts[#parts + 1] = part.text and text_part(part.text) or { type = tostring(part.type) }
  end
end

local function add_calls(parts, calls)
  for _, call in ipairs(calls or {}) do
    parts[#parts + 1] = { type = "tool_call", id = call.id, name = call.name, arguments = call.arguments }
  end
end

local function message_of(message)
  local parts = json.array()
  if message.role == "tool" then
    parts[1] = { type = "tool_call_response", id = message.tool_call_id, response = message.content }
  else
    add_content(parts, message.content)
    add_calls(parts, message.tool_calls)
  end
  return { role = message.role, parts = parts }
end

-- What cannot be written as JSON is told as missing: an export must not fail for its sake.
local function text_of(messages)
  local text, err = json.encode(messages)
  return text and redact.text(text) or "not exported: " .. err.message
end

--- What a model was asked.
---@param messages table[] neutral messages
---@return string JSON
function M.input(messages)
  local list = json.array()
  for i, message in ipairs(messages) do list[i] = message_of(message) end
  return text_of(list)
end

--- What it answered.
---@param response table
---@return string JSON
function M.output(response)
  local message = message_of { role = "assistant", content = response.content, tool_calls = response.tool_calls }
  message.finish_reason = response.finish_reason
  return text_of(json.array { message })
end

return M
