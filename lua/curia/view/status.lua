--- How a member is, in a few words.
local width = require "curia.view.width"
local words = require "curia.view.words"

local M = {}

local function done_text(member)
  local response = member.result.response
  local tokens, time = words.tokens(response and response.usage), words.duration(member.result.duration_ms)
  return tokens and ("done · %s · %s"):format(tokens, time) or "done · " .. time
end

local function left(member, now)
  return math.max(0, member.wait_ms - (now - member.since))
end

local function tries(member)
  if not member.tries or member.tries < 2 then return "" end
  return (" (%s so far)"):format(words.counted(member.tries, "try", "tries"))
end

-- "answering · 2 of 5 done · 1.2 s": of several asks, how many are over.
local function busy(word)
  return function(member, now)
    local ended = member.ended or 0
    local all = math.max(ended + #(member.asks or {}), member.samples or 1)
    local progress = all > 1 and (" · %d of %d done"):format(ended, all) or ""
    return ("%s%s · %s"):format(word, progress, words.elapsed(now - member.asked))
  end
end

local function skipped_text(member)
  local reason = member.result.metadata and member.result.metadata.reason
  local word = member.result.status == "eliminated" and "out" or "skipped"
  return word .. (reason and (" · " .. tostring(reason):gsub("_", " ")) or "")
end

local TEXTS = {
  waiting = function() return "waiting" end,
  asking = busy "asked", thinking = busy "thinking", streaming = busy "answering",
  calling = function(member) return "calls " .. tostring(member.tool) end,
  blocked = function(member) return (member.tool or "its council") .. " waits for approval" end,
  retrying = function(member, now) return words.retry(left(member, now), member.error) .. tries(member) end,
  done = done_text,
  failed = function(member) return words.problem(member.error or { kind = member.result.status }) end,
  skipped = skipped_text,
}

--- A member's state in a few words.
---@param member curia.view.Member
---@param now number
---@return string clean, one line
function M.text(member, now)
  return (width.clean(TEXTS[member.status](member, now)):gsub("\n", " "))
end

return M
