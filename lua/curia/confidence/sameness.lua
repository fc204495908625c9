--- When two answers are the same: equal data, or equal texts but for case, spaces, emphasis and final punctuation.
local json = require "curia.json"

local M = {}

local function normalized(text)
  text = text:lower():gsub("[*_`\"]", ""):gsub("%s+", " "):gsub("^ ", "")
  return text:match("^(.*[^%s.,;:!?])") or text
end

--- A text that equal answers have in common.
---@param value any a text or a JSON value
---@return string
function M.key(value)
  if type(value) == "string" then return normalized(value) end
  return json.encode(value) or tostring(value)
end

--- What a response answers: its data where it has any, else its text.
---@param response table
---@return any
function M.answer(response)
  if response.parsed ~= nil then return response.parsed end
  return response.content
end

return M
