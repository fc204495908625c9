--- JSON Schema in the dialects of the vendors. A dialect that cannot say what a schema says gives nil,
-- and the adapter emulates it; what a dialect leaves out is checked by Curia's own validation.
local json = require "curia.json"
local schemas = require "curia.schema"

local M = {}

-- Keywords whose value is one schema, a list of schemas, or a map of schemas.
local ONE = { items = true, additionalProperties = true, ["not"] = true, contains = true }
local LIST = { anyOf = true, oneOf = true, allOf = true, prefixItems = true }
local MAP = { properties = true, ["$defs"] = true, definitions = true, patternProperties = true }

local function map_values(container, change)
  local copy = json.is_array(container) and json.array() or json.object()
  for key, value in pairs(container) do
    local changed = change(value)
    if changed == nil then return nil end
    copy[key] = changed
  end
  return copy
end

-- Copies a schema through `change(copy, original)`, which may give nil to refuse it.
local function walk(schema, change)
  if type(schema) ~= "table" or json.is_array(schema) then return schema end
  local copy = json.object()
  for key, value in pairs(schema) do
    if ONE[key] and type(value) == "table" then
      value = walk(value, change)
    elseif (LIST[key] or MAP[key]) and type(value) == "table" then
      value = map_values(value, function(inner) return walk(inner, change) end)
    end
    if value == nil then return nil end
    copy[key] = value
  end
  return change(copy, schema)
end

local function is_object(schema)
  if type(schema.type) ~= "table" then return schema.type == "object" or schema.properties ~= nil end
  for _, name in ipairs(schema.type) do
    if name == "object" then return true end
  end
  return false
end

local function open_map(schema)
  local rest = schema.additionalProperties
  return is_object(schema) and (rest == true or type(rest) == "table" or schema.properties == nil)
end

local function all_required(schema)
  local required = {}
  for _, name in ipairs(schema.required or {}) do required[name] = true end
  for name in pairs(schema.properties or {}) do
    if not required[name] then return false end
  end
  return true
end

local function has_any(schema, keywords)
  for _, keyword in ipairs(keywords) do
    if schema[keyword] ~= nil then return true end
  end
  return false
end

local NOT_STRICT = { "not", "oneOf", "allOf", "if", "patternProperties", "prefixItems", "contains", "uniqueItems" }

local function close_strictly(copy)
  if has_any(copy, NOT_STRICT) or open_map(copy) or not all_required(copy) then return nil end
  if is_object(copy) then copy.additionalProperties = false end
  return copy
end

--- OpenAI's strict dialect: closed objects, all members required. Nil where that would change what the
-- schema means (optional members, open maps) or where keywords are not supported; it then goes
-- unchanged and not strictly.
---@param schema table
---@return table schema, boolean strict
function M.openai(schema)
  local strict = walk(schema, close_strictly)
  if strict and is_object(strict) then return strict, true end
  return schema, false
end

local ANTHROPIC_DROPS = {
  "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength",
  "maxItems", "uniqueItems", "contains", "minProperties", "maxProperties", "$schema", "pattern",
}
local ANTHROPIC_LACKS = { "not", "oneOf", "if", "patternProperties", "prefixItems" }

local function close_for_anthropic(copy)
  if has_any(copy, ANTHROPIC_LACKS) or open_map(copy) then return nil end
  for _, keyword in ipairs(ANTHROPIC_DROPS) do copy[keyword] = nil end
  if copy.minItems and copy.minItems > 1 then copy.minItems = nil end
  if is_object(copy) then copy.additionalProperties = false end
  return copy
end

--- Anthropic's structured outputs; nil where the schema needs what they lack.
---@param schema table
---@return table|nil
function M.anthropic(schema)
  return walk(schema, close_for_anthropic)
end

local OPENAPI_DROPS = { "additionalProperties", "$schema", "$id", "exclusiveMinimum", "exclusiveMaximum", "multipleOf" }
local OPENAPI_LACKS = { "$ref", "not", "oneOf", "allOf", "if", "patternProperties", "prefixItems", "const" }

local function to_openapi(copy)
  if type(copy.const) == "string" then copy.enum, copy.const, copy.type = json.array { copy.const }, nil, "string" end
  if has_any(copy, OPENAPI_LACKS) or type(copy.type) == "table" then return nil end
  for _, keyword in ipairs(OPENAPI_DROPS) do copy[keyword] = nil end
  return copy
end

--- The OpenAPI subset of older Gemini models; nil where it cannot say the same.
---@param schema table
---@return table|nil
function M.openapi(schema)
  return walk(schema, to_openapi)
end

--- Whether the root of a schema is an object: some vendors take no other.
M.is_object = schemas.is_object

return M
