--- Gaps in the records of runs: events that ought to be there, and are not.
--
-- Events are numbered without gaps, and the row of a run that has ended says how many of them its record has: all, or
-- those that its recorder was to keep. Of a run that goes on and has no journal nothing can be told.

local M = {}

---@class curia.store.Gap
---@field namespace string
---@field run_id string
---@field expected integer how many events the record ought to have
---@field missing integer how many of them it lacks

local COUNTED = [[SELECT r.namespace, r.run_id,
    CASE WHEN r.finalized_at IS NULL THEN coalesce(max(e.seq), 0) ELSE r.events END AS expected, count(e.seq) AS n
  FROM {runs} AS r LEFT JOIN {run_events} AS e ON e.namespace = r.namespace AND e.run_id = r.run_id
  WHERE (r.finalized_at IS NOT NULL OR r.durability <> 'none') %s
  GROUP BY r.namespace, r.run_id, r.finalized_at, r.events]]

local FOUND = [[SELECT namespace, run_id, expected, expected - n AS missing FROM (%s) AS counted
  WHERE n < expected ORDER BY run_id]]

--- The runs of a store whose record has a gap.
---@async
---@param store curia.Store
---@return curia.store.Gap[]?
---@return curia.Error?
function M.all(store)
  return store:query(FOUND:format(COUNTED:format ""))
end

--- The gap in the record of a run.
---@async
---@param store curia.Store
---@param key {namespace: string, run_id: string}
---@return curia.store.Gap? gap nil: there is none
---@return curia.Error?
function M.of(store, key)
  local found, err = store:query(FOUND:format(COUNTED:format "AND r.namespace = ? AND r.run_id = ?"), key.namespace,
    key.run_id)
  return found and found[1], err
end

return M
