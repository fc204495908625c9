--- Requests to cancel a run, which other processes leave on its row (`curia runs cancel`).
--
-- One task for each store looks once a second, for all of its runs, and ends when there is none left.
local log = require "curia.log"
local task = require "curia.task"

local M = {}

local EVERY_MS = 1000

local watches = setmetatable({}, { __mode = "k" }) -- by store

local function key_of(namespace, run_id)
  return namespace .. "\0" .. run_id
end

-- The condition on the status is the index's.
local REQUESTS = [[SELECT namespace, run_id, cancel_requested FROM {runs}
  WHERE status IN ('pending', 'running', 'blocked') AND cancel_requested IS NOT NULL]]

local function look(store, runs)
  local rows, err = store:query(REQUESTS)
  if not rows then return log.write("warn", "requests to cancel runs cannot be read: " .. err.message) end
  for _, row in ipairs(rows) do
    local run = runs[key_of(row.namespace, row.run_id)]
    if run then run:cancel(row.cancel_requested) end
  end
end

local function go(store, watch)
  local guard <close> = setmetatable({}, { __close = function() watches[store] = nil end })
  while next(watch.runs) do
    watch.signal:wait(EVERY_MS)
    if next(watch.runs) then look(store, watch.runs) end
  end
end

local function watch_of(store)
  local watch = watches[store]
  if watch then return watch end
  watch = { runs = {}, signal = task.signal() }
  watches[store] = watch
  return watch
end

--- Has a run cancelled when somebody asks for it, until `M.leave`.
---@param store curia.Store
---@param run curia.Run
function M.watch(store, run)
  local watch = watch_of(store)
  watch.runs[key_of(run.namespace.name, run.id)] = run
  watch.task = watch.task or task.spawn_background(go, store, watch)
end

--- The run has ended.
---@param store curia.Store
---@param run curia.Run
function M.leave(store, run)
  local watch = watches[store]
  if not watch then return end
  watch.runs[key_of(run.namespace.name, run.id)] = nil
  if not next(watch.runs) then watch.signal:notify() end
end

return M
