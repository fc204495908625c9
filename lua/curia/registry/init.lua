--- Names that councils refer to: profiles, providers, rounds, tools, functions ...
-- Two tiers: what the configuration brings, and what is registered at run time; run time wins. Where registrations are
-- shared with other processes (curia.registry.sharing), what these have registered comes after this process's own.
local suggest = require "curia.suggest"

local M = {}

--- Every kind of thing that can be registered (SPEC 2).
M.kinds = {
  "profile", "tool", "schema", "router", "round", "rule", "confidence", "sub_council",
  "input_mapper", "council", "provider", "workflow", "function",
}

-- What a value of a kind may be. What is code, or holds some, may also be `{module =, name =}`.
local ACCEPTED = {
  profile = { table = true },
  tool = { table = true },
  schema = { table = true },
  round = { table = true },
  provider = { table = true },
  workflow = { table = true },
  council = { table = true },
  sub_council = { table = true },
  router = { ["function"] = true, table = true },
  rule = { ["function"] = true, table = true },
  confidence = { ["function"] = true, table = true },
  input_mapper = { ["function"] = true, table = true },
  ["function"] = { ["function"] = true, table = true },
}

local CODE = {
  tool = true, router = true, round = true, rule = true, confidence = true, input_mapper = true, ["function"] = true,
}

---@class curia.Registry
---@field generation integer grows with every change; caches compare it
local Registry = {}
Registry.__index = Registry
Registry.__name = "curia.registry"

local function check_kind(kind, level)
  if not ACCEPTED[kind] then
    error(("bad argument #1: no registry kind '%s'%s"):format(tostring(kind),
      suggest.hint(kind, M.kinds)), level + 1)
  end
end

--- Raises for what cannot be the name of something registered.
---@param kind string
---@param name string
---@param level integer whose call it is, as for `error`
function M.check_name(kind, name, level)
  check_kind(kind, level + 1)
  if type(name) == "string" and name ~= "" then return end
  error("bad argument #2: a name is a text that is not empty", level + 1)
end

local function is_reference(value)
  return type(value) == "table" and type(value.module) == "string" and type(value.name) == "string"
end

--- Why a value cannot be of a kind, if it cannot.
---@param kind string
---@param value any
---@return string?
function M.fault(kind, value)
  local accepted = ACCEPTED[kind]
  if not accepted[type(value)] then
    return ("a %s cannot be a %s"):format(kind, type(value))
  elseif accepted["function"] and type(value) == "table" and not is_reference(value) then
    return ("a %s is a function, or {module =, name =}"):format(kind)
  end
end

--- Raises for what cannot be registered, naming the argument.
---@param level integer whose call it is, as for `error`
function M.check(kind, name, value, level)
  M.check_name(kind, name, level + 1)
  local fault = M.fault(kind, value)
  if fault then error("bad argument #3: " .. fault, level + 1) end
end

local function empty_tier()
  local tier = {}
  for _, kind in ipairs(M.kinds) do tier[kind] = {} end
  return tier
end

-- What a reference refers to, if that is of the kind.
local function referred(kind, reference)
  local found, module = pcall(require, reference.module)
  if not found then return nil, tostring(module) end
  local value = type(module) == "table" and module[reference.name] or nil
  if value ~= nil and ACCEPTED[kind][type(value)] and not is_reference(value) then return value end
  return nil, ("module '%s' has no %s '%s'"):format(reference.module, kind, reference.name)
end

-- What is registered, and cannot be had.
local Refusal = {}

--- Stands in the place of a shared value that cannot be used: looked up, the name gives nil and this message.
---@param message string
---@return table
function M.refusal(message)
  return setmetatable({ message = message }, Refusal)
end

-- A reference to code in a module is resolved on the node that needs it.
local function dereference(kind, name, value)
  if getmetatable(value) == Refusal then return nil, value.message end
  if not CODE[kind] or not is_reference(value) then return value end
  local found, message = referred(kind, value)
  if found then return found end
  return nil, ("the %s '%s' cannot be loaded: %s"):format(kind, name, message)
end

--- A registry in memory.
---@return curia.Registry
function M.new()
  return setmetatable({ generation = 0, _ = {
    configuration = empty_tier(), shared = empty_tier(), run_time = empty_tier(),
  } }, Registry)
end

local shared

--- The registry of this Lua state, made on first use.
---@return curia.Registry
function M.shared()
  shared = shared or M.new()
  return shared
end

--- Tells caches that something they depend on has changed.
function Registry:touch()
  self.generation = self.generation + 1
end

--- Registers a value at run time; it wins over the configuration's.
---@param kind string one of `registry.kinds`; any other raises
---@param name string
---@param value any what the kind asks for, else it raises; for kinds that are functions also
--- `{module =, name =}`
---@return true
function Registry:register(kind, name, value)
  M.check(kind, name, value, 2)
  self._.run_time[kind][name] = value
  self:touch()
  return true
end

--- Takes a run-time registration back; what the configuration says shows again.
---@param kind string
---@param name string
---@return boolean existed
function Registry:unregister(kind, name)
  check_kind(kind, 2)
  local existed = self._.run_time[kind][name] ~= nil
  self._.run_time[kind][name] = nil
  if existed then self:touch() end
  return existed
end

--- Takes all run-time registrations back.
function Registry:reset()
  self._.run_time = empty_tier()
  self:touch()
end

--- Replaces all that is shared with other processes.
---@param values table<string, table<string, any>> by kind and name; a `registry.refusal` is a value that cannot be used
function Registry:share(values)
  self._.shared = setmetatable(values, { __index = empty_tier() })
  self:touch()
end

--- Replaces all that the configuration says about one kind.
---@param kind string
---@param values table<string, any>
function Registry:configure(kind, values)
  check_kind(kind, 2)
  self._.configuration[kind] = values
  self:touch()
end

--- The value under a name, or nil. A `{module =, name =}` that cannot be resolved is nil too.
---@param kind string
---@param name any
---@return any
---@return string? message why what is registered cannot be had
function Registry:lookup(kind, name)
  check_kind(kind, 2)
  if name == nil then return nil end
  local value = self._.run_time[kind][name]
  if value == nil then value = self._.shared[kind][name] end
  if value == nil then value = self._.configuration[kind][name] end
  return dereference(kind, name, value)
end

local function add_names(tier, names, seen)
  for name in pairs(tier) do
    if not seen[name] then names[#names + 1] = name end
    seen[name] = true
  end
end

--- The names of one kind in all tiers, sorted.
---@param kind string
---@return string[]
function Registry:list(kind)
  check_kind(kind, 2)
  local names, seen = {}, {}
  add_names(self._.run_time[kind], names, seen)
  add_names(self._.shared[kind], names, seen)
  add_names(self._.configuration[kind], names, seen)
  table.sort(names)
  return names
end

return M
