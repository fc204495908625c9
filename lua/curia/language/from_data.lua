--- Makes councils from their data form, which may come from a stranger.
local check = require "curia.language.check"
local council = require "curia.council"
local data_form = require "curia.language.data_form"
local validation = require "curia.language.validate"

local M = {}

-- What is wrong with the data itself. All else is wrong with what surrounds it, or is yet to come: a name that
-- may still be registered, a council that is edited until it is whole.
local REFUSED = {
  unknown_field = true, wrong_type = true, out_of_range = true, duplicate_id = true, unknown_member = true,
  not_serializable = true, conflict = true,
}

local function has_refused(faults)
  for _, fault in ipairs(faults) do
    if REFUSED[fault.code] then return true end
  end
  return false
end

local function all_faults(made, faults, config)
  local valid, found = validation.validate(made, config)
  local refused = #faults > 0 or not valid and has_refused(found)
  for _, fault in ipairs(found or {}) do faults:add(fault.path, fault.code, fault.message) end
  return refused and faults:take() or nil
end

--- `curia.council_from(data)`: a council from its data form. It refers to functions, tools and rounds of one's own
--- by registered names only; names that are not registered (yet) are left to `curia.validate`.
---@param source string|table JSON text or a table, which is copied
---@param config? curia.Config the shared one
---@return curia.Council?
---@return curia.Error? err kind `invalid_council`; every fault is in `context.faults`
function M.council_from(source, config)
  if type(source) ~= "string" and type(source) ~= "table" then
    error(("bad argument #1 to 'council_from' (JSON or a table expected, not a %s)"):format(type(source)), 2)
  end
  local data, faults = data_form.read(source)
  if not data then return nil, check.error("data", faults:take()) end
  local made = council.of_data(data)
  local refused = all_faults(made, faults, config)
  if refused then return nil, check.error(made.name, refused) end
  return made
end

return M
