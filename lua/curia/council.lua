--- The council object: what `council "name" { ... }` makes. It is not changed by assignment.
local configuration = require "curia.config"
local lower = require "curia.language.lower"
local profiles = require "curia.language.profiles"

local M = {}

---@class curia.Council
---@field name string
local Council = { __name = "curia.council" }
Council.__index = Council

--- Makes a council from the body of its declaration. Nothing is judged yet: `validate` does.
---@param name string
---@param body table
---@return curia.Council
function M.new(name, body)
  local spec, faults = lower.council(name, body)
  return setmetatable({ name = name, _ = { spec = spec, faults = faults, plans = {} } }, Council)
end

---@param value any
---@return boolean
function M.is(value)
  return getmetatable(value) == Council
end

--- The council as plain data in which functions may stand; a copy of the caller's own.
---@return table
function Council:spec()
  return lower.copy(self._.spec)
end

local function collect_providers(council, config, found)
  if found[council] then return end
  found[council] = true
  local spec = council._.spec
  for _, member in ipairs { spec.chair or false, table.unpack(spec.members) } do
    local inner = member and member.council
    if type(inner) == "string" then inner = config.registry:lookup("council", inner) end
    if M.is(inner) then collect_providers(inner, config, found)
    elseif member and not profiles.needs_no_model(member) then
      local provider = profiles.resolve(member, spec, config).provider
      if provider then found[provider] = true end
    end
  end
end

--- The names of the providers that the council asks, sub-councils included.
---@param config? curia.Config the shared one
---@return string[] sorted
function Council:providers(config)
  local found, names = {}, {}
  collect_providers(self, config or configuration.shared(), found)
  for name in pairs(found) do
    if type(name) == "string" then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

function Council:__newindex(name)
  error(("field '%s' of council '%s' cannot be set: a council is not changed by assignment"):format(
    tostring(name), self.name), 2)
end

local function counted(list, word)
  return ("%d %s%s"):format(#list, word, #list == 1 and "" or "s")
end

function Council:__tostring()
  local spec = self._.spec
  return ("council '%s' (%s, %s%s)"):format(self.name, counted(spec.members, "member"),
    counted(spec.rounds, "round"), spec.chair and ", chair" or "")
end

return M
