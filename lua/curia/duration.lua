--- Durations: numbers are milliseconds, texts carry their unit ("1500ms", "30s", "2m", "1h", "30d").
local M = {}

local UNITS = { ms = 1, s = 1000, m = 60 * 1000, h = 60 * 60 * 1000, d = 24 * 60 * 60 * 1000 }

-- Ten years: beyond it a number is a slip (an instant, nanoseconds), not a wait.
local MAX_MS = 10 * 365 * 24 * UNITS.h

--- What `parse` says of a value that is no duration at all.
M.EXPECTED = 'expected milliseconds or a text such as "1500ms", "30s", "2m", "1h", "30d"'

local function whole(ms)
  if ms ~= ms or ms < 0 or ms > MAX_MS then return nil, "must be between 0 and 10 years" end
  local rounded = math.floor(ms + 0.5)
  if math.abs(ms - rounded) > 1e-6 then return nil, "must be a whole number of milliseconds" end
  return math.tointeger(rounded)
end

--- Reads a duration.
---@param value any a number of milliseconds, or a text with a unit
---@return integer? ms
---@return string? message what is wrong with it
function M.parse(value)
  if math.type(value) then return whole(value) end
  if type(value) ~= "string" then return nil, M.EXPECTED end
  local number, unit = value:match("^(%d+%.?%d*)(%l+)$")
  if not number or not UNITS[unit] then return nil, M.EXPECTED end
  return whole(tonumber(number) * UNITS[unit])
end

return M
