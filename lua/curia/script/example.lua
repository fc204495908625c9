--- A value that satisfies a JSON Schema, for canned answers where structured output was asked for.
local json = require "curia.json"

local M = {}

local DEPTH = 16

local make

local function reference(schema, state)
  local value = state.root
  for step in schema["$ref"]:gmatch("[^#/]+") do value = type(value) == "table" and value[step] or nil end
  return value and make(value, state) or json.null
end

local function object(schema, state)
  local value, properties = json.object(), schema.properties or {}
  for _, name in ipairs(schema.required or {}) do
    value[name] = properties[name] and make(properties[name], state, name) or state.text(name)
  end
  if not schema.required then
    for name, property in pairs(properties) do value[name] = make(property, state, name) end
  end
  return value
end

local function array(schema, state, name)
  local labels = schema.items and (schema.items.enum or schema.items.type == "string" and state.labels)
  local value = json.array()
  if labels and #labels > 0 then return table.move(labels, 1, #labels, 1, value) end
  for i = 1, math.max(schema.minItems or 1, 1) do value[i] = make(schema.items or {}, state, name) end
  return value
end

local function number(schema)
  local low = schema.minimum or schema.exclusiveMinimum
  local high = schema.maximum or schema.exclusiveMaximum
  if low and high then return (low + high) / 2 end
  return low and low + 1 or high and high - 1 or 1
end

local function text(schema, state, name)
  local value = state.text(name)
  local short = schema.maxLength and value:sub(1, schema.maxLength) or value
  return short .. ("."):rep((schema.minLength or 0) - #short)
end

local MAKE = {
  object = object,
  array = array,
  number = number,
  integer = function(schema) return math.floor(number(schema)) end,
  string = text,
  boolean = function() return true end,
  null = function() return json.null end,
}

local function kind_of(schema)
  local kind = type(schema.type) == "table" and schema.type[1] or schema.type
  return kind or (schema.properties and "object") or (schema.items and "array") or "string"
end

function make(schema, state, name)
  if type(schema) ~= "table" or state.depth >= DEPTH then return json.null end
  state.depth = state.depth + 1
  local branch = schema.anyOf or schema.oneOf or schema.allOf
  local value
  if schema.const ~= nil then value = schema.const
  elseif schema.enum then value = schema.enum[1]
  elseif schema["$ref"] then value = reference(schema, state)
  elseif branch then value = make(branch[1], state, name)
  else value = (MAKE[kind_of(schema)] or text)(schema, state, name) end
  state.depth = state.depth - 1
  return value
end

--- Makes a value. It satisfies types, required members, enums, constants, and simple bounds.
---@param schema table
---@param fill fun(name?: string): string the text of a string member
---@param labels? string[] what a list of strings holds, such as the labels to be ordered
---@return any
function M.of(schema, fill, labels)
  return make(schema, { root = schema, text = fill, labels = labels, depth = 0 })
end

return M
