--- What options can say and this version cannot do yet is refused, never ignored.
local errors = require "curia.errors"

local M = {}

local OPTIONS = { "council_version" }

--- An error when the options ask for what this version cannot do.
---@param opts table
---@return curia.Error?
function M.missing(opts)
  local found = {}
  for _, name in ipairs(OPTIONS) do
    if opts[name] ~= nil and opts[name] ~= false then found[#found + 1] = "option " .. name end
  end
  if #found == 0 then return nil end
  return errors.new("unsupported", "not part of this version: " .. table.concat(found, ", "),
    { context = { fields = found } })
end

return M
