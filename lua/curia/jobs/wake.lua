--- Tells the workers of this process at once that there is something to do; those of others look each second.
local M = {}

local listeners = {} -- by the store's address and prefix: a set of functions

local function key_of(store)
  return store.url .. "\0" .. store.prefix
end

--- Calls `fn` whenever somebody notifies.
---@param store curia.Store
---@param fn fun(later: boolean)
---@return fun() stop
function M.listen(store, fn)
  local key = key_of(store)
  listeners[key] = listeners[key] or {}
  listeners[key][fn] = true
  return function()
    listeners[key][fn] = nil
    if not next(listeners[key]) then listeners[key] = nil end
  end
end

--- There is something to do.
---@param store curia.Store
---@param otherwise? boolean no job to begin with: one for later, or one to end
function M.notify(store, otherwise)
  for fn in pairs(listeners[key_of(store)] or {}) do fn(otherwise == true) end
end

return M
