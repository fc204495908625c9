--- The value that an answer gives by a schema (SPEC 7).
local extract = require "curia.extract"
local schemas = require "curia.schema"
local values = require "curia.schema.values"

local M = {}

local function allows(schema, kind)
  local types = type(schema.type) == "table" and schema.type or { schema.type }
  for _, name in ipairs(types) do
    if name == kind then return true end
  end
  return false
end

local function trimmed(text)
  local from = text:find("%S")
  return from and text:match(".*%S", from) or ""
end

local function fault(keyword, message)
  return { { path = "", keyword = keyword, message = message } }
end

-- Where any text is an answer, the answer may be the text itself.
local function as_text(schema, response)
  local is_text = allows(schema, "string") or schema.enum ~= nil
  local text = is_text and trimmed(response.content)
  if text and schemas.validate(schema, text) then return text end
end

local function value_of(schema, response)
  if response.parsed ~= nil then return response.parsed end
  return extract.value(response.content, {
    array = allows(schema, "array"), cut = response.finish_reason == "length",
  })
end

local function judged(schema, value)
  if schemas.is_object(schema) and values.kind(value) ~= "object" then
    return fault("type", "must be an object, not " .. values.show(value))
  end
  local _, faults = schemas.validate(schema, value)
  return faults
end

--- What a response says by a schema: its own `parsed` where it has one, else the JSON in its text.
---@param response table
---@param schema table
---@return any value nil: it does not fit
---@return curia.schema.Fault[]? faults
function M.read(response, schema)
  local value = value_of(schema, response)
  local faults
  if value == nil then faults = fault("", "is not the JSON that was asked for")
  else faults = judged(schema, value) end
  if not faults then return value end
  local text = as_text(schema, response)
  if text then return text end
  if response.finish_reason == "length" then
    table.insert(faults, 1, fault("", "was cut off at its token limit; it must be shorter")[1])
  end
  return nil, faults
end

return M
