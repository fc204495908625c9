--- Users' data that is sealed: the store notes that it holds such, since nobody who lacks the key sees it by itself.
local errors = require "curia.errors"

local M = {}

local NOTE = "INSERT INTO {meta} (key, value) VALUES ('sealed', '1') ON CONFLICT (key) DO NOTHING"

-- A store that is locked says so instead of reading.
local function look(store)
  local rows, err = store:query "SELECT value FROM {meta} WHERE key = 'sealed'"
  if not rows then return nil, err end
  store.is_locked = rows[1] ~= nil and not store.unseal
  return true
end

--- What whoever needs sealed data is told.
---@param store curia.Store
---@return curia.Error kind `storage`, code `sealed`
function M.error(store)
  return errors.new("storage", ("%s holds sealed data, which cannot be read without its key: configure "
    .. "at_rest = { seal = ..., unseal = ... } as where it was written"):format(store.url), { code = "sealed" })
end

--- Gives a store its hooks. The note is made before any sealed value is.
---@async
---@param store curia.Store
---@param hooks? {seal?: function, unseal?: function} `at_rest` of the configuration
---@return true?
---@return curia.Error? err kind `storage`
function M.apply(store, hooks)
  if hooks then store.seal, store.unseal = hooks.seal, hooks.unseal end
  if store.seal then
    local done, err = store:execute(NOTE)
    if not done then return nil, err end
  end
  return look(store)
end

--- Whether all that is stored can be read, also what another process has sealed meanwhile.
---@async
---@param store curia.Store
---@return true?
---@return curia.Error? err kind `storage`, code `sealed` where it cannot
function M.check(store)
  local looked, err = look(store)
  if not looked then return nil, err end
  if store.is_locked then return nil, M.error(store) end
  return true
end

return M
