--- Versions of councils: the content hash of a council's data form, under which durable runs store it.
local errors = require "curia.errors"
local pins = require "curia.durable.pin"
local shared = require "curia.store.shared"
local task = require "curia.task"

local M = {}

local SHORTEST = 8 -- of a hash, that stands for the whole

local function is_version(made, wanted)
  local own = made:version()
  return own ~= nil and #wanted >= SHORTEST and own:sub(1, #wanted) == wanted
end

local function unknown(made, wanted, why)
  local own = made:version()
  return errors.new("invalid_council", ("council %s is %s; version %s %s"):format(made.name,
    own and "version " .. own:sub(1, 12) or "no data, and has no version", wanted, why), { code = "unknown_version" })
end

local function stored(made, wanted, conf)
  if task.in_scope() or not task.current() then return nil, unknown(made, wanted, "cannot be looked for from here") end
  local store, err = shared.known(conf)
  if err then return nil, err end
  local found
  if store then found, err = pins.stored(store, wanted) end
  if err then return nil, err end
  if found and found.name == made.name then return found end
  return nil, unknown(made, wanted, "is not in the store")
end

--- The council of a version: the one that is known, or the one that a durable run has stored.
---@async
---@param made curia.Council the known one
---@param wanted string content hash; of the known one's, eight digits are enough
---@param conf curia.Config
---@return curia.Council?
---@return curia.Error? err kind `invalid_council`, code `unknown_version`; `storage`
function M.choose(made, wanted, conf)
  if is_version(made, wanted) then return made end
  return stored(made, wanted, conf)
end

return M
