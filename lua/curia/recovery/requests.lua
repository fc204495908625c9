--- What was asked of runs in the store, by whoever has not got them: to end, and decisions about calls that wait.
local clock = require "curia.core.clock"
local durable = require "curia.durable"
local errors = require "curia.errors"
local json = require "curia.json"
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
  return nil, rows.is_lost(err) and not_pending(row, call_id) or err
end

-- ---- hearing ----------------------------------------------------------------------------------------

local CANCELS = [[SELECT cancel_requested FROM {runs} WHERE namespace = ? AND run_id = ?
  AND cancel_requested IS NOT NULL]]

local DECISIONS = [[SELECT path, result FROM {steps} WHERE namespace = ? AND run_id = ? AND kind = 'decision'
  AND status = 'started']]

local function hear_decisions(store, run)
  local found, err = store:query(DECISIONS, run.namespace.name, run.id)
  if not found then return nil, err end
  for _, row in ipairs(found) do
    local outcome, problem = store:unpack(row.result)
    if problem then return nil, problem end
    if run.journal and not run.journal.heard[row.path] then
      run.journal.heard[row.path] = true
      run.journal:post { kind = "decision", path = row.path, outcome = outcome, stored = true }
    end
  end
  return true
end

local function hear(store, run)
  local found, err = store:query(CANCELS, run.namespace.name, run.id)
  if not found then return nil, err end
  if found[1] and found[1].cancel_requested ~= json.null then run:cancel(found[1].cancel_requested) end
  return hear_decisions(store, run)
end

--- Hands to the durable runs of this process what was asked of them.
---@async
---@param store curia.Store
---@return true?
---@return curia.Error?
function M.hear(store)
  local live = {}
  for run in pairs(durable.live) do live[#live + 1] = run end
  for _, run in ipairs(live) do
    if not run.ended then
      local ok, err = hear(store, run)
      if not ok then return nil, err end
    end
  end
  return true
end

return M
