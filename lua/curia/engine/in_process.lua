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

-- Says when the call will be late: too long without a byte, or too long in all.
local function limit(child, progress, limits)
  local code, ms = "EFIRSTBYTE", limits.first_byte_timeout_ms
  if progress.begun then code, ms = "ESILENCE", limits.silence_timeout_ms end
  local left_ms = progress.since + limits.total_timeout_ms - clock.ms()
  progress.code, progress.limit_ms = code, ms
  if left_ms <= ms then progress.code, progress.limit_ms = "ETOTAL", limits.total_timeout_ms end
  child:deadline(math.max(0, math.min(left_ms, ms)))
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
  local progress, child = { since = clock.ms(), begun = false }, nil
  child = task.spawn(adapter.call, request, config, function(kind, text)
    progress.begun = true
    limit(child, progress, limits)
    attempt:on_delta(kind, text)
  end)
  limit(child, progress, limits)
  local ok, response, err = child:await()
  if ok then return response, err end
  if response.kind ~= "deadline" then return nil, response end
  return nil, nil, progress.code, TEXTS[progress.code]:format(progress.limit_ms)
end

return M
