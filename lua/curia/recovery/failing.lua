--- Ends a run that nobody goes on with. Its row, its last event and the runs inside of it are one unit; all that it had
--- come to is kept.
local clock = require "curia.core.clock"
local errors = require "curia.errors"
local json = require "curia.json"
local outcomes = require "curia.recovery.outcome"
local rows = require "curia.store.runs"

local M = {}

-- A journal has all events; which of them a recorder was to keep is not known any more.
local function events_of(row, last, count)
  return (row.durability == "none" and count or last) + 1
end

local function put(store, unit, row, err)
  local result, last, count = outcomes.of(store, row, err)
  if not result then return nil, last end
  local now = clock.wall_ms()
  rows.update(store, unit, row, row.fence, {
    status = err.kind == "cancelled" and "cancelled" or "failed", error = err, result = result, usage = result.usage,
    cost = result.cost and result.cost.usd, events = events_of(row, last, count), finalized_at = now, owner = json.null,
    incarnation = json.null,
  })
  rows.event(store, unit, row.namespace, {
    v = 1, seq = last + 1, at = now, type = "run_failed", run_id = row.run_id, parent_run_id = row.parent_run_id,
    errors = result.errors, result = result,
  })
  return true
end

local INSIDE = [[WITH RECURSIVE inside (run_id, finalized_at) AS (
    SELECT run_id, finalized_at FROM {runs} WHERE namespace = ? AND parent_run_id = ?
    UNION ALL SELECT r.run_id, r.finalized_at FROM {runs} AS r JOIN inside ON r.parent_run_id = inside.run_id
      WHERE r.namespace = ?)
  SELECT run_id FROM inside WHERE finalized_at IS NULL]]

local function put_inner(store, unit, outer, run_id, err)
  local row, problem = rows.get(store, outer.namespace, run_id)
  if not row then return nil, problem end
  return put(store, unit, row, errors.new(err.kind, ("run %s: it is part of %s, which has ended"):format(run_id,
    outer.run_id)))
end

-- Runs inside of the run, and inside of those, that have not ended: nobody goes on with them either.
local function put_inside(store, unit, row, err)
  local found, problem = store:query(INSIDE, row.namespace, row.run_id, row.namespace)
  if not found then return nil, problem end
  for _, inner in ipairs(found) do
    local done
    done, problem = put_inner(store, unit, row, inner.run_id, err)
    if not done then return nil, problem end
  end
  return true
end

--- Ends a claimed run with an error.
---@async
---@param store curia.Store
---@param row curia.store.RunRow
---@param err curia.Error kind `orphaned` or `poisoned`, or `cancelled`, if that was asked for
---@param add? fun(unit: curia.sql.Statement[]) what is to happen in the same unit
---@return true?
---@return curia.Error? problem
function M.fail(store, row, err, add)
  local unit = {}
  local done, problem = put(store, unit, row, err)
  if done then done, problem = put_inside(store, unit, row, err) end
  if not done then return nil, problem end
  if add then add(unit) end
  done, problem = store:write(unit)
  return done and true, problem
end

return M
