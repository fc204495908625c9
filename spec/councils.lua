--- What the specs of councils/ share: the profiles that the councils name, on one provider for a while.
local curia = require "curia"

local M = {}

local NAMES = { "fast", "balanced", "deep" }

--- Calls `fn` while the shipped profiles ask the model "m" of a provider; gives its value.
---@param provider string
---@param fn fun(): any
---@return any
function M.on(provider, fn)
  for _, name in ipairs(NAMES) do curia.register("profile", name, { provider = provider, model = "m" }) end
  local ok, value = pcall(fn)
  for _, name in ipairs(NAMES) do curia.unregister("profile", name) end
  if not ok then error(value, 0) end
  return value
end

return M
