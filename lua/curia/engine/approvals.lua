--- Calls that wait until somebody has approved or refused them (SPEC 7). Meanwhile the run is `blocked`, and the
--- deadlines of the run, of its rounds and of the turns that wait stand still.
local clock = require "curia.core.clock"
local errors = require "curia.errors"
local task = require "curia.task"

local M = {}

-- ---- deadlines that stand still -------------------------------------------------------------------

---@class curia.Limit a task's deadline, which calls that wait may hold
---@field task curia.Task
---@field at? number by the runtime's clock; nil: there is none
---@field holders? integer
---@field since? number when the first of them began to hold it

local function hold(limit)
  limit.holders = (limit.holders or 0) + 1
  if limit.holders > 1 then return end
  limit.since = clock.ms()
  if limit.at then limit.task:deadline(nil) end
end

-- Gives for how long it has stood still, once nobody holds it any more.
local function release(limit)
  limit.holders = limit.holders - 1
  if limit.holders > 0 then return 0 end
  local stood_ms = clock.ms() - limit.since
  limit.since = nil
  if limit.at then
    limit.at = limit.at + stood_ms
    limit.task:deadline(math.max(0, limit.at - clock.ms()))
  end
  return stood_ms
end

--- For how long a run has stood still so far.
---@param run curia.Run
---@return number ms
function M.stood_ms(run)
  local limit = run.limit
  return run.stood_ms + (limit and limit.since and clock.ms() - limit.since or 0)
end

-- ---- waiting --------------------------------------------------------------------------------------

-- Vendors' ids are unique in one answer only.
local function free_key(pending, id)
  local key, n = id, 1
  while pending[key] do
    n = n + 1
    key = ("%s.%d"):format(id, n)
  end
  return key
end

local function block(run)
  run.limit = run.limit or { task = run.task, at = run.deadline_at }
  hold(run.limit)
  if run.status == "running" then run.status = "blocked" end
end

local function unblock(run, decided)
  run.stood_ms = run.stood_ms + release(run.limit)
  run.deadline_at = run.limit.at
  if run.limit.holders > 0 or run.status ~= "blocked" then return end
  run.status = "running"
  if decided then run.log:emit("run_resumed", { by = "approval", from = "blocked" }) end
end

local Waiting = {}

-- However the wait ends: time goes on.
function Waiting:__close()
  local turn = self.turn
  turn.run.pending[self.key] = nil
  if turn.limit then
    local stood_ms = release(turn.limit)
    if turn.deadline_at then turn.deadline_at = turn.deadline_at + stood_ms end
  end
  unblock(turn.run, self.decision ~= nil)
end

local function begin(turn, call)
  local run = turn.run
  run.pending = run.pending or {}
  local waiting = setmetatable({ turn = turn, key = free_key(run.pending, call.id), signal = task.signal() }, Waiting)
  run.pending[waiting.key] = waiting
  block(run)
  if turn.limit then hold(turn.limit) end
  local round = turn.round
  run.log:emit("run_blocked", {
    reason = "approval", round = round.name, idx = round.idx, iteration = round.iteration, member = turn.member.id,
    call = { id = waiting.key, name = call.name, arguments = call.arguments },
  })
  return waiting
end

local function refusal(call, note)
  return errors.new("tool", ("the call of %s was refused%s"):format(call.name, note and ": " .. note or ""),
    { code = "refused", reason = note })
end

--- Waits until somebody has decided about a call.
---@async
---@param turn curia.ToolPlace
---@param call table
---@return true? approved
---@return curia.Error? err the refusal, with its note
function M.ask(turn, call)
  local waiting <close> = begin(turn, call)
  while waiting.decision == nil do waiting.signal:wait() end
  if waiting.decision then return true end
  return nil, refusal(call, waiting.note)
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
  if not waiting or waiting.decision ~= nil then
    return nil, errors.new("validation", ("run %s: no call '%s' waits for approval"):format(run.id, tostring(call_id)),
      { code = "not_pending" })
  end
  waiting.decision, waiting.note = decision, note
  waiting.signal:notify()
  return true
end

return M
