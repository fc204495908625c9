--- Registrations that processes share (SPEC 2). The configuration's `registry` says where they are kept: "memory"
-- (this process's own), "sqlite" (the configured store; `{backend = "sqlite", store =, prefix =}` is another one), or a
-- registry of the user's own, a table of functions (docs/language.md, "Registering").
--
-- Look-ups stand deep inside of what cannot wait: they read a copy in memory. It is read anew before a run starts,
-- once it is older than `registry_ttl_ms`, and never within a durable run, which must find the same when it is resumed.
-- While the backend is down, what was read last goes on to hold.
local lazy = require "curia.lazy"
local choice = require "curia.registry.choice"
local clock = require "curia.core.clock"
local config = require "curia.config"
local copies = lazy "curia.registry.copy"
local entries = lazy "curia.registry.entry"
local errors = require "curia.errors"
local log = require "curia.log"
local registries = require "curia.registry"
local task = require "curia.task"
local user_code = require "curia.engine.user_code"

local M = {}

-- A backend that takes longer is down.
local DEADLINE_MS = 10000

---@class curia.registry.Sharing
---@field setting any what the configuration says
---@field place string what else it depends on
---@field backend curia.registry.Backend
---@field copy curia.registry.Copy
---@field version any what the backend has said of the state that was read
---@field writes integer how many changes this process has made
---@field read_ms? number when it was read last, or should have been
---@field reading? curia.Task
---@field is_down? boolean

local latest

local function place_of(conf)
  return table.concat({ conf:get "namespace", conf:get "store" or "", conf:get "prefix" or "" }, "\0")
end

local function open(setting, place)
  if latest then registries.shared():share {} end
  latest = not choice.is_memory(setting) and {
    setting = setting, place = place, backend = choice.backend(setting), copy = copies.new(), writes = 0,
  } or nil
  return latest
end

-- What the configuration names; nil: nothing is shared.
local function current()
  local conf = config.shared()
  local setting = conf:get "registry"
  if not latest and choice.is_memory(setting) then return nil end
  local place = place_of(conf)
  if latest and latest.setting == setting and latest.place == place then return latest end
  return open(setting, place)
end

local function share(self, changed)
  if changed and self == latest then registries.shared():share(self.copy:values()) end
end

-- ---- the backend ----------------------------------------------------------------------------------

-- The log hears of it once, until the backend has been read again.
local function down(self, err)
  if err.kind ~= "storage" then err = errors.new("storage", err.message, { traceback = err.traceback }) end
  if not self.is_down then
    log.write("error", "the shared registry is down, and what is known of it goes on to hold: " .. err.message)
  end
  self.is_down = true
  return nil, err
end

-- A backend that raises, or that takes too long, is down too.
local function called(self, name, ...)
  local ok, value, err = task.within(DEADLINE_MS, user_code.call, "the registry", self.backend[name], ...)
  if not ok then err = user_code.error_of("the registry", value) end
  if err then return down(self, err) end
  return value
end

local function changed_here(self, kind, name, entry)
  self.writes = self.writes + 1
  share(self, self.copy:put(kind, name, entry))
end

-- ---- reading --------------------------------------------------------------------------------------

local function version_of(self)
  if not self.backend.version then return nil end
  return called(self, "version")
end

local function read_all(self)
  local list, err = called(self, "all")
  if err then return nil, err end
  if type(list) == "table" then return list end
  return down(self, errors.new("storage", ("the registry gave a %s, no list"):format(type(list))))
end

-- What was read while this process made a change may lack it.
local function read(self)
  local version, list, err
  repeat
    local writes = self.writes
    version, err = version_of(self)
    if err then return nil, err end
    if version ~= nil and version == self.version then return true end
    list, err = read_all(self)
    if err then return nil, err end
  until writes == self.writes
  self.version = version
  share(self, self.copy:replace(list))
  return true
end

local function begin(self)
  self.reading = task.spawn_root(function()
    local done, err = user_code.call("the shared registry", read, self)
    self.read_ms, self.reading = clock.ms(), nil
    if err then return down(self, err) end
    self.is_down = nil
    return done
  end)
  return self.reading
end

local function finished(reading)
  local ok, done, err = reading:await()
  if ok then return done, err end
  return nil, user_code.error_of("the shared registry", done)
end

local function may_wait()
  return task.current() and coroutine.isyieldable() and not task.in_scope()
end

local function is_fresh(self)
  return self.read_ms and clock.ms() - self.read_ms < config.shared():get "registry_ttl_ms"
end

--- Brings the copy up to date where it is too old and the caller may wait. What fails is told to the log.
---@async
function M.freshen()
  local self = current()
  if self and may_wait() and not is_fresh(self) then finished(self.reading or begin(self)) end
end

--- Brings the copy up to date, however old it is.
---@async
---@return true?
---@return curia.Error? err kind `storage`: the backend is down, and what is known goes on to hold
function M.refresh()
  local self = current()
  if not self then return true end
  if self.reading then finished(self.reading) end -- which may have begun before what the caller waits for
  return finished(self.reading or begin(self))
end

-- ---- what users call ------------------------------------------------------------------------------

--- Registers a value at run time; it wins over the configuration's. Where registrations are shared it may wait, and
--- every process that shares them has the value within `registry_ttl_ms`.
---@async
---@param kind string one of `registry.kinds` ("profile", "tool", "round", "rule", ...); any other raises
---@param name string
---@param value any what the kind asks for, else it raises; for kinds that are functions also `{module =, name =}`
---@return true?
---@return curia.Error? err of a shared registry: kind `validation`, code `not_serializable` or `secret`: it is no data;
--- kind `storage`: the backend is down
function M.register(kind, name, value)
  registries.check(kind, name, value, 2)
  local self = current()
  if not self then return registries.shared():register(kind, name, value) end
  local data, err = entries.encode(kind, name, value)
  if err then return nil, err end
  local _
  _, err = called(self, "put", kind, name, data, entries.SCHEMA_VERSION)
  if err then return nil, err end
  changed_here(self, kind, name, { value = data, schema_version = entries.SCHEMA_VERSION })
  registries.shared():unregister(kind, name) -- what this process had for itself
  return true
end

--- Takes a registration back, for every process that shares it; what the configuration says shows again.
---@async
---@param kind string
---@param name string
---@return boolean? existed
---@return curia.Error? err kind `storage`
function M.unregister(kind, name)
  registries.check_name(kind, name, 2)
  local own, self = registries.shared():unregister(kind, name), current()
  if not self then return own end
  local existed, err = called(self, "delete", kind, name)
  if err then return nil, err end
  changed_here(self, kind, name, nil)
  return own or existed == true
end

--- Takes all registrations back, for every process that shares them.
---@async
---@return true?
---@return curia.Error? err kind `storage`
function M.reset()
  registries.shared():reset()
  local self = current()
  if not self then return true end
  local _, err = called(self, "reset")
  if err then return nil, err end
  self.writes = self.writes + 1
  share(self, self.copy:replace {})
  return true
end

--- The value under a name, or nil. A `{module =, name =}` that cannot be resolved is nil too. Of a shared registry it
--- is at most `registry_ttl_ms` old where the caller may wait.
---@param kind string
---@param name string
---@return any
---@return string? message why what is registered cannot be had
function M.lookup(kind, name)
  M.freshen()
  return registries.shared():lookup(kind, name)
end

--- The names of one kind, sorted.
---@param kind string
---@return string[]
function M.list(kind)
  M.freshen()
  return registries.shared():list(kind)
end

--- The value under a name as the backend has it at this moment.
---@async
---@param kind string
---@param name string
---@return any
---@return curia.Error? err kind `storage`, or `validation`: it is registered, and cannot be had
function M.fetch(kind, name)
  registries.check_name(kind, name, 2)
  local self = current()
  if self then
    local found, err = called(self, "get", kind, name)
    if err then return nil, err end
    changed_here(self, kind, name, type(found) == "table" and found or nil)
  end
  local value, message = registries.shared():lookup(kind, name)
  return value, message and errors.new("validation", message) or nil
end

return M
