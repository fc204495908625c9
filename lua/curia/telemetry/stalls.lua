--- Telemetry of stalls: turns that held the loop for longer than `loop_stall_ms`.
local config = require "curia.config"
local core = require "curia.core.clock"
local task = require "curia.task"
local telemetry = require "curia.telemetry"

local M = {}

local watching

local function watch()
  while true do
    local duration_us, delivered = core.next_stall()
    telemetry.emit("loop.stall", { duration_us = duration_us }, { delivered = delivered })
  end
end

--- Begins or ends to measure the turns.
---@param on boolean
function M.switch(on)
  if on and not watching then
    core.watch_stalls(config.shared():get "loop_stall_ms")
    watching = task.spawn_background(watch)
  elseif not on and watching then
    core.watch_stalls(nil)
    watching:cancel()
    watching = nil
  end
end

return M
