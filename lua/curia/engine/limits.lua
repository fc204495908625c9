--- The deadlines of a run: its own, its turns', its rounds'. While the run is blocked they stand still together.
local clock = require "curia.core.clock"

local M = {}

---@class curia.Limit
---@field holder {deadline_at?: number} whoever looks how much time is left: a turn, the run
---@field at? number when the task's deadline is; nil: it has none of its own
---@field number integer in the order of setting

-- By task; the table lets go of those that have ended.
local function limits_of(run)
  run.limits = run.limits or setmetatable({}, { __mode = "k" })
  return run.limits
end

-- In the order of their setting: a durable run must do the same again.
local function in_order(run)
  local list = {}
  for task, limit in pairs(limits_of(run)) do list[#list + 1] = { task = task, limit = limit } end
  table.sort(list, function(a, b) return a.limit.number < b.limit.number end)
  return list
end

--- The earlier of two times, either of which may be missing.
---@param a? number
---@param b? number
---@return number?
function M.nearer(a, b)
  if not a or not b then return a or b end
  return math.min(a, b)
end

--- Gives a task of a run a deadline, and tells its holder (`deadline_at`).
---@param run curia.Run
---@param task curia.Task
---@param ms? number the task is cancelled then
---@param holder? table
---@param until_at? number when its time is over for another reason
function M.set(run, task, ms, holder, until_at)
  local now = run.stands_since or clock.ms()
  run.limits_set = (run.limits_set or 0) + 1
  local limit = { holder = holder or {}, at = ms and now + ms, number = run.limits_set }
  limit.holder.deadline_at = M.nearer(limit.at, until_at)
  limits_of(run)[task] = limit
  if ms and not run.stands_since then task:deadline(ms) end
end

--- From now on the deadlines stand still.
---@param run curia.Run
function M.stop(run)
  run.stands_since = clock.ms()
  for _, set in ipairs(in_order(run)) do
    if set.limit.at then set.task:deadline(nil) end
  end
end

local function move(task, limit, stood_ms)
  local holder = limit.holder
  if holder.deadline_at then holder.deadline_at = holder.deadline_at + stood_ms end
  if not limit.at then return end
  limit.at = limit.at + stood_ms
  task:deadline(math.max(0, limit.at - clock.ms()))
end

--- They go on, later by the time in which they stood still.
---@param run curia.Run
function M.go_on(run)
  local stood_ms = clock.ms() - run.stands_since
  run.stands_since, run.stood_ms = nil, run.stood_ms + stood_ms
  for _, set in ipairs(in_order(run)) do move(set.task, set.limit, stood_ms) end
end

--- For how long they have stood still so far.
---@param run curia.Run
---@return number ms
function M.stood_ms(run)
  return run.stood_ms + (run.stands_since and clock.ms() - run.stands_since or 0)
end

return M
