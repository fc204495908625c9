--- What was asked of runs in the store, by whoever has not got them: to end, and decisions about calls that wait.
local clock = require "curia.core.clock"
local durable = require "curia.durable"
local errors = require "curia.errors"
local log = require "curia.log"
local node = require "curia.recovery.node"
local rows = require "curia.store.runs"

local M = {}

-- ---- asking -----------------------------------------------------------------------------------------

local ASKED = [[SELECT 1 FROM {steps} AS a WHERE namespace = ? AND run_id = ? AND path = ? AND status = 'requested'
  AND NOT EXISTS (SELECT 1 FROM {steps} AS d WHERE d.namespace = a.namespace AND d.run_id = a.run_id AND d.path = ?)]]

local DECIDE = [[INSERT INTO {steps} (namespace, run_id, path, kind, status, result, attempt, fence, started_at)
  VALUES (?, ?, ?, 'decision', 'started', ?, 1, ?, ?)]]

-- A run that was parked belongs to nobody; whoever has it in memory, or finds it first, goes on with it.
local FREE = [[UPDATE {runs} SET status = CASE WHEN incarnation IS NULL THEN 'pending' ELSE status END, updated_at = ?
  WHERE namespace = ? AND run_id = ? AND finalized_at IS NULL]]

-- It has ended meanwhile, or somebody else has decided.
local function is_late(err)
  return rows.is_lost(err) or err.kind == "storage" and err.code == "constraint"
end

local function not_pending(row, call_id)
  return errors.new("validation", ("run %s: no call '%s' waits for approval"):format(row.run_id, call_id),
    { code = "not_pending" })
end

--- Decides about a call of a stored run that waits for approval.
---@async
---@param store curia.Store
---@param row curia.store.RunRow
---@param call_id string
---@param approved boolean
---@param note? string
---@return true?
---@return curia.Error? err kind `validation`, code `not_pending`
function M.decide(store, row, call_id, approved, note)
  local decision = "decision/" .. call_id
  local asked, err = store:query(ASKED, row.namespace, row.run_id, "approval/" .. call_id, decision)
  if not asked then return nil, err end
  if not asked[1] or row.status ~= "blocked" then return nil, not_pending(row, call_id) end
  local unit, now = {}, clock.wall_ms()
  local given = store:pack(unit, { call_id = call_id, approved = approved, note = note })
  unit[#unit + 1] = { DECIDE, row.namespace, row.run_id, decision, given, row.fence, now }
  unit[#unit + 1] = { FREE, now, row.namespace, row.run_id, expect_rows = 1 }
  local done
  done, err = store:write(unit)
  if done then return true end
  return nil, is_late(err) and not_pending(row, call_id) or err
end

-- ---- hearing ----------------------------------------------------------------------------------------

-- A run that only waits for decisions belongs to nobody, and may be in memory here all the same. No decision is made
-- about one that goes on.
local ASKED_OF = [[SELECT r.namespace, r.run_id, r.cancel_requested, d.path, d.result FROM {runs} AS r
  LEFT JOIN {steps} AS d ON d.namespace = r.namespace AND d.run_id = r.run_id AND d.kind = 'decision'
    AND d.status = 'started' AND r.status <> 'running'
  WHERE r.status IN ('pending', 'running', 'blocked')
    AND (r.incarnation = ? OR r.incarnation IS NULL AND r.run_id IN (NULL%s))
    AND (r.cancel_requested IS NOT NULL OR d.path IS NOT NULL)]]

local function key_of(namespace, run_id)
  return namespace .. "\0" .. run_id
end

-- The runs of this process that the store has, by their keys, and the ids of those that wait.
local function live_in(store)
  local runs, waiting = {}, {}
  for run in pairs(durable.live) do
    if run.conductor and run.conductor.writer.store == store and not run.ended then
      runs[key_of(run.namespace.name, run.id)] = run
      if run.status == "blocked" then waiting[#waiting + 1] = run.id end
    end
  end
  return runs, waiting
end

local function asked_of(store, waiting)
  local here, err = node.current(store)
  if not here then return nil, err end
  return store:query(ASKED_OF:format((", ?"):rep(#waiting)), here.incarnation, table.unpack(waiting))
end

local function hear_decision(store, run, row)
  local outcome, err = store:unpack(row.result)
  if err then return nil, err end
  local journal = run.journal -- none any more, if the run has ended meanwhile; a replay reads the decisions itself
  if journal and not journal.replaying and not journal.heard[row.path] then
    journal.heard[row.path] = true
    journal:post { kind = "decision", path = row.path, outcome = outcome, stored = true }
  end
  return true
end

local function hear_cancel(run, reason)
  if not run.journal or run.journal.heard.cancel then return end
  run.journal.heard.cancel = true
  run:cancel(reason)
end

local function hear_one(store, run, row)
  if row.cancel_requested then hear_cancel(run, row.cancel_requested) end
  if row.path then return hear_decision(store, run, row) end
  return true
end

-- Once: it is read again and again.
local function complain(run, row, err)
  local heard, mark = run.journal and run.journal.heard, "unread/" .. row.path
  if not heard or heard[mark] then return end
  heard[mark] = true
  log.write("error", ("run %s: what was asked of it cannot be read (%s): %s"):format(run.id, row.path, err.message))
end

--- Hands to the durable runs of this process what was asked of them: one statement, however many they are. What cannot
--- be read keeps the rest from nobody.
---@async
---@param store curia.Store
---@return true?
---@return curia.Error?
function M.hear(store)
  local runs, waiting = live_in(store)
  if not next(runs) then return true end
  local asked, err = asked_of(store, waiting)
  if not asked then return nil, err end
  for _, row in ipairs(asked) do
    local run, ok, problem = runs[key_of(row.namespace, row.run_id)], true, nil
    if run then ok, problem = hear_one(store, run, row) end
    if not ok then
      err = err or problem
      complain(run, row, problem)
    end
  end
  return not err or nil, err
end

return M
