--- `verbose`: a timeline of a run, one line per event, for people (SPEC 14).
local redact = require "curia.redact"

local M = {}

local CUT = 800

local function cut(text)
  text = tostring(text or ""):gsub("%s+", " ")
  return #text <= CUT and text or text:sub(1, CUT) .. " ..."
end

local function tokens(usage)
  if not usage or not usage.output_tokens then return "tokens unknown" end
  return ("%s in, %d out"):format(usage.input_tokens or "?", usage.output_tokens)
end

local function member_line(event)
  local result = event.result
  if result.status == "ok" then
    return ("%s ok in %.1f s, %s%s"):format(event.member, result.duration_ms / 1000,
      tokens(result.response.usage), result.attempts > 1 and (", attempt %d"):format(result.attempts) or "")
  end
  return ("%s %s: %s"):format(event.member, result.status, result.error and result.error.message or "")
end

local LINES = {
  run_started = function(e) return "run of " .. e.council .. " started" end,
  round_started = function(e) return ("round %d: %s"):format(e.idx, e.round) end,
  member_started = function(e) return ("%s asked (%s)"):format(e.member, e.model or "no model") end,
  member_retry = function(e) return ("%s tries again in %.1f s: %s"):format(e.member, e.wait_ms / 1000, e.error.message) end,
  member_restarted = function(e) return e.member .. " begins its answer anew" end,
  member_completed = member_line,
  round_completed = function(e)
    local decision = e.result.decision
    return ("round %d done in %.1f s%s"):format(e.idx, e.result.duration_ms / 1000,
      decision and decision.winner and ", first is " .. decision.winner or "")
  end,
  log = function(e) return e.level .. ": " .. e.text end,
  run_completed = function(e) return ("run %s in %.1f s, %s"):format(e.result.status, e.result.duration_ms / 1000, tokens(e.result.usage)) end,
  run_failed = function(e) return "run failed: " .. tostring(e.errors[1]) end,
}

local function debug_lines(event)
  if event.type == "member_completed" and event.result.response then
    return "    " .. cut(event.result.response.content)
  elseif event.type == "run_started" then
    return "    " .. cut(require("curia.prompts").question(event.input))
  end
end

--- One line for an event, or nil for those that have none.
---@param event curia.Event
---@param started_at integer Unix ms of the run's start
---@return string?
function M.line(event, started_at)
  local format = LINES[event.type]
  return format and ("%8.3f  %s"):format((event.at - started_at) / 1000, redact.text(format(event)))
end

--- All lines for an event; tokens have none.
---@param event curia.Event
---@param started_at integer Unix ms of the run's start
---@param level true|"debug" "debug" adds texts, cut at 800 characters
---@return string[]
function M.lines(event, started_at, level)
  local more = level == "debug" and debug_lines(event)
  local lines = { M.line(event, started_at) }
  if more then lines[#lines + 1] = redact.text(more) end
  return lines
end

local function writer(to)
  if type(to) == "function" then return to end
  local file = to or io.stderr
  return function(line) file:write(line, "\n") end
end

--- Prints a run's timeline.
---@param run curia.Run
---@param level true|"debug"
---@param to? function|file* stderr by default
function M.attach(run, level, to)
  local write = writer(to)
  run:subscribe(function(event)
    for _, line in ipairs(M.lines(event, run.started_at, level)) do write(line) end
  end, { tokens = false })
end

return M
