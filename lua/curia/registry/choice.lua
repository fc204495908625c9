--- Where registrations are kept: what the configuration's `registry` may say.
local errors = require "curia.errors"
local suggest = require "curia.suggest"

local M = {}

--- What a registry of one's own has; each may wait, and gives `nil, err` where it fails:
---   put(kind, name, value, schema_version)
---   get(kind, name) -> `{value =, schema_version =}`, or nil
---   delete(kind, name) -> whether it was there
---   all() -> a list of `{kind =, name =, value =, schema_version =}`
---   reset()
--- and, so that `all` is asked only when something has changed, `version() -> any`. Values are JSON values.
M.functions = { "put", "get", "delete", "all", "reset" }

local BACKENDS = { memory = true, sqlite = true, postgres = true, redis = true }
local MODULES = { sqlite = "curia.registry.sqlite" }
local FIELDS = { backend = "string", store = "string", prefix = "string" }

local function is_own(given)
  return type(given) == "table" and given.backend == nil
end

local function fault_of_own(own)
  for _, name in ipairs(M.functions) do
    if type(own[name]) ~= "function" then return ("a registry has a function '%s'"):format(name) end
  end
end

local function fault_of_fields(given)
  for name, value in pairs(given) do
    if not FIELDS[name] then return suggest.message("field", name, FIELDS) end
    if type(value) ~= FIELDS[name] then return ("%s: a %s is expected"):format(name, FIELDS[name]) end
  end
  if not BACKENDS[given.backend] then return suggest.message("registry backend", given.backend, BACKENDS) end
end

--- What is wrong with a table that is given.
---@param given table a registry of one's own, or `{backend =, store =, prefix =}`
---@return true?
---@return {path: string, code: string, message: string}[]? faults
function M.check(given)
  local fault = (is_own(given) and fault_of_own or fault_of_fields)(given)
  if not fault then return true end
  return nil, { { path = "", code = "wrong_type", message = fault } }
end

-- The name of a backend is the short form of a table.
local function long(setting)
  return type(setting) == "table" and setting or { backend = setting or "memory" }
end

--- Whether it is this process's own memory.
---@param setting any
---@return boolean
function M.is_memory(setting)
  return long(setting).backend == "memory"
end

-- It fails at each call: nothing falls back on the memory in silence.
local function missing(name)
  local err = errors.new("storage", ("the registry '%s' is not part of this version"):format(name),
    { code = "unknown_store" })
  local backend = {}
  for _, fn in ipairs(M.functions) do backend[fn] = function() return nil, err end end
  return backend
end

--- What keeps the registrations.
---@param setting any not memory
---@return curia.registry.Backend
function M.backend(setting)
  if is_own(setting) then return setting end
  local given = long(setting)
  local module = MODULES[given.backend]
  return module and require(module).at(given.store, given.prefix) or missing(given.backend)
end

--- The setting in words.
---@param setting any
---@return string
function M.describe(setting)
  if is_own(setting) then return "a registry of your own" end
  local given = long(setting)
  if given.backend == "memory" then return "in this process's memory" end
  return given.backend .. (given.store and (" (%s)"):format(given.store) or ", in the configured store")
end

return M
