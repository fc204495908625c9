--- A provider that answers in the process itself (`scripted`, adapters with `call`), held to the
--- same time-outs as those over HTTP.
local clock = require "curia.core.clock"
local task = require "curia.task"

local M = {}

---@class curia.CallLimits
---@field first_byte_timeout_ms number
---@field silence_timeout_ms number
---@field total_timeout_ms number

local TEXTS = {
  EFIRSTBYTE = "no byte of the answer within %g ms", ESILENCE = "no further byte within %g ms",
  ETOTAL = "the answer was not complete within %g ms",
}

-- When the call is late next, and why.
local function due(progress, limits)
  local code, from, limit_ms = "EFIRSTBYTE", progress.began, limits.first_byte_timeout_ms
  if progress.last then code, from, limit_ms = "ESILENCE", progress.last, limits.silence_timeout_ms end
  local total_at = progress.began + limits.total_timeout_ms
  if total_at <= from + limit_ms then return total_at, "ETOTAL", limits.total_timeout_ms end
  return from + limit_ms, code, limit_ms
end

local function wait(child, progress, limits)
  while true do
    local at, code, limit_ms = due(progress, limits)
    local ok, response, err = child:await(math.max(0, at - clock.ms()))
    if ok then return response, err end
    if ok == false then return nil, response end
    if clock.ms() >= (due(progress, limits)) then
      child:cancel "too slow"
      return nil, nil, code, TEXTS[code]:format(limit_ms)
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
