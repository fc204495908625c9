--- The runs that this process has in the store and goes on with no more: they have stopped here without an outcome, as
--- that could not be stored, or by a fault. The process lives, so that nobody else would take them up.
local claim = require "curia.recovery.claim"
local clock = require "curia.core.clock"
local durable = require "curia.durable"
local log = require "curia.log"

local M = {}

-- A run that has just been claimed is not going on yet.
local SILENT_MS = 60000

local SILENT = [[SELECT namespace, run_id, incarnation, fence, attempts FROM {runs}
  WHERE status IN ('pending', 'running') AND incarnation = ? AND durability <> 'none' AND updated_at <= ?]]

local function key_of(namespace, run_id)
  return namespace .. "\0" .. run_id
end

local function live_keys()
  local keys = {}
  for run in pairs(durable.live) do keys[key_of(run.namespace.name, run.id)] = true end
  return keys
end

local function give_back(store, row)
  log.write("warn", ("run %s has stopped here without an outcome; it is taken up again"):format(row.run_id))
  return claim.give_back(store, row, true)
end

--- Gives them up, for the next sweep of anybody.
---@async
---@param store curia.Store
---@param here curia.Node this process
---@return true?
---@return curia.Error?
function M.give_back(store, here)
  local silent, err = store:query(SILENT, here.incarnation, clock.wall_ms() - SILENT_MS)
  if not silent then return nil, err end
  local live = silent[1] and live_keys()
  for _, row in ipairs(silent) do
    local done = live[key_of(row.namespace, row.run_id)]
    if not done then done, err = give_back(store, row) end
    if not done then return nil, err end
  end
  return true
end

return M
