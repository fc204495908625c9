--- Tasks: structured concurrency for councils and scripts.
--
-- A task is a coroutine with an owner. It ends only after the tasks that it spawned have ended;
-- cancelling it cancels them. Inside a task, waiting yields; at top level it runs the loop.
local core = require "curia.core.task"

local M = {
  --- Makes a task of the running one: it runs when the caller waits or ends. Misuse raises.
  ---@param fn function
  ---@param ... any its arguments
  ---@return curia.Task
  spawn = core.spawn,
  --- Makes a task that belongs to the runtime, whoever spawns it. Its body begins in any case; when it was cancelled
  --- before, its first wait raises.
  ---@param fn function
  ---@param ... any its arguments
  ---@return curia.Task
  spawn_root = core.spawn_root,
  --- Makes a task that is cancelled as soon as the running one's body has ended. Its body begins in any case, as a
  --- root's.
  ---@param fn function
  ---@param ... any its arguments
  ---@return curia.Task
  spawn_bound = core.spawn_bound,
  --- Makes a task that belongs to the runtime and does not keep its loop alive: housekeeping.
  ---@param fn function
  ---@param ... any its arguments
  ---@return curia.Task
  spawn_background = core.spawn_background,
  --- The running task, or nil at top level.
  ---@return curia.Task?
  current = core.current,
  --- Waits; 0 lets everything else that is ready run first.
  ---@async
  ---@param ms number
  sleep = core.sleep,
  --- A group of tasks: `g:spawn(fn, ...)`, `g:next([timeout_ms])` and `g:each()` in the order of ending.
  ---@return table
  group = core.group,
  --- Something to wait for: `s:wait([timeout_ms])` -> true | false, `s:notify()`.
  ---@return table
  signal = core.signal,
  --- A scope: `s:add(task)` one that has not begun, with all that it spawns; `s:quiet()` waits until none of them has
  --- anything left to do but wait. With a time of its own, on which its tasks wait and read the clock, `s:ms()` tells
  --- it, `s:due()` when the next wait or deadline is over, `s:set(ms)` moves it without ending any of these,
  --- `s:advance(ms)` ends them, and `s:set_wall(ms)` says what Unix time it is.
  ---@param wall_ms? number it has a time of its own, which begins at 0 and at this Unix time
  ---@return table
  scope = core.scope,
  --- Whether the running task is in a scope with a time of its own: whether it is a durable run's.
  ---@return lightuserdata|false key what `s:key()` of that scope gives
  in_scope = core.in_scope,
  --- The scope of the running task, with a time of its own or without.
  ---@return lightuserdata|false key what `s:key()` of that scope gives
  current_scope = core.current_scope,
  --- How many tasks have not ended, those in the background left out.
  ---@return integer
  count = core.count,
}

---@class curia.Task
---@field await fun(self, timeout_ms?: number): boolean|nil, any, any  true, results | false, err | nil, err
---@field result fun(self): boolean|nil, any, any  like await, without waiting
---@field cancel fun(self, reason?: string, kind?: "cancelled"|"deadline"|"timeout")
---@field deadline fun(self, ms: number|nil)  cancels the task in ms; nil takes it back
---@field status fun(self): string  ready | running | waiting | ending | ended
---@field cancelled fun(self): boolean

--- Runs functions at the same time and waits for all.
---@async
---@param functions (fun(): any)[]
---@return any[] values in the order of the functions; where one failed, false
---@return table<integer, curia.Error> errors by index, empty when all is well
function M.all(functions)
  local group, place = core.group(), {}
  for i, fn in ipairs(functions) do place[group:spawn(fn)] = i end
  local values, errors = {}, {}
  for task in group:each() do
    local ok, value = task:result()
    local i = place[task]
    values[i] = ok and value
    if not ok then errors[i] = value end
  end
  return values, errors
end

--- Runs functions at the same time; the first that returns wins, the others are cancelled.
---@async
---@param functions (fun(): any)[]
---@return any value of the winner, or nil when all failed
---@return integer|curia.Error which one won, or the last error
function M.first(functions)
  local group, place, tasks = core.group(), {}, {}
  for i, fn in ipairs(functions) do
    tasks[i] = group:spawn(fn)
    place[tasks[i]] = i
  end
  local last
  for task in group:each() do
    local ok, value = task:result()
    if ok then
      for _, other in ipairs(tasks) do other:cancel("another was first") end
      for _ in group:each() do end
      return value, place[task]
    end
    last = value
  end
  return nil, last
end

--- Calls `fn(...)` in a task of its own and waits for it; at top level this runs the loop.
---@async
---@param fn function
---@return boolean ok
---@return any value or error
---@return any second value
function M.run(fn, ...)
  return core.spawn(fn, ...):await()
end

--- Calls `fn(...)` in a child task with a deadline.
---@async
---@param ms number
---@param fn function
---@return boolean ok
---@return any value, or an error of kind "deadline"
function M.within(ms, fn, ...)
  local task = core.spawn(fn, ...)
  task:deadline(ms)
  return task:await()
end

return M
