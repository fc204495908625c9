--- `curia.migrate(store, "up"|"down"|"status")`: a store's tables.
local migrate = require "curia.store.migrate"
local stores = require "curia.store"
local suggest = require "curia.suggest"

local M = {}

local ACTIONS = { up = migrate.up, down = migrate.down, status = migrate.status }

--- Brings a store's tables up to date, removes them with all that is in them, or says where they stand.
---@async
---@param url string "sqlite:PATH"
---@param action "up"|"down"|"status"
---@param opts? {prefix?: string}
---@return curia.store.Status|true|nil
---@return curia.Error?
function M.migrate(url, action, opts)
  local perform = ACTIONS[action]
  if not perform then error("migrate: " .. suggest.message("action", tostring(action), ACTIONS), 2) end
  local store, err = stores.open(url, { prefix = opts and opts.prefix })
  if not store then return nil, err end
  local done, problem = perform(store)
  store:close()
  return done, problem
end

return M
