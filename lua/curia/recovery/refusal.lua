--- Why a stored run cannot be resumed.
local errors = require "curia.errors"
local node = require "curia.recovery.node"

local M = {}

local function refused(code, message, ...)
  return errors.new("validation", message:format(...), { code = code })
end

--- What speaks against going on with a run; nil where nothing does.
---@param store curia.Store
---@param row curia.store.RunRow
---@return curia.Error? err kinds `unsupported`, `validation` (codes `ended`, `inside`, `running`)
function M.of(store, row)
  if row.durability == "none" then
    return errors.new("unsupported", ("run %s is not durable, and cannot be resumed"):format(row.run_id))
  end
  if row.finalized_at and row.status ~= "failed" then
    return refused("ended", "run %s has ended: %s", row.run_id, row.status)
  end
  if row.parent_run_id then -- whose journal has what it has asked
    return refused("inside", "run %s is part of run %s: resume that one", row.run_id, row.parent_run_id)
  end
  if row.incarnation and node.is_alive(store, row.incarnation) then
    return refused("running", "run %s goes on, in a process of node %s", row.run_id, row.owner)
  end
end

return M
