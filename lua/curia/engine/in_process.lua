--- A provider that answers in the process itself (`scripted`, adapters with `call`), held to the
--- same time-outs as those over HTTP.
local clock = require "curia.core.clock"
local task = require "curia.task"

local M = {}

---@class curia.CallLimits
---@field first_byte_ms number
---@field silence_ms number
---@field total_ms number

-- When the call is late next, and what to call that.
local function due(progress, limits)
  local total_at = progress.began + limits.total_ms
  local at, code, text = progress.began + limits.first_byte_ms, "EFIRSTBYTE", ("no byte in %g ms"):format(limits.first_byte_ms)
  if progress.last then
    at, code, text = progress.last + limits.silence_ms, "ESILENCE", ("silent for %g ms"):format(limits.silence_ms)
  end
  if total_at <= at then return total_at, "ETOTAL", ("not complete in %g ms"):format(limits.total_ms) end
  return at, code, text
end

local function wait(child, progress, limits)
  while true do
    local at, code, text = due(progress, limits)
    local ok, response, err = child:await(math.max(0, at - clock.ms()))
    if ok then return response, err end
    if ok == false then return nil, response end
    if clock.ms() >= (due(progress, limits)) then
      child:cancel(text)
      return nil, nil, code, text
    end
  end
end

--- Calls the adapter's `call`.
---@async
---@param attempt curia.Attempt
---@param adapter table
---@param request table
---@param config table
---@param limits curia.CallLimits
---@return table? response
---@return curia.Error? err
---@return string? code of a time-out that has passed
---@return string? text
function M.call(attempt, adapter, request, config, limits)
  local progress = { began = clock.ms(), last = nil }
  local child = task.spawn(adapter.call, request, config, function(kind, text)
    progress.last = clock.ms()
    attempt:on_delta(kind, text)
  end)
  return wait(child, progress, limits)
end

return M
