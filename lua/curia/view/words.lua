--- Numbers, durations and errors in plain words, the same in every view.
local M = {}

local KINDS = {
  transient = "a passing fault",
  rate_limited = "the provider asks to slow down",
  overloaded = "the provider is overloaded",
  quota_exhausted = "the account has no credit left",
  permanent = "the provider refused the request",
  auth = "the key was refused",
  validation = "something given was not valid",
  invalid_output = "the answer did not have the form that was asked for",
  content_filter = "a content filter stopped the answer",
  refusal = "the model refused to answer",
  timeout = "no answer in time",
  tool = "a tool failed",
  tool_loop = "the model called tools without an end",
  quorum = "too few members answered",
  budget = "the budget is used up",
  deadline = "the time is up",
  cancelled = "cancelled",
  terminated = "terminated",
  invalid_council = "the council is not valid",
  script = "the script failed",
  unsupported = "not supported",
  unknown_run = "there is no such run",
  duplicate_run = "there is such a run already",
  replay_mismatch = "the run does not repeat itself",
  storage = "the storage failed",
  orphaned = "the run has lost its process",
  poisoned = "the run has ended its process too often",
  internal = "a fault inside Curia",
}

--- A time that goes on: "0.4 s", "12.3 s", "2 min 05 s".
---@param ms number
---@return string
function M.elapsed(ms)
  if ms < 59950 then return ("%.1f s"):format(ms / 1000) end
  local seconds = math.floor(ms / 1000 + 0.5)
  return ("%d min %02d s"):format(seconds // 60, seconds % 60)
end

--- A time that is over: as `elapsed`, with milliseconds where it was short.
---@param ms number
---@return string
function M.duration(ms)
  if ms < 99.5 then return ("%.0f ms"):format(ms) end
  return M.elapsed(ms)
end

--- A whole number with thousands apart: "12,345".
---@param number number
---@return string
function M.count(number)
  local digits = ("%d"):format(math.floor(number + 0.5))
  local grouped = digits:reverse():gsub("(%d%d%d)", "%1,"):reverse()
  return (grouped:gsub("^,", ""):gsub("^%-,", "-"))
end

--- A number with two decimals at most: "0.25", "3".
---@param number number
---@return string
function M.decimal(number)
  return (("%.2f"):format(number):gsub("%.?0+$", ""))
end

--- "1 member", "3 members".
---@param number integer
---@param noun string
---@param plural? string the noun with an "s"
---@return string
function M.counted(number, noun, plural)
  return ("%s %s"):format(M.count(number), number == 1 and noun or plural or noun .. "s")
end

--- The tokens that an answer took, or nil when the provider did not say.
---@param usage? table
---@return string?
function M.tokens(usage)
  local count = usage and usage.output_tokens
  return count and M.counted(count, "token")
end

--- A moment, to the second.
---@param ms number Unix ms
---@return string
function M.moment(ms)
  return os.date("!%Y-%m-%d %H:%M:%S UTC", math.floor(ms / 1000))
end

--- A moment for programs to read (ISO 8601); "-" where there is none.
---@param ms? number Unix ms
---@return string
function M.timestamp(ms)
  return ms and os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(ms / 1000)) or "-"
end

--- A moment as it stands in lists.
---@param ms number Unix ms
---@return string
function M.short_moment(ms)
  return os.date("!%d %b %H:%M UTC", math.floor(ms / 1000))
end

--- Money: small amounts keep their digits.
---@param usd number
---@return string
function M.dollars(usd)
  return usd < 0.995 and usd > 0 and ("$%.4f"):format(usd) or ("$%.2f"):format(usd)
end

local function one_line(text)
  return (text:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", ""))
end

local function said(err)
  local text = err.reason or err.message
  return type(text) == "string" and text ~= "" and one_line(text) or nil
end

-- A message of our own that says what to do, or that all is well, needs no introduction.
local SPEAKS_FOR_ITSELF = {
  missing_key = true, validation = true, quorum = true, released = true, lost = true, orphaned = true, poisoned = true,
}

local function speaks_for_itself(err)
  return SPEAKS_FOR_ITSELF[err.code or ""] or SPEAKS_FOR_ITSELF[err.kind]
end

--- An error in plain words, with the vendor's own text.
---@param err curia.Error
---@return string
function M.problem(err)
  local plain, text = KINDS[err.kind] or tostring(err.kind), said(err)
  local status = err.status and (" (HTTP %d)"):format(err.status) or ""
  if text and speaks_for_itself(err) then return text end
  if not text or text:lower() == plain then return plain .. status end
  if text:lower():find(plain, 1, true) == 1 then return text .. status end
  return ("%s: %s%s"):format(plain, text, status)
end

--- A coming retry in plain words.
---@param wait_ms number
---@param err curia.Error
---@return string
function M.retry(wait_ms, err)
  return ("again in %s: %s"):format(M.elapsed(wait_ms), M.problem(err))
end

return M
