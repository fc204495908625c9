--- How long runs, jobs and workflows are kept (`retention`): each process that records or works looks once in a while.
local clock = require "curia.core.clock"
local lazy = require "curia.lazy"
local log = require "curia.log"
local prune = lazy "curia.store.prune"
local task = require "curia.task"

local M = {}

local EVERY_MS = 3600000

local looked = setmetatable({}, { __mode = "k" }) -- by store, by the runtime's clock

local function go(store, older_than_ms)
  local _, err = prune.ended(store, clock.wall_ms() - older_than_ms)
  if err then log.write("warn", "what is too old was not removed: " .. err.message) end
end

--- Removes what is older, unless this was done within the hour. Does not wait for it.
---@param store curia.Store
---@param older_than_ms? number nil: everything is kept
---@return curia.Task? task that removes, when there is one
function M.keep(store, older_than_ms)
  local last = looked[store]
  if not older_than_ms or last and clock.ms() - last < EVERY_MS then return nil end
  looked[store] = clock.ms()
  return task.spawn_background(go, store, older_than_ms)
end

return M
