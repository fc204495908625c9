--- `verbose`: a timeline of a run, one line per event, for people (SPEC 14).
local json = require "curia.json"
local redact = require "curia.redact"

local M = {}

local CUT = 800

local function cut(text)
  text = tostring(text or ""):gsub("%s+", " ")
  if #text <= CUT then return text end
  return text:sub(1, CUT):match("^(.-)[\xC2-\xF4]?[\x80-\xBF]*$") .. " ..." -- no half of a character
end

local function tokens(usage)
  if not usage or not usage.output_tokens then return "tokens unknown" end
  return ("%s in, %s out"):format(usage.input_tokens or "?", usage.output_tokens)
end

local function reason_of(result)
  return result.error and result.error.message or result.metadata and result.metadata.reason or "no reason given"
end

local function iteration_of(event)
  return event.iteration and " #" .. event.iteration or ""
end

-- Which of several asks of the member it is about.
local function who(event)
  return event.member .. iteration_of(event)
end

local function member_line(event)
  local result = event.result
  if result.status ~= "ok" then return ("%s %s: %s"):format(who(event), result.status, reason_of(result)) end
  return ("%s ok in %.1f s, %s%s"):format(who(event), result.duration_ms / 1000,
    tokens(result.response.usage), result.attempts > 1 and (", attempt %d"):format(result.attempts) or "")
end

-- A script calls tools too.
local function caller(event)
  return event.member or "the script"
end

local function tool_line(event)
  if event.error then return ("%s: %s failed: %s"):format(caller(event), event.call.name, event.error.message) end
  return ("%s: %s gave %d bytes in %.1f s"):format(caller(event), event.call.name, #event.result,
    event.duration_ms / 1000)
end

local LINES = {
  run_started = function(e) return "run of " .. e.council .. " started" end,
  round_started = function(e) return ("round %d: %s%s"):format(e.idx, e.round, iteration_of(e)) end,
  member_started = function(e) return ("%s asked (%s)"):format(who(e), e.model or "no model") end,
  member_retry = function(e)
    if e.wait_ms == 0 then return ("%s goes on with %s: %s"):format(who(e), e.model, e.error.message) end
    return ("%s tries again in %.1f s: %s"):format(who(e), e.wait_ms / 1000, e.error.message)
  end,
  member_restarted = function(e) return who(e) .. " begins its answer anew" end,
  tool_call_request = function(e) return ("%s calls %s"):format(caller(e), e.call.name) end,
  tool_call_result = tool_line,
  run_blocked = function(e)
    return "blocked: " .. e.reason .. (e.call and (" of %s, call %s"):format(e.call.name, e.call.id) or "")
  end,
  run_resumed = function() return "goes on" end,
  member_completed = member_line,
  round_completed = function(e)
    local decision = e.result.decision
    return ("round %d%s done in %.1f s%s"):format(e.idx, iteration_of(e), e.result.duration_ms / 1000,
      decision and decision.winner and ", first is " .. decision.winner or "")
  end,
  log = function(e) return e.level .. ": " .. e.text end,
  run_completed = function(e)
    return ("run %s in %.1f s, %s"):format(e.result.status, e.result.duration_ms / 1000, tokens(e.result.usage))
  end,
  run_failed = function(e) return "run failed: " .. tostring(e.errors[1]) end,
}

local function messages_text(messages)
  local parts = {}
  for i, message in ipairs(messages) do
    local content = message.content
    parts[i] = message.role .. ": " .. (type(content) == "string" and content or json.encode(content) or "")
  end
  return table.concat(parts, " | ")
end

-- What a person needs beyond the timeline: the prompts as they are sent, and what came back.
local TEXTS = {
  member_request = function(e) return "-> " .. e.member .. ": " .. cut(messages_text(e.messages)) end,
  member_completed = function(e)
    local response = e.result.response
    local body = response and (type(response.raw) == "string" and response.raw or response.content)
    return body and "<- " .. e.member .. ": " .. cut(body)
  end,
}

local function debug_line(event)
  local text = TEXTS[event.type] and TEXTS[event.type](event)
  return text and "          " .. text
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
  local lines = { M.line(event, started_at) }
  local more = level == "debug" and debug_line(event)
  if more then lines[#lines + 1] = redact.text(more) end
  return lines
end

local function writer(to)
  if type(to) == "function" then return to end
  local file = to or io.stderr
  return function(line) file:write(line, "\n") end
end

--- Prints a run's timeline, from its beginning.
---@param run curia.Run
---@param level true|"debug"
---@param to? fun(line: string)|file* stderr by default
---@return curia.Subscription with `stop()`
function M.attach(run, level, to)
  local write = writer(to)
  return run:subscribe(function(event)
    for _, line in ipairs(M.lines(event, run.started_at, level)) do write(line) end
  end, { tokens = false, requests = level == "debug" })
end

return M
