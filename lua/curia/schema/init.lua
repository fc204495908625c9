--- JSON Schema, a subset of draft 2020-12: judging values, and judging schemas.
--
-- Known are types, enum, const, all bounds, pattern, format (date-time, date, time, email, uri, uuid, ipv4, ipv6),
-- the keywords of arrays and objects, allOf, anyOf, oneOf, not, if, and local $ref. Not known are references to
-- other documents, anchors, dynamic references and the unevaluated... keywords: `check` names them.
local check = require "curia.schema.check"
local evaluation = require "curia.schema.evaluation"

local M = {}

--- Judges a value as `curia.json` decodes it: json.null, arrays with their mark; 1.0 is an integer.
---@param schema table|boolean what `check` would find wrong in it is passed over
---@param value any
---@return true?
---@return curia.schema.Fault[]? faults at most 20, each with its path, in the order of the schema's keywords
function M.validate(schema, value)
  local e = evaluation.new(schema)
  e:evaluate(schema, value)
  local faults = e:verdict()
  if faults then return nil, faults end
  return true
end

--- Whether a value is a schema of the subset.
---@type fun(schema: any): true?, curia.schema.SchemaFault[]?
M.check = check.check

local function line(fault)
  return ("- %s: %s"):format(fault.path == "" and "the whole" or fault.path, fault.message)
end

--- Faults as one text, a line each.
---@param faults curia.schema.Fault[]
---@return string
function M.text(faults)
  local lines = {}
  for i, fault in ipairs(faults) do lines[i] = line(fault) end
  return table.concat(lines, "\n")
end

--- Whether the root of a schema says that only objects fit: some vendors take no other.
---@param schema table|boolean
---@return boolean
function M.is_object(schema)
  return type(schema) == "table" and (schema.type == "object" or schema.type == nil and schema.properties ~= nil)
end

return M
