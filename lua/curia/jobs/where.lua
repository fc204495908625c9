--- Where jobs, and their runs with them, are kept: as the call says, else the configuration's `jobs`, else its store.
local config = require "curia.config"
local errors = require "curia.errors"
local shared = require "curia.store.shared"

local M = {}

local function no_postgres()
  return errors.new("storage", "jobs that several nodes share are kept in Postgres, which is not part of this version;"
    .. ' jobs = "sqlite" keeps them on this machine', { code = "unsupported" })
end

local function setting_of(conf)
  local setting = conf:get "jobs" or {}
  if type(setting) == "string" then setting = { backend = setting } end
  local backend = setting.backend or (conf:get "mode" == "multi_node" and "postgres" or "sqlite")
  return backend, setting
end

-- Without an address it is the configured store.
local function place_of(url)
  local conf = config.shared()
  if url then return { url = url, prefix = conf:get "prefix" } end
  local backend, setting = setting_of(conf)
  if backend == "postgres" then return nil, no_postgres() end
  return { url = setting.store, prefix = setting.prefix or conf:get "prefix" }
end

--- Opens the store of jobs.
---@async
---@param url? string the call's
---@return curia.Store?
---@return curia.Error? err kind `storage`
function M.open(url)
  local place, err = place_of(url)
  if not place then return nil, err end
  if not place.url then return shared.configured(nil, place.prefix) end
  return shared.of(place.url, place.prefix)
end

--- Whether there is a store of jobs, for those who only look.
---@param url? string the call's
---@return curia.Error? err kind `storage`; code `nothing_stored`: it would have to be made
function M.absence(url)
  local place, err = place_of(url)
  if not place then return err end
  return shared.absence(place.url)
end

return M
