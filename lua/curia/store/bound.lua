--- What a backend is made of: functions that take a store, as functions that open it themselves.
local config = require "curia.config"
local shared = require "curia.store.shared"

local M = {}

local function opener(url, prefix)
  if not url then return shared.configured end
  return function() return shared.of(url, prefix or config.shared():get "prefix") end
end

--- Binds functions to the configured store, or to one of its own, which is opened when it is needed.
---@param functions table<string, fun(store: curia.Store, ...): any, any>
---@param url? string
---@param prefix? string
---@return table<string, fun(...): any, any> functions async; they give `nil, err` where the store cannot be opened
function M.to(functions, url, prefix)
  local open, bound = opener(url, prefix), {}
  for name, fn in pairs(functions) do
    bound[name] = function(...)
      local store, err = open()
      if not store then return nil, err end
      return fn(store, ...)
    end
  end
  return bound
end

return M
