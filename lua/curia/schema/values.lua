--- JSON values as JSON Schema sees them: their kinds, which are equal, how messages show them.
local json = require "curia.json"

local M = {}

---@alias curia.schema.Kind "null"|"boolean"|"number"|"string"|"array"|"object"|"function"|"userdata"|"thread"

--- The kind of a value. An empty table without the mark of `json.array` is an object.
---@param value any
---@return curia.schema.Kind
function M.kind(value)
  local kind = type(value)
  if kind == "table" then return json.is_array(value) and "array" or "object" end
  if value == nil or value == json.null then return "null" end
  return kind
end

--- Whether a value is a whole number: 1.0 is one.
---@param value any
---@return boolean
function M.is_integer(value)
  return math.type(value) == "integer"
    or math.type(value) == "float" and value == math.floor(value) and value - value == 0
end

local DEEPEST = 128

local function normalised(value, depth)
  local kind = M.kind(value)
  if kind == "number" then return math.tointeger(value) or value end
  if kind ~= "array" and kind ~= "object" or depth > DEEPEST then return value end
  local copy = kind == "array" and json.array() or json.object()
  for key, item in pairs(value) do copy[key] = normalised(item, depth + 1) end
  return copy
end

--- A text that equal values share and others do not.
---@param value any
---@return string? nil for what is no JSON value, or is nested too deeply
function M.key(value)
  return (json.encode(normalised(value == nil and json.null or value, 1)))
end

local same

local function same_members(a, b)
  for key, value in pairs(a) do
    if b[key] == nil or not same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

function same(a, b)
  local kind = M.kind(a)
  if kind ~= M.kind(b) then return false end
  if kind == "array" or kind == "object" then return same_members(a, b) end
  return a == b or kind == "null"
end

--- Whether two values are equal: 1 and 1.0 are, 1 and true are not.
---@param a any
---@param b any
---@return boolean
function M.same(a, b)
  return same(a, b)
end

local LONGEST = 60

local function cut(text)
  if #text <= LONGEST then return text end
  return text:sub(1, (utf8.offset(text, 0, LONGEST) or LONGEST) - 1) .. "..."
end

local function items(count)
  return ("%d %s"):format(count, count == 1 and "item" or "items")
end

--- A value as messages show it: texts are cut, of arrays and objects only what they are.
---@param value any
---@return string
function M.show(value)
  local kind = M.kind(value)
  if kind == "array" then return "an array of " .. items(#value) end
  if kind == "object" then return "an object" end
  if kind == "string" then return json.encode(cut(value)) end
  return M.key(value) or "a " .. kind
end

return M
