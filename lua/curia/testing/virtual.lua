--- Virtual time: it stands still while anything happens and otherwise jumps to the next timer, so that time-outs,
--- back-off and deadlines of hours pass in milliseconds.
local clock = require "curia.core.clock"
local task = require "curia.task"

local M = {}

-- A task that nothing will ever wake is given up here (30 years).
local FOR_EVER_MS = 1e12
-- What is left under way goes on until its end; an endless ticker is given up after this much processor time.
local LEFTOVERS_S = 2

local is_virtual = false

--- Whether time is virtual at the moment.
---@return boolean
function M.active()
  return is_virtual
end

-- Ends when nothing else can happen before that time.
local function let_pass(ms)
  if task.current() then task.sleep(ms) else task.run(task.sleep, ms) end
end

-- Whether nothing was under way: with no timer left before and after, there was nobody left to set one.
local function is_quiet()
  local before = clock.timers()
  let_pass(before > 0 and 60000 or 1)
  return before == 0 and clock.timers() == 0
end

local function restore()
  local began = os.clock()
  while not (is_quiet() and clock.virtual(false)) do
    if os.clock() - began > LEFTOVERS_S then return "what was started goes on for ever: the clock stays virtual" end
  end
  is_virtual = false
end

local function in_task(fn, ...)
  local running = task.spawn(fn, ...)
  local outcome = table.pack(running:await(FOR_EVER_MS))
  if outcome[1] == nil then
    running:cancel "nothing can wake it"
    return false, "it waits for what never comes"
  end
  return table.unpack(outcome, 1, outcome.n)
end

--- Calls `fn(...)` as a task in virtual time. What it has left under way then goes on to its end, and the clock is what
--- it was, also after an error. While time is virtual already, or timers run, this raises.
---@async
---@param what string the public function, for messages
---@param wall_ms? number Unix time at which it begins
---@param fn function
---@param ... any its arguments
---@return any its values (at most two)
function M.within(what, wall_ms, fn, ...)
  if is_virtual then error(what .. ": time is virtual already", 3) end
  local on, refused = clock.virtual(true, wall_ms)
  if not on then error(("%s: %s"):format(what, refused.message), 3) end
  is_virtual = true
  local called, ok, first, second = pcall(in_task, fn, ...)
  local stuck = restore()
  if not called then error(ok, 0) end
  if not ok then error(first, 0) end
  if stuck then error(("%s: %s"):format(what, stuck), 3) end
  return first, second
end

--- Calls `fn(...)` in virtual time.
---
---     testing.virtual(function()
---       local _, err = curia.run(council, "Ship?", { deadline = "2h" })
---     end)
---@async
---@param fn function
---@param ... any its arguments
---@return any its values (at most two)
function M.virtual(fn, ...)
  local first, second = M.within("testing.virtual", nil, fn, ...)
  return first, second -- no tail call, so that errors name the caller's line
end

return M
