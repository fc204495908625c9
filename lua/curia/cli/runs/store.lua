--- The store that the commands look into: the configured one. Looking does not make it.
local config = require "curia.config"
local errors = require "curia.errors"
local reading = require "curia.recorder.reading"
local shared = require "curia.store.shared"

local M = {}

--- Opens the store.
---@async
---@return curia.Store?
---@return curia.Error?
function M.open()
  local url, err = shared.url(config.shared())
  if url then err = shared.absence(url) end
  if err then return nil, err end
  return shared.of(url, config.shared():get "prefix")
end

local function newest(store, namespace)
  local rows, err = reading.rows(store, { namespace = namespace, limit = 1 })
  if not rows then return nil, err end
  if rows[1] then return rows[1].run_id end
  return nil, errors.new("unknown_run", "no run is stored yet")
end

--- A stored run. "last" is the newest.
---@async
---@param store curia.Store
---@param id string
---@return curia.StoredRun?
---@return curia.Error?
function M.find(store, id)
  local namespace, err = config.shared():get "namespace", nil
  if id == "last" then id, err = newest(store, namespace) end
  if not id then return nil, err end
  return reading.from(store, id, namespace)
end

return M
