--- From names to what is registered under them: what a plan does with functions, routers and schemas.
local fields = require "curia.language.fields"

local M = {}

-- What is named by the other kinds is looked up where it is used.
local RESOLVED = { ["function"] = true, input_mapper = true, router = true, schema = true }

--- What a value is, or is the name of.
---@param rule table the field's, as in curia.language.fields
---@param value any
---@param registry curia.Registry
---@return any
function M.value(rule, value, registry)
  if rule.fields == fields.named_function and type(value) == "table" then
    return registry:lookup("function", value["function"])
  end
  return RESOLVED[rule.ref] and type(value) == "string" and registry:lookup(rule.ref, value) or value
end

--- Puts what is registered in the place of the names in a record.
---@param rules table<string, table>
---@param record table
---@param registry curia.Registry
function M.resolve(rules, record, registry)
  for name, rule in pairs(rules) do
    if record[name] ~= nil then record[name] = M.value(rule, record[name], registry) end
  end
end

return M
