--- Cron expressions: minute, hour, day of the month, month, day of the week; in UTC, which has no summer time.
--
--     local every = cron.parse "*/5 8-17 * * mon-fri"
--     every:next(at_ms)
--
-- A field is *, a number, a range a-b, any of them with a step /n, or several with commas. Months and days of the week
-- have names too; Sunday is 0 and 7. Where both day fields say something, a day that either of them names will do.
local errors = require "curia.errors"
local suggest = require "curia.suggest"

local M = {}

---@class curia.jobs.Cron
---@field text string
local Cron = { __name = "curia.jobs.cron" }
Cron.__index = Cron

local MINUTE_MS, DAY_MS = 60000, 86400000

local function numbered(first, words)
  local names, number = {}, first
  for word in words:gmatch "%a+" do
    names[word] = number
    number = number + 1
  end
  return names
end

local FIELDS = {
  { name = "minute", low = 0, high = 59 },
  { name = "hour", low = 0, high = 23 },
  { name = "day of the month", low = 1, high = 31 },
  { name = "month", low = 1, high = 12, names = numbered(1, "jan feb mar apr may jun jul aug sep oct nov dec") },
  { name = "day of the week", low = 0, high = 7, names = numbered(0, "sun mon tue wed thu fri sat") },
}

local MACROS = {
  ["@hourly"] = "0 * * * *", ["@daily"] = "0 0 * * *", ["@midnight"] = "0 0 * * *", ["@weekly"] = "0 0 * * 0",
  ["@monthly"] = "0 0 1 * *", ["@yearly"] = "0 0 1 1 *", ["@annually"] = "0 0 1 1 *",
}

-- ---- reading --------------------------------------------------------------------------------------

local function fault(field, message)
  return ("%s: %s"):format(field.name, message)
end

local function read_number(field, text)
  local number = field.names and field.names[text:lower()] or text:find "^%d+$" and math.tointeger(tonumber(text))
  if not number then
    return nil, fault(field, ("'%s' is no number%s"):format(text, suggest.hint(text, field.names or {})))
  end
  if number >= field.low and number <= field.high then return number end
  return nil, fault(field, ("%s is not between %d and %d"):format(text, field.low, field.high))
end

local function read_range(field, text, has_step)
  if text == "*" then return field.low, field.high end
  local from, to = text:match "^([^%-]+)%-([^%-]+)$"
  local low, high, message
  low, message = read_number(field, from or text)
  if not low then return nil, nil, message end
  if not from then return low, has_step and field.high or low end -- "5/15": from 5 on
  high, message = read_number(field, to)
  if not high then return nil, nil, message end
  if low <= high then return low, high end
  return nil, nil, fault(field, ("the range %s goes backwards"):format(text))
end

local function read_item(field, text, set)
  local range, step = text:match "^([^/]*)/([^/]*)$"
  local every = math.tointeger(step and step:find "^%d+$" and tonumber(step) or not step and 1 or nil)
  if not every or every < 1 then return nil, fault(field, ("the step of '%s' is no number above 0"):format(text)) end
  local low, high, message = read_range(field, range or text, step ~= nil)
  if not low then return nil, message end
  for value = low, high, every do set[value] = true end
  return true
end

local function read_field(field, text)
  local set = {}
  for item in (text .. ","):gmatch "([^,]*)," do
    local ok, message = read_item(field, item, set)
    if not ok then return nil, message end
  end
  return set
end

local function words_of(text)
  local words = {}
  for word in text:gmatch "%S+" do words[#words + 1] = word end
  return words
end

local function invalid(text, message)
  return nil, errors.new("validation", ("cron '%s': %s"):format(text, message), { code = "invalid_cron" })
end

local function read_fields(words)
  local sets = {}
  for i, field in ipairs(FIELDS) do
    local set, message = read_field(field, words[i])
    if not set then return nil, message end
    sets[i] = set
  end
  if sets[5][7] then sets[5][0] = true end
  return sets
end

-- ---- the calendar ---------------------------------------------------------------------------------

-- The civil date of a number of days since 1970 (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
local function civil(days)
  local z = days + 719468
  local era = z // 146097
  local doe = z - era * 146097
  local yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
  local doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
  local mp = (5 * doy + 2) // 153
  return doy - (153 * mp + 2) // 5 + 1, mp < 10 and mp + 3 or mp - 9 -- day, month
end

local function matches_day(self, days)
  local day, month = civil(days)
  if not self.months[month] then return false end
  local by_date, by_week = self.days[day], self.week_days[(days + 4) % 7]
  if self.either then return by_date or by_week or false end
  return (by_date and by_week) or false
end

local function first_in_day(self, from_minute)
  for minute = from_minute, 1439 do
    if self.hours[minute // 60] and self.minutes[minute % 60] then return minute end
  end
end

-- 29 February comes again after at most eight years (1896 to 1904), and then on any day of the week within 40.
local LONGEST_DAYS = 41 * 366

local function search(self, minutes)
  local days, from = minutes // 1440, minutes % 1440
  for day = days, days + LONGEST_DAYS do
    local minute = matches_day(self, day) and first_in_day(self, day == days and from or 0)
    if minute then return day * DAY_MS + minute * MINUTE_MS end
  end
end

--- The first time after another.
---@param at_ms number Unix ms
---@return integer ms at the beginning of a minute
function Cron:next(at_ms)
  return search(self, math.floor(at_ms) // MINUTE_MS + 1)
end

--- Reads an expression of five fields, or @hourly, @daily, @weekly, @monthly, @yearly.
---@param text string
---@return curia.jobs.Cron?
---@return curia.Error? err kind `validation`, code `invalid_cron`; its message names the field
function M.parse(text)
  if type(text) ~= "string" then error("bad argument #1 to 'parse' (a text expected)", 2) end
  if text:find "^%s*@" and not MACROS[text:lower()] then return invalid(text, suggest.message("word", text, MACROS)) end
  local words = words_of(MACROS[text:lower()] or text)
  if #words ~= 5 then return invalid(text, ("five fields are expected, not %d"):format(#words)) end
  local sets, message = read_fields(words)
  if not sets then return invalid(text, message) end
  local made = setmetatable({
    text = text, minutes = sets[1], hours = sets[2], days = sets[3], months = sets[4], week_days = sets[5],
    either = words[3]:sub(1, 1) ~= "*" and words[5]:sub(1, 1) ~= "*",
  }, Cron)
  if search(made, 0) then return made end
  return invalid(text, fault(FIELDS[3], "no month that it names has such a day"))
end

return M
