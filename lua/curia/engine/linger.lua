--- Finished runs stay in memory for a while (`linger_ms`), then they are let go, whether anybody looks or not.
--
-- One task sees to all of them. It does not keep the loop alive, and ends when none is left.
local clock = require "curia.core.clock"
local task = require "curia.task"

local M = {}

-- Runs beyond this many are let go before their time, oldest first.
local MOST = 4096

local finished = { first = 1, last = 0 } -- in the order of ending
local reaping = false

local function pop()
  local run = finished[finished.first]
  finished[finished.first] = nil
  finished.first = finished.first + 1
  return run
end

-- For how long the oldest stays; nil: there is none.
local function left_ms()
  local run = finished[finished.first]
  if not run then return nil end
  if finished.last - finished.first >= MOST then return 0 end
  return run.finished_ms + run.config:get "linger_ms" - clock.ms()
end

--- Lets go of those whose time is over.
function M.reap()
  local ms = left_ms()
  while ms and ms <= 0 do
    local run = pop()
    run.home.forget(run)
    ms = left_ms()
  end
end

local function see_to_all()
  local guard <close> = setmetatable({}, { __close = function() reaping = false end })
  local ms = left_ms()
  while ms do
    task.sleep(math.max(0, ms))
    M.reap()
    ms = left_ms()
  end
end

--- Keeps a run that has ended. Its home forgets it later.
---@param run curia.Run
function M.keep(run)
  finished.last = finished.last + 1
  finished[finished.last] = run
  if finished.last - finished.first >= MOST then M.reap() end
  if not reaping then reaping = pcall(task.spawn_background, see_to_all) end -- false while the runtime closes
end

return M
