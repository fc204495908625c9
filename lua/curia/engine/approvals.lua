--- Calls that wait until somebody has approved or refused them (SPEC 7). Meanwhile the run is `blocked`, and its
--- deadlines stand still.
local errors = require "curia.errors"
local limits = require "curia.engine.limits"
local task = require "curia.task"

local M = {}

local SETTLING_MS = 20

-- Vendors' ids are unique in one answer only. Decisions about a durable run are addressed to the outermost one, for
-- those inside of it as well.
local function new_key(run, id)
  local outermost = run.root or run
  outermost.asked = outermost.asked or {}
  local key, n = id, 1
  while outermost.asked[key] do
    n = n + 1
    key = ("%s.%d"):format(id, n)
  end
  outermost.asked[key] = true
  return key
end

-- A run waits as long as any of its calls does, or any run inside of it: these count in `waits`.
local function block(run)
  run.waits = (run.waits or 0) + 1
  if run.waits > 1 or run.status ~= "running" then return end
  run.status = "blocked"
  limits.stop(run)
  local parent = run.parent
  if not parent then return end
  run.held = parent
  block(parent)
  parent.log:emit("run_blocked", { reason = "approval", member = run.parent_member, sub_run_id = run.id })
end

local function go_on(run, decided)
  limits.go_on(run)
  if run.status ~= "blocked" then return end
  run.status = "running"
  if decided then run.log:emit("run_resumed", { by = "approval", from = "blocked" }) end
end

local function unblock(run, decided)
  run.waits = run.waits - 1
  if run.waits > 0 or not run.stands_since then return end
  go_on(run, decided)
  local parent = run.held
  if not parent then return end
  run.held = nil
  unblock(parent, decided)
  if not run.opts.deadline_ms then run.deadline_at = parent.deadline_at end -- inherited: it has moved
end

local Waiting = {}
Waiting.__index = Waiting

-- However the wait ends: time goes on.
function Waiting:__close()
  self.run.pending[self.key] = nil
  unblock(self.run, self.decision ~= nil)
end

--- Somebody has decided.
---@param approved boolean
---@param note? string
function Waiting:decide(approved, note)
  if self.decision ~= nil then return end
  self.decision, self.note = approved, note
  self.signal:notify()
end

local function tell(place, call, key)
  local round, journal = place.round, place.run.journal
  if journal then journal:ask_for_decision({ name = call.name, arguments = call.arguments }, key) end
  place.run.log:emit("run_blocked", {
    reason = "approval", round = round.name, idx = round.idx, iteration = round.iteration, member = place.member.id,
    call = { id = key, name = call.name, arguments = call.arguments },
  })
end

local function begin(place, call)
  local run = place.run
  run.pending = run.pending or {}
  local waiting = setmetatable({ run = run, key = new_key(run, call.id), signal = task.signal() }, Waiting)
  run.pending[waiting.key] = waiting
  block(run)
  tell(place, call, waiting.key)
  return waiting
end

local function refusal(call, note)
  return errors.new("tool", ("the call of %s was refused%s"):format(call.name, note and ": " .. note or ""),
    { code = "refused", reason = note })
end

--- Waits until somebody has decided about a call.
---@async
---@param place curia.ToolPlace
---@param call table
---@return true? approved
---@return curia.Error? err the refusal, with its note
function M.ask(place, call)
  local waiting <close> = begin(place, call)
  while waiting.decision == nil do waiting.signal:wait() end
  if waiting.decision then return true end
  return nil, refusal(call, waiting.note)
end

--- Whether a call waits for somebody. What a run that is resumed has on record may hold the decision: it is read first.
---@async
---@param run curia.Run
---@param call_id string
---@return boolean
function M.is_waiting(run, call_id)
  repeat task.sleep(SETTLING_MS)
  until not (run.journal and (run.journal.replaying or run.journal.arrivals[1]))
  local waiting = run.pending and run.pending[call_id]
  return waiting ~= nil and waiting.decision == nil and not waiting.decided
end

--- Decides about a call that waits.
---@param run curia.Run
---@param call_id string as `run_blocked` told it
---@param decision boolean
---@param note? string
---@return true?
---@return curia.Error? err kind `validation`, code `not_pending`
function M.decide(run, call_id, decision, note)
  local waiting = run.pending and run.pending[call_id]
  if not waiting or waiting.decision ~= nil or waiting.decided then
    return nil, errors.new("validation", ("run %s: no call '%s' waits for approval"):format(run.id, tostring(call_id)),
      { code = "not_pending" })
  end
  waiting.decided = true
  if run.journal then run.journal:decide(run, call_id, decision, note) else waiting:decide(decision, note) end
  return true
end

return M
