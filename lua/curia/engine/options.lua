--- Options of functions that take few, by the rules that councils are checked with.
local check = require "curia.language.check"
local lower = require "curia.language.lower"

local M = {}

local NONE = {}

--- The options with durations in milliseconds. Raises, at the caller of the function that reads them, where
--- one is unknown or wrong.
---@param what string the function
---@param opts table?
---@param rules table<string, table> as in curia.language.fields
---@return table opts never nil; not to be changed
function M.read(what, opts, rules)
  if opts == nil then return NONE end
  if type(opts) ~= "table" then error(("%s: options are a table, not a %s"):format(what, type(opts)), 3) end
  local lowered, faults = lower.record(rules, opts), check.faults()
  check.record(rules, lowered, "", "", faults)
  if faults[1] then error(("%s: %s"):format(what, faults[1].message), 3) end
  return lowered
end

return M
