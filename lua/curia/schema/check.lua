--- Whether a table is a schema of the subset that Curia judges by: every fault, with its place.
--
-- What JSON Schema would pass over is a fault here: an unknown keyword is more often a slip than a remark.
-- Names that begin with "x-" are remarks.
local formats = require "curia.schema.formats"
local json = require "curia.json"
local patterns = require "curia.schema.pattern"
local pointer = require "curia.schema.pointer"
local suggest = require "curia.suggest"
local values = require "curia.schema.values"

local M = {}

local DEEPEST, MOST_SCHEMAS, MOST_FAULTS = 64, 5000, 50

---@class curia.schema.SchemaFault
---@field path string JSON pointer into the schema
---@field keyword string
---@field code string one of the codes of SPEC 2
---@field message string

-- What a check under way knows: root, faults, steps of the path, schemas so far.
local Check = {}
Check.__index = Check

function Check:fault(keyword, code, message)
  if #self.faults >= MOST_FAULTS then return end
  self.faults[#self.faults + 1] = { path = pointer.text(self.path), keyword = keyword, code = code, message = message }
end

function Check:inside(step, fn, ...)
  self.path[#self.path + 1] = step
  fn(self, ...)
  self.path[#self.path] = nil
end

local function wrong(c, keyword, expected, value)
  c:fault(keyword, "wrong_type", ("%s must be %s, not %s"):format(keyword, expected, values.show(value)))
end

-- An empty table is a list too where a list is asked for.
local function is_list(value)
  return type(value) == "table" and (next(value) == nil or json.is_array(value))
end

local function is_map(value)
  return type(value) == "table" and not (json.is_array(value) and next(value) ~= nil)
end

local function sorted_names(map)
  local names = {}
  for name in pairs(map) do names[#names + 1] = name end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  return names
end

-- ---- what the value of a keyword must be -------------------------------------------------------------

local check_schema

local function one_schema(c, keyword, value)
  c:inside(keyword, check_schema, value)
end

local function schema_list(c, keyword, value)
  if not is_list(value) then return wrong(c, keyword, "a list of schemas", value) end
  if #value == 0 then return c:fault(keyword, "empty", keyword .. " is empty") end
  c:inside(keyword, function()
    for i, item in ipairs(value) do c:inside(i - 1, check_schema, item) end
  end)
end

local function schema_map(c, keyword, value)
  if not is_map(value) then return wrong(c, keyword, "an object of schemas", value) end
  c:inside(keyword, function()
    for _, name in ipairs(sorted_names(value)) do c:inside(name, check_schema, value[name]) end
  end)
end

local function pattern(c, keyword, value)
  if type(value) ~= "string" then return wrong(c, keyword, "a text", value) end
  local made, err = patterns.compile(value)
  if not made then
    c:fault(keyword, "out_of_range", ("'%s' is no regular expression: %s"):format(value, err.message))
  end
end

local function pattern_map(c, keyword, value)
  if is_map(value) then
    for _, name in ipairs(sorted_names(value)) do pattern(c, keyword, name) end
  end
  schema_map(c, keyword, value)
end

local function number(c, keyword, value)
  if values.kind(value) ~= "number" then wrong(c, keyword, "a number", value) end
end

local function positive(c, keyword, value)
  if values.kind(value) ~= "number" then return wrong(c, keyword, "a number", value) end
  if value <= 0 then c:fault(keyword, "out_of_range", keyword .. " must be more than 0") end
end

local function count(c, keyword, value)
  if not values.is_integer(value) then return wrong(c, keyword, "a whole number", value) end
  if value < 0 then c:fault(keyword, "out_of_range", keyword .. " must be 0 or more") end
end

local function boolean(c, keyword, value)
  if type(value) ~= "boolean" then wrong(c, keyword, "true or false", value) end
end

local function text(c, keyword, value)
  if type(value) ~= "string" then wrong(c, keyword, "a text", value) end
end

local function anything() end

local function list(c, keyword, value)
  if not is_list(value) then wrong(c, keyword, "a list", value) end
end

local function choices(c, keyword, value)
  if not is_list(value) then return wrong(c, keyword, "a list", value) end
  if #value == 0 then c:fault(keyword, "empty", keyword .. " is empty") end
end

local function names(c, keyword, value)
  if not is_list(value) then return wrong(c, keyword, "a list of names", value) end
  for i, name in ipairs(value) do
    if type(name) ~= "string" then wrong(c, ("item %d of %s"):format(i, keyword), "a text", name) end
  end
end

local function name_lists(c, keyword, value)
  if not is_map(value) then return wrong(c, keyword, "an object of lists of names", value) end
  for _, name in ipairs(sorted_names(value)) do names(c, keyword, value[name]) end
end

local TYPES = { "null", "boolean", "integer", "number", "string", "array", "object" }
local IS_TYPE = {}
for _, name in ipairs(TYPES) do IS_TYPE[name] = true end

local function type_name(c, keyword, value)
  if type(value) ~= "string" then return wrong(c, keyword, "a type or a list of types", value) end
  if not IS_TYPE[value] then c:fault(keyword, "out_of_range", suggest.message("type", value, TYPES)) end
end

local function types(c, keyword, value)
  if not is_list(value) then return type_name(c, keyword, value) end
  if #value == 0 then c:fault(keyword, "empty", keyword .. " is empty") end
  for _, name in ipairs(value) do type_name(c, keyword, name) end
end

local IS_FORMAT = {}
for _, name in ipairs(formats.known) do IS_FORMAT[name] = true end

-- Formats are an open list; only what looks like a slip is a fault.
local function format(c, keyword, value)
  if type(value) ~= "string" then return wrong(c, keyword, "a text", value) end
  if not IS_FORMAT[value] and suggest.nearest(value, formats.known) then
    c:fault(keyword, "out_of_range", suggest.message("format", value, formats.known))
  end
end

-- A reference that leads only to references never comes to a schema.
local function is_circle(root, reference)
  local seen = {}
  while reference and not seen[reference] do
    seen[reference] = true
    local target = pointer.resolve(root, reference)
    reference = type(target) == "table" and next(target, next(target)) == nil and target["$ref"] or nil
  end
  return reference ~= nil
end

local function reference(c, keyword, value)
  if type(value) ~= "string" then return wrong(c, keyword, "a text", value) end
  if value:sub(1, 1) ~= "#" then
    return c:fault(keyword, "out_of_range", ("'%s': only references inside the schema (#/...) are known"):format(value))
  end
  local target = pointer.resolve(c.root, value)
  if type(target) ~= "table" and type(target) ~= "boolean" then
    c:fault(keyword, "missing", ("'%s' points to no schema"):format(value))
  elseif is_circle(c.root, value) then
    c:fault(keyword, "cycle", ("'%s' leads back to itself"):format(value))
  end
end

-- An embedded identifier would change what references mean.
local function identifier(c, keyword, value)
  if #c.path > 0 then
    return c:fault(keyword, "unknown_field", keyword .. " is only known at the root of a schema")
  end
  text(c, keyword, value)
end

-- ---- the keywords -----------------------------------------------------------------------------------

local KEYWORDS = {
  type = types, enum = choices, const = anything,
  minimum = number, maximum = number, exclusiveMinimum = number, exclusiveMaximum = number, multipleOf = positive,
  minLength = count, maxLength = count, pattern = pattern, format = format,
  minItems = count, maxItems = count, uniqueItems = boolean, items = one_schema, prefixItems = schema_list,
  contains = one_schema, minContains = count, maxContains = count,
  minProperties = count, maxProperties = count, required = names, dependentRequired = name_lists,
  properties = schema_map, patternProperties = pattern_map, additionalProperties = one_schema,
  propertyNames = one_schema, dependentSchemas = schema_map,
  allOf = schema_list, anyOf = schema_list, oneOf = schema_list, ["not"] = one_schema,
  ["if"] = one_schema, ["then"] = one_schema, ["else"] = one_schema,
  ["$ref"] = reference, ["$defs"] = schema_map, definitions = schema_map,
  ["$schema"] = text, ["$id"] = identifier, ["$comment"] = text, title = text, description = text, default = anything,
  examples = list, deprecated = boolean, readOnly = boolean, writeOnly = boolean,
  contentEncoding = text, contentMediaType = text, contentSchema = one_schema,
}

local function check_keywords(c, schema)
  for _, keyword in ipairs(sorted_names(schema)) do
    local check = KEYWORDS[keyword]
    if check then
      check(c, keyword, schema[keyword])
    elseif type(keyword) ~= "string" or keyword:sub(1, 2) ~= "x-" then
      c:fault(tostring(keyword), "unknown_field", suggest.message("keyword", keyword, KEYWORDS))
    end
  end
end

function check_schema(c, schema)
  if type(schema) == "boolean" then return end
  if not is_map(schema) then return c:fault("", "wrong_type", "a schema must be an object, true or false, not "
    .. values.show(schema)) end
  c.schemas = c.schemas + 1
  if #c.path > DEEPEST * 2 or c.schemas > MOST_SCHEMAS then
    return c:fault("", "out_of_range", ("schemas stand deeper than %d, or there are more than %d"):format(DEEPEST,
      MOST_SCHEMAS))
  end
  check_keywords(c, schema)
end

--- Whether a value is a schema of the subset.
---@param schema any
---@return true?
---@return curia.schema.SchemaFault[]? faults
function M.check(schema)
  local c = setmetatable({ root = schema, faults = {}, path = {}, schemas = 0 }, Check)
  check_schema(c, schema)
  if #c.faults == 0 then return true end
  return nil, c.faults
end

return M
