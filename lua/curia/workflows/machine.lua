--- What becomes of a workflow: its state and something that has happened give what changes. Pure.
--
-- A state is what stands in the store: the workflow's row, the rows of its steps, and the plan with which it was
-- begun. Nothing that comes late, twice, or for an attempt that is over, changes anything: `decide` then gives nil.
local json = require "curia.json"

local M = {}

---@class curia.workflow.State
---@field instance table a row of {workflows}
---@field steps table<string, table> rows of {workflow_steps} by name
---@field plan curia.workflow.Plan

---@class curia.workflow.Changes
---@field instance table<string, any> by column; curia.null is NULL
---@field steps table<string, table<string, any>> by name, by column
---@field stop string[] steps that ran and are not wanted any more
---@field events table[] what to tell once the changes are stored

local LIVE = { running = true, blocked = true }
local DONE = { done = true, failed = true, cancelled = true }

--- Whether a workflow goes on.
---@param status string
---@return boolean
function M.is_live(status)
  return LIVE[status] == true
end

-- ---- a draft: the state with the changes so far ------------------------------------------------------

local function status_of(draft, name)
  local changed = draft.steps[name]
  return changed and changed.status or draft.state.steps[name].status
end

local function change(draft, name, values)
  local changed = draft.steps[name] or {}
  draft.steps[name] = changed
  for column, value in pairs(values) do changed[column] = value end
end

local function tell(draft, kind, name, more)
  local event = more or {}
  event.type, event.step = kind, name
  draft.events[#draft.events + 1] = event
end

local function any(draft, statuses)
  for name in pairs(draft.state.steps) do
    if statuses[status_of(draft, name)] then return true end
  end
  return false
end

local function all_done(draft, names)
  for _, name in ipairs(names) do
    if status_of(draft, name) ~= "done" then return false end
  end
  return true
end

local function is_due(draft, step)
  local status, row = status_of(draft, step.name), draft.state.steps[step.name]
  if status == "retrying" then return row.status == "retrying" and row.retry_at <= draft.now end
  return status == "pending" and all_done(draft, step.after)
end

-- ---- ends -------------------------------------------------------------------------------------------

local function cancel_rest(draft)
  for _, step in ipairs(draft.state.plan.steps) do
    local status = status_of(draft, step.name)
    if not DONE[status] then
      change(draft, step.name, { status = "cancelled", finished_at = draft.now })
      if status == "running" then draft.stop[#draft.stop + 1] = step.name end
    end
  end
end

local function finish(draft, status, err)
  draft.instance.status, draft.instance.finished_at, draft.instance.error = status, draft.now, err
  tell(draft, status == "done" and "workflow_completed" or "workflow_failed", nil, { status = status, error = err })
end

local function abort(draft, name, err)
  local reason = {}
  for key, value in pairs(err) do reason[key] = value end
  reason.step = name
  cancel_rest(draft)
  finish(draft, "failed", reason)
end

local function is_final(step, err)
  for _, kind in ipairs(step.never_retry) do
    if kind == err.kind then return true end
  end
  return false
end

local function outcome_of_failure(step, attempt, err)
  if step.on_failure == "pause" then return "paused" end
  local again = step.on_failure == "retry" and attempt < step.max_attempts and not is_final(step, err)
  return again and "retrying" or "failed"
end

local function fail(draft, step, attempt, err)
  local status = outcome_of_failure(step, attempt, err)
  local retry_at = status == "retrying" and draft.now + step.backoff_ms or nil
  change(draft, step.name, { status = status, error = err, retry_at = retry_at or json.null,
    finished_at = status == "failed" and draft.now or json.null })
  tell(draft, "step_failed", step.name, { attempt = attempt, status = status, error = err, retry_at = retry_at })
  if status == "failed" then abort(draft, step.name, err) end
end

local function complete(draft, name, attempt, result, reused_from)
  change(draft, name, { status = "done", result = result, error = json.null, reused_from = reused_from,
    finished_at = draft.now })
  tell(draft, "step_done", name, { attempt = attempt, result = result, reused_from = reused_from })
end

-- ---- what may happen ----------------------------------------------------------------------------------

local HAPPENS = {}

local function begin(draft, step, prepared, owner)
  local row = draft.state.steps[step.name]
  local attempt = row.attempt + 1
  local run_id = step.kind ~= "approval" and M.run_id(draft.state.instance.id, step.name, attempt) or nil
  local status = step.kind == "approval" and "blocked" or "running"
  change(draft, step.name, { status = status, attempt = attempt, run_id = run_id, owner = owner, input = prepared.input,
    input_hash = prepared.input_hash, started_at = draft.now, retry_at = json.null, error = json.null })
  if prepared.reused_from then
    return complete(draft, step.name, attempt, prepared.result, prepared.reused_from)
  end
  tell(draft, "step_started", step.name, { attempt = attempt, run_id = run_id, status = status })
  if prepared.error then fail(draft, step, attempt, prepared.error) end
end

-- Steps whose turn it is, with what has been made ready for them.
function HAPPENS.start(draft, event)
  if any(draft, { paused = true }) then return end
  for _, step in ipairs(draft.state.plan.steps) do
    local prepared = event.prepared[step.name]
    if prepared and is_due(draft, step) then begin(draft, step, prepared, event.owner) end
  end
end

local function current(draft, event)
  local row = draft.state.steps[event.step]
  local is_its_run = row and (event.run_id == nil or event.run_id == row.run_id)
  return is_its_run and row.status == "running" and row.attempt == event.attempt and row
end

-- Another process goes on with a step whose own has died.
function HAPPENS.claim(draft, event)
  local row = current(draft, event)
  if row and row.owner == event.from then change(draft, event.step, { owner = event.owner }) end
end

function HAPPENS.finished(draft, event)
  if current(draft, event) then complete(draft, event.step, event.attempt, event.result) end
end

function HAPPENS.failed(draft, event)
  if current(draft, event) then fail(draft, M.step(draft.state.plan, event.step), event.attempt, event.error) end
end

local function refusal(event)
  return { kind = "permanent", code = "refused", reason = event.note,
    message = ("step '%s' was refused%s"):format(event.step, event.note and ": " .. event.note or "") }
end

function HAPPENS.decided(draft, event)
  local row = draft.state.steps[event.step]
  if not row or row.status ~= "blocked" then return end
  if event.approved then
    return complete(draft, event.step, row.attempt, { approved = true, note = event.note })
  end
  fail(draft, M.step(draft.state.plan, event.step), row.attempt, refusal(event))
end

function HAPPENS.resume(draft)
  for name, row in pairs(draft.state.steps) do
    if row.status == "paused" then change(draft, name, { status = "retrying", retry_at = draft.now }) end
  end
end

function HAPPENS.cancel(draft, event)
  local reason = event.reason and ": " .. event.reason or ""
  cancel_rest(draft)
  finish(draft, "cancelled", { kind = "cancelled", message = "the workflow was cancelled" .. reason,
    reason = event.reason })
end

-- ---- deciding -----------------------------------------------------------------------------------------

-- It is blocked when it waits for a human being: at a pause, or with nothing else to do.
local function goes_on_as(draft)
  if any(draft, { paused = true }) then return "blocked" end
  if any(draft, { running = true, retrying = true }) then return "running" end
  for _, step in ipairs(draft.state.plan.steps) do
    if is_due(draft, step) then return "running" end
  end
  return any(draft, { blocked = true }) and "blocked" or "running"
end

local function settle(draft)
  if draft.instance.status then return end
  if not any(draft, { pending = true, running = true, retrying = true, paused = true, blocked = true }) then
    return finish(draft, "done")
  end
  local status = goes_on_as(draft)
  if status ~= draft.state.instance.status then draft.instance.status = status end
end

local function draft_of(state, now)
  return { state = state, now = now, instance = {}, steps = {}, stop = {}, events = {} }
end

--- What happens by an event, or nil when it changes nothing.
---@param state curia.workflow.State
---@param event table `type`: start, claim, finished, failed, decided, resume, cancel
---@param now integer Unix ms
---@return curia.workflow.Changes?
function M.decide(state, event, now)
  if not LIVE[state.instance.status] then return nil end
  local draft = draft_of(state, now)
  HAPPENS[event.type](draft, event)
  if not next(draft.steps) and not draft.instance.status then return nil end
  settle(draft)
  return { instance = draft.instance, steps = draft.steps, stop = draft.stop, events = draft.events }
end

--- The steps whose turn it is: what they wait for is done, or the time of their next try has come.
---@param state curia.workflow.State
---@param now integer
---@return string[]
function M.ready(state, now)
  local names, draft = {}, draft_of(state, now)
  if not LIVE[state.instance.status] or any(draft, { paused = true }) then return names end
  for _, step in ipairs(state.plan.steps) do
    if is_due(draft, step) then names[#names + 1] = step.name end
  end
  return names
end

--- A step of a plan.
---@param plan curia.workflow.Plan
---@param name string
---@return curia.workflow.PlanStep?
function M.step(plan, name)
  for _, step in ipairs(plan.steps) do
    if step.name == name then return step end
  end
end

--- The id of a step's run: the same whoever starts it.
---@param id string the workflow's
---@param step string
---@param attempt integer
---@return string
function M.run_id(id, step, attempt)
  return ("%s.%s.%d"):format(id, step, attempt)
end

return M
