--- Taking a run over from a process that has died or let it go: one compare-and-set, which one of many wins.
local clock = require "curia.core.clock"
local json = require "curia.json"
local rows = require "curia.store.runs"

local M = {}

local CLAIM = [[UPDATE {runs} SET fence = fence + 1, owner = ?, incarnation = ?, attempts = attempts + ?,
  status = 'running', updated_at = ? WHERE namespace = ? AND run_id = ? AND fence = ? AND finalized_at IS NULL]]

--- Claims a run for this process. A claim of what was let go is none that counts: nobody has died of it.
---@async
---@param store curia.Store
---@param row curia.store.RunRow becomes the claimed one: fence, owner, incarnation, attempts
---@param node curia.Node
---@return boolean? won nil, err when the store fails
---@return curia.Error?
function M.run(store, row, node)
  local counts = row.incarnation and 1 or 0
  local done, err = store:write { {
    CLAIM, expect_rows = 1, node.node_id, node.incarnation, counts, clock.wall_ms(), row.namespace, row.run_id, row.fence,
  } }
  if not done then
    if rows.is_lost(err) then return false end
    return nil, err
  end
  row.fence, row.owner, row.incarnation = row.fence + 1, node.node_id, node.incarnation
  row.attempts = row.attempts + counts
  return true
end

local LAST_EVENT = "SELECT max(seq) AS last FROM {run_events} WHERE namespace = ? AND run_id = ?"

--- Ends a claimed run with an error: the row, and the last event, in one unit.
---@async
---@param store curia.Store
---@param row curia.store.RunRow
---@param err curia.Error kind `orphaned` or `poisoned`
---@return true?
---@return curia.Error? problem
function M.fail(store, row, err)
  local found, problem = store:query(LAST_EVENT, row.namespace, row.run_id)
  if not found then return nil, problem end
  local now, unit = clock.wall_ms(), {}
  local result = { run_id = row.run_id, council = row.council, status = "error", errors = { err }, input = row.input }
  rows.update(store, unit, row, row.fence, {
    status = "failed", error = err, result = result, finalized_at = now, owner = json.null, incarnation = json.null,
  })
  rows.event(store, unit, row.namespace, {
    v = 1, seq = (found[1].last or 0) + 1, at = now, type = "run_failed", run_id = row.run_id, errors = { err },
    result = result,
  })
  local done
  done, problem = store:write(unit)
  return done and true, problem
end

return M
