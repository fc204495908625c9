--- What the specs of the schema share.
local json = require "curia.json"
local schema = require "curia.schema"

local M = {}

local function decode(text)
  local value, err = json.decode(text)
  assert(not err, err)
  return value
end

--- The faults of a value, both given as JSON: "path keyword" of each; none: an empty list.
function M.faults(schema_text, value_text)
  local _, faults = schema.validate(decode(schema_text), decode(value_text))
  local found = {}
  for i, fault in ipairs(faults or {}) do found[i] = fault.path .. " " .. fault.keyword end
  return found
end

--- The message of the only fault.
function M.message(schema_text, value_text)
  local _, faults = schema.validate(decode(schema_text), decode(value_text))
  assert(faults and #faults == 1, "not one fault")
  return faults[1].message
end

return M
