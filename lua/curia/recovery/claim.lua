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
    CLAIM, expect_rows = 1, node.node_id, node.incarnation, counts, clock.wall_ms(), row.namespace, row.run_id,
    row.fence,
  } }
  if not done then
    if rows.is_lost(err) then return false end
    return nil, err
  end
  row.fence, row.owner, row.incarnation = row.fence + 1, node.node_id, node.incarnation
  row.attempts = row.attempts + counts
  return true
end

-- An incarnation that no process has: who takes a run of it up has claimed it from the dead, which counts.
local NOBODY = "nobody"

local GIVE_BACK = [[UPDATE {runs} SET owner = NULL, incarnation = ?, attempts = attempts - ? WHERE namespace = ?
  AND run_id = ? AND fence = ? AND incarnation = ? AND status IN ('pending', 'running') AND finalized_at IS NULL]]

--- Gives a run up that was claimed and could not be gone on with; another claim, here or elsewhere, tries again.
---@async
---@param store curia.Store
---@param row curia.store.RunRow
---@param counts boolean whether the run is to blame, so that it is poisoned in the end
---@return true?
---@return curia.Error?
function M.give_back(store, row, counts)
  local back = not counts and row.attempts > 0 and 1 or 0
  local done, err = store:execute(GIVE_BACK, NOBODY, back, row.namespace, row.run_id, row.fence, row.incarnation)
  return done and true, err
end

local REOPEN = [[UPDATE {runs} SET fence = fence + 1, owner = ?, incarnation = ?, status = 'running',
  finalized_at = NULL, updated_at = ? WHERE namespace = ? AND run_id = ? AND fence = ? AND status = 'failed']]

--- Claims a run that has failed, to try its last errors once more.
---@async
---@param store curia.Store
---@param row curia.store.RunRow becomes the claimed one; `finalized_at` stays
---@param node curia.Node
---@return boolean? won
---@return curia.Error?
function M.reopen(store, row, node)
  local done, err = store:write { {
    REOPEN, expect_rows = 1, node.node_id, node.incarnation, clock.wall_ms(), row.namespace, row.run_id, row.fence,
  } }
  if not done then
    if rows.is_lost(err) then return false end
    return nil, err
  end
  row.fence, row.owner, row.incarnation, row.status = row.fence + 1, node.node_id, node.incarnation, "running"
  return true
end

local UNDO = [[UPDATE {runs} SET owner = NULL, incarnation = ?, attempts = ?, status = ?, finalized_at = ?
  WHERE namespace = ? AND run_id = ? AND fence = ? AND incarnation = ?]]

--- Takes a claim back that somebody has asked for and that has come to nothing: the run is what it was, and nobody's.
---@async
---@param store curia.Store
---@param row curia.store.RunRow as it was claimed
---@param before curia.store.RunRow as it was before
---@return true?
---@return curia.Error?
function M.undo(store, row, before)
  local done, err = store:execute(UNDO, before.incarnation or json.null, before.attempts, before.status,
    before.finalized_at or json.null, row.namespace, row.run_id, row.fence, row.incarnation)
  return done and true, err
end

--- Lets a claimed run wait for somebody: its council is not what it was.
---@async
---@param store curia.Store
---@param row curia.store.RunRow
---@param err curia.Error kind `replay_mismatch`
---@return true?
---@return curia.Error? problem
function M.block(store, row, err)
  local unit = {}
  rows.update(store, unit, row, row.fence, {
    status = "blocked", reason = "replay_mismatch", error = err, owner = json.null, incarnation = json.null,
  })
  local done, problem = store:write(unit)
  return done and true, problem
end

return M
