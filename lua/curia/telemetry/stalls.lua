--- Telemetry of stalls: turns that held the loop for longer than `loop_stall_ms`.
local config = require "curia.config"
local core = require "curia.core.clock"
local task = require "curia.task"

local M = {}

local watching

local function watch(emit)
  while true do
    local duration_us, delivered = core.next_stall()
    emit("loop.stall", { duration_us = duration_us }, { delivered = delivered })
  end
end

--- Begins or ends to measure the turns.
---@param on boolean
---@param emit fun(name: string, measurements: table, metadata: table)
function M.switch(on, emit)
  if on and not watching then
    core.watch_stalls(config.shared():get "loop_stall_ms")
    watching = task.spawn_background(watch, emit)
  elseif not on and watching then
    core.watch_stalls(nil)
    watching:cancel()
    watching = nil
  end
end

return M
