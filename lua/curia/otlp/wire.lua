--- The forms that OTLP gives to values in JSON (proto3's mapping, with ids in hexadecimal).
local check = require "curia.language.check"
local json = require "curia.json"
local system = require "curia.core.system"

local M = {}

--- A new id: random, not all zeros.
---@param bytes 8|16
---@return string hexadecimal digits
function M.id(bytes)
  local hex = ""
  for _ = 1, bytes // 8 do hex = hex .. ("%016x"):format(system.random_integer()) end
  return hex:find "[^0]" and hex or M.id(bytes)
end

--- A 64-bit integer, which JSON writes as a text.
---@param number integer
---@return string
function M.int64(number)
  return ("%d"):format(number)
end

local function value_of(value)
  local kind = math.type(value) or type(value)
  if kind == "integer" then return { intValue = M.int64(value) } end
  if kind == "float" then return { doubleValue = value } end
  if kind == "boolean" then return { boolValue = value } end
  if kind == "string" then return { stringValue = value } end
  local values = json.array()
  for i, item in ipairs(value) do values[i] = value_of(item) end
  return { arrayValue = { values = values } }
end

--- Attributes as OTLP lists them, by name.
---@param attributes table<string, string|number|boolean|table> a table is a list
---@return table[]
function M.attributes(attributes)
  local list = json.array()
  for i, name in ipairs(check.sorted_keys(attributes)) do
    list[i] = { key = name, value = value_of(attributes[name]) }
  end
  return list
end

return M
