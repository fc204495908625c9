--- How long a vendor asks us to wait, from headers and error bodies. Read on errors only: some
-- vendors send `retry-after` with good answers too.
local M = {}

local UNIT_MS = { ms = 1, s = 1000, m = 60000, h = 3600000, d = 86400000 }
local MONTHS = {
  Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6,
  Jul = 7, Aug = 8, Sep = 9, Oct = 10, Nov = 11, Dec = 12,
}

local function whole_ms(ms)
  if ms ~= ms or ms == math.huge then return nil end
  return math.max(0, math.floor(ms + 0.5))
end

--- "17ms", "1s", "6m0s", "2m59.56s" -> milliseconds.
---@param text any
---@return integer|nil
function M.duration_ms(text)
  if type(text) ~= "string" then return nil end
  local total, rest = 0, text
  while rest ~= "" do
    local amount, unit, tail = rest:match("^([%d.]+)(%a+)(.*)$")
    amount = tonumber(amount)
    if not amount or not UNIT_MS[unit] then return nil end
    total, rest = total + amount * UNIT_MS[unit], tail
  end
  return text ~= "" and whole_ms(total) or nil
end

-- Days from 1970-01-01 in the proleptic Gregorian calendar: `os.time` knows only local time.
local function days(year, month, day)
  if month <= 2 then year = year - 1 end
  local era = year // 400
  local of_era = year - era * 400
  local of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
  return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
end

--- "Wed, 21 Oct 2015 07:28:00 GMT" -> seconds since 1970.
---@param text any
---@return integer|nil
function M.http_date(text)
  if type(text) ~= "string" then return nil end
  local day, name, year, hour, minute, second =
    text:match("^%a+, (%d+)[ -](%a+)[ -](%d+) (%d+):(%d+):(%d+)")
  local month = MONTHS[name]
  if not month then return nil end
  local date = days(tonumber(year), month, tonumber(day))
  return date * 86400 + tonumber(hour) * 3600 + tonumber(minute) * 60 + tonumber(second)
end

-- The vendor's clock, where it told it: its dates mean nothing against a local clock that is off.
local function now(headers)
  return M.http_date(headers.date) or os.time()
end

local function retry_after(headers)
  local text = headers["retry-after"]
  if not text then return nil end
  local seconds = tonumber(text)
  if seconds then return whole_ms(seconds * 1000) end
  local date = M.http_date(text)
  return date and whole_ms((date - now(headers)) * 1000)
end

-- A reset is a duration, an epoch in milliseconds or seconds, or plain seconds.
local function reset_ms(text, headers)
  local number = tonumber(text)
  if not number then return M.duration_ms(text) end
  if number > 1e11 then return whole_ms(number - now(headers) * 1000) end
  if number > 1e9 then return whole_ms((number - now(headers)) * 1000) end
  return whole_ms(number * 1000)
end

local function exhausted_reset(headers)
  local wait
  for _, what in ipairs { "requests", "tokens" } do
    if headers["x-ratelimit-remaining-" .. what] == "0" then
      local ms = reset_ms(headers["x-ratelimit-reset-" .. what], headers)
      if ms and ms > (wait or -1) then wait = ms end
    end
  end
  return wait
end

local function retry_info(failure)
  if type(failure.details) ~= "table" then return nil end
  for _, detail in ipairs(failure.details) do
    local delay = type(detail) == "table" and M.duration_ms(detail.retryDelay)
    if delay then return delay end
  end
end

-- OpenRouter repeats its own and its upstream's headers in the body.
local function wrapped_headers(failure)
  local headers = type(failure.metadata) == "table" and failure.metadata.headers
  if type(headers) ~= "table" then return {} end
  local lower = {}
  for name, value in pairs(headers) do lower[tostring(name):lower()] = tostring(value) end
  return lower
end

local function said_in_words(failure)
  local message = failure.message
  if type(message) ~= "string" then return nil end
  local text = message:match("[Rr]etry in ([%d.]+%a[%w.]*)") or message:match("[Tt]ry again in ([%d.]+%a[%w.]*)")
  return text and M.duration_ms((text:gsub("%.+$", "")))
end

--- The wait that the vendor asks for: `retry-after-ms`, `retry-after`, Gemini's RetryInfo, and only
--- where none of these stands, the reset time of the limit, then the words of the message.
---@param headers table<string, string> lower-case names
---@param failure? table the vendor's error object
---@param limited boolean whether a limit was hit: resets are told with every answer
---@return integer|nil ms
function M.retry_after_ms(headers, failure, limited)
  local ms = tonumber(headers["retry-after-ms"])
  if ms then return whole_ms(ms) end
  failure = failure or {}
  local wait = retry_after(headers) or retry_info(failure)
  if wait or not limited then return wait end
  local wrapped = wrapped_headers(failure)
  wrapped.date = wrapped.date or headers.date
  return retry_after(wrapped) or exhausted_reset(headers)
    or reset_ms(headers["x-ratelimit-reset"] or wrapped["x-ratelimit-reset"], headers)
    or said_in_words(failure)
end

return M
