--- Scripts of canned answers, for the `scripted` provider and for `curia mock`.
--
-- A script is a text, an answer, a list of answers (given one after the other; the last repeats), a
-- function(request) that returns a text or an answer, or a table
--
--     { default = ANSWERS, rules = { { match = {...} | function(request), answer = ANSWERS }, ... } }
--
-- The first rule that matches answers; without one, `default` does, and without that the answers of
-- `--offline`. `match` names what must hold: `member`, `model`, `round` (equal); `contains` (a part of
-- the last message), `system` (a part of the system prompt), `path` (a part of the URL's path); `n`
-- (only the nth request for which the rest holds).
--
-- An answer has any of: `content` (a text, or a table that is sent as JSON), `reasoning`,
-- `logprobs` (of its tokens, for who asks for them in the process itself),
-- `stream = {"piece", ...}` or `pieces = n`, `delay_ms` (before the first byte), `chunk_delay_ms`
-- (between pieces), `tool_calls = {{name=, arguments=, id=}}`, `usage` (false sends none), `cost`,
-- `finish_reason`, `model`, `error = 429 | {status, message, code, type, retry_after_ms,
-- should_retry}`, `fault` (below) and `after` (pieces before the fault; default half of them, none for
-- `error_in_200`).
--
-- Faults: `refuse_connection`, `cut_before` (close before any byte), `cut` (close in the middle),
-- `reset` (the same, hard), `hang` (never answer), `silence` (stop in the middle, stay open), `slow`
-- (a few bytes at a time), `html`, `empty`, `garbage` (bodies that are no answer), `error_in_200` (the
-- error under a status of success), `no_done` (the end of a stream, or of the JSON, is missing).
local check = require "curia.language.check"
local errors = require "curia.errors"
local fields = require "curia.script.fields"
local json = require "curia.json"
local offline = require "curia.script.offline"
local pieces = require "curia.script.pieces"
local task = require "curia.task"

local M = {}

---@class curia.Answer what a script answers, with nothing left to decide
---@field content string
---@field reasoning? string
---@field logprobs? number[]
---@field pieces string[] the content as a stream brings it
---@field tool_calls? {id: string, name: string, arguments: table?, raw: string}[]
---@field usage? table<string, integer>
---@field cost? number US dollars
---@field finish_reason string a neutral reason, or the vendor's own word
---@field model string
---@field delay_ms number
---@field chunk_delay_ms number
---@field error? curia.AnswerError
---@field fault? string
---@field after? integer pieces before the fault; nil: half of them

---@class curia.AnswerError
---@field status integer
---@field message string
---@field code? string
---@field type? string
---@field retry_after_ms? number
---@field should_retry? boolean

---@class curia.Script
---@field models string[] names of models that its rules ask for
local Script = {}
Script.__index = Script
Script.__name = "curia.script"

-- Checking ----------------------------------------------------------------------------------------

local function looks_like_script(value)
  return value.rules ~= nil or value.default ~= nil or value.about ~= nil
end

-- The known names of a table that is neither clearly a script nor clearly an answer.
local function either(value)
  for name in pairs(value) do
    if fields.answer[name] then return fields.answer end
  end
  local both = {}
  for name, rule in pairs(fields.answer) do both[name] = rule end
  for name, rule in pairs(fields.script) do both[name] = rule end
  return both
end

local function check_table(value, faults)
  if looks_like_script(value) then return check.record(fields.script, value, "", "", faults) end
  if #value > 0 then return check.value(fields.answers, value, "", "the script", faults) end
  check.record(either(value), value, "", "", faults)
end

local function check_answer(answer, path, faults)
  if answer.stream and answer.content then
    faults:add(check.join(path, "stream"), "conflict",
      "an answer has content or stream, not both: the pieces are the content")
  end
  if answer.stream and answer.pieces then
    faults:add(check.join(path, "pieces"), "conflict", "an answer has stream or pieces, not both")
  end
end

local function each_answer(answers, path, fn)
  if type(answers) ~= "table" then return end
  if #answers == 0 then return fn(answers, path) end
  for i, answer in ipairs(answers) do
    if type(answer) == "table" then fn(answer, ("%s[%d]"):format(path, i)) end
  end
end

local function check_conflicts(value, faults)
  if not looks_like_script(value) then
    return each_answer(value, "", function(answer, path) check_answer(answer, path, faults) end)
  end
  each_answer(value.default, "default", function(answer, path) check_answer(answer, path, faults) end)
  for i, rule in ipairs(value.rules or {}) do
    each_answer(rule.answer, ("rules[%d].answer"):format(i), function(answer, path)
      check_answer(answer, path, faults)
    end)
  end
end

local function script_error(faults)
  local lines = {}
  for i, fault in ipairs(faults) do
    lines[i] = fault.path == "" and fault.message or fault.path .. ": " .. fault.message
  end
  return errors.new("validation", "script: " .. table.concat(lines, "; "), { context = { faults = faults } })
end

local function faults_of(value)
  local faults = check.faults()
  if type(value) == "table" then
    check_table(value, faults)
    if #faults == 0 then check_conflicts(value, faults) end
  else
    check.value(fields.answers, value, "", "a script", faults)
  end
  return faults:take()
end

-- Making -------------------------------------------------------------------------------------------

-- A source gives the next answer: what it holds, and how many it has given.
local function source(answers)
  local list = type(answers) == "table" and #answers > 0 and answers or { answers }
  return { list = list, given = 0 }
end

local function rules_of(value)
  local rules = {}
  for i, rule in ipairs(value.rules or {}) do
    rules[i] = { match = rule.match, source = source(rule.answer), matched = 0 }
  end
  return rules
end

local function models_of(value)
  local models, seen = {}, {}
  for _, rule in ipairs(value.rules or {}) do
    local name = type(rule.match) == "table" and rule.match.model
    if name and not seen[name] then models[#models + 1] = name end
    if name then seen[name] = true end
  end
  table.sort(models)
  return models
end

local function compiled(value)
  local script = setmetatable({ calls = 0 }, Script)
  local full = type(value) == "table" and (looks_like_script(value) or next(value) == nil) and value
  script.rules = full and rules_of(full) or {}
  script.models = full and models_of(full) or {}
  local default = value
  if full then default = full.default end
  script.default = source(default == nil and offline.answer or default)
  return script
end

--- Makes a script from its value; a script made before is returned as it is. It counts what it has
--- answered, so that two that must not share their counts are made twice.
---@param value any nil gives the answers of `--offline`
---@return curia.Script?
---@return curia.Error? err kind `validation`; every fault stands in `context.faults`
function M.new(value)
  if getmetatable(value) == Script then return value end
  local faults = value ~= nil and faults_of(value)
  if faults then return nil, script_error(faults) end
  return compiled(value)
end

--- Runs a script file and makes a script from what it returns.
---@param path string
---@return curia.Script?
---@return curia.Error? err kind `script` for a file that does not run, else as for `new`
function M.load(path)
  local chunk, message = loadfile(path, "t")
  if not chunk then return nil, errors.new("script", message) end
  local ok, value = xpcall(chunk, debug.traceback)
  if not ok then return nil, errors.new("script", value) end
  if value == nil then
    return nil, errors.new("script", path .. ": returns nothing; a script file returns its script")
  end
  local script, err = M.new(value)
  if err then err.message = path .. ": " .. err.message end
  return script, err
end

-- Matching -----------------------------------------------------------------------------------------

local function last_text(request)
  local messages = request.messages or {}
  return messages[#messages] and offline.text(messages[#messages]) or ""
end

local function system_text(request)
  local texts = {}
  for _, message in ipairs(request.messages or {}) do
    if message.role == "system" then texts[#texts + 1] = offline.text(message) end
  end
  return table.concat(texts, "\n")
end

local function holds(part, text)
  return part == nil or text:find(part, 1, true) ~= nil
end

local function conditions_hold(match, request)
  for _, name in ipairs { "member", "model", "round" } do
    if match[name] and match[name] ~= request[name] then return false end
  end
  return holds(match.path, request.path or "")
    and (match.contains == nil or holds(match.contains, last_text(request)))
    and (match.system == nil or holds(match.system, system_text(request)))
end

local function matches(rule, request)
  if type(rule.match) == "function" then return rule.match(request) end
  if not conditions_hold(rule.match, request) then return false end
  rule.matched = rule.matched + 1
  return rule.match.n == nil or rule.match.n == rule.matched
end

local function choose(script, request)
  for _, rule in ipairs(script.rules) do
    if matches(rule, request) then return rule.source end
  end
  return script.default
end

local function next_of(from)
  from.given = math.min(from.given + 1, #from.list)
  return from.list[from.given]
end

-- Settling an answer --------------------------------------------------------------------------------

local function words(text)
  return select(2, text:gsub("%S+", ""))
end

local function input_words(request)
  local count = 0
  for _, message in ipairs(request.messages or {}) do count = count + words(offline.text(message)) end
  return count
end

local function output_words(answer)
  local count = words(answer.content) + words(answer.reasoning or "")
  for _, call in ipairs(answer.tool_calls or {}) do count = count + words(call.raw) + 1 end
  return count
end

local function usage_of(usage, answer, request)
  if usage == false then return nil end
  local counted = { input_tokens = input_words(request), output_tokens = output_words(answer) }
  if answer.reasoning then counted.reasoning_tokens = words(answer.reasoning) end
  for name, value in pairs(type(usage) == "table" and usage or {}) do counted[name] = value end
  return counted
end

local function pieces_of(raw, content)
  if raw.stream then return raw.stream end
  return raw.pieces and pieces.parts(content, raw.pieces) or pieces.words(content)
end

local function call_of(script, call)
  script.calls = script.calls + 1
  local arguments = call.arguments or json.object()
  if type(arguments) == "table" and next(arguments) == nil then arguments = json.object() end
  local raw = type(arguments) == "string" and arguments or assert(json.encode(arguments))
  return {
    id = call.id or ("call_%d"):format(script.calls), name = call.name, raw = raw,
    arguments = type(arguments) == "table" and arguments or json.decode(raw),
  }
end

local function calls_of(script, list)
  if not list or #list == 0 then return nil end
  local calls = {}
  for i, call in ipairs(list) do calls[i] = call_of(script, call) end
  return calls
end

local MESSAGES = {
  [400] = "The request is invalid.", [401] = "Incorrect API key provided.", [402] = "The account has no credit left.",
  [403] = "This key may not use this model.", [404] = "The model does not exist.", [408] = "The request took too long.",
  [429] = "Rate limit reached, try again later.", [503] = "The service is unavailable.", [529] = "Overloaded",
}

local function error_of(raw)
  local given = raw.error
  if given == nil and raw.fault ~= "error_in_200" then return nil end
  local err = type(given) == "table" and given or { status = given }
  local status = err.status or (raw.fault == "error_in_200" and 503) or 500
  return {
    status = status, code = err.code, type = err.type,
    message = err.message or MESSAGES[status] or "The server had an error.",
    retry_after_ms = err.retry_after_ms, should_retry = err.should_retry,
  }
end

local function content_of(raw)
  if raw.stream then return table.concat(raw.stream) end
  if type(raw.content) == "table" then return assert(json.encode(raw.content)) end
  return raw.content or ""
end

-- Between the pieces of a slow answer that does not say how slow.
local SLOW_MS = 10

local function settle(script, raw, request)
  local content = content_of(raw)
  local answer = {
    content = content, reasoning = raw.reasoning,
    pieces = pieces_of(raw, content),
    tool_calls = calls_of(script, raw.tool_calls),
    cost = raw.cost, model = raw.model or request.model or "scripted",
    delay_ms = raw.delay_ms or 0,
    chunk_delay_ms = raw.chunk_delay_ms or (raw.fault == "slow" and SLOW_MS or 0),
    error = error_of(raw), fault = raw.fault,
    after = raw.after or (raw.fault == "error_in_200" and 0) or nil,
  }
  answer.finish_reason = raw.finish_reason or (answer.tool_calls and "tool_calls") or "stop"
  answer.usage = usage_of(raw.usage, answer, request)
  if raw.logprobs then answer.logprobs = raw.logprobs end
  return answer
end

-- Answering -----------------------------------------------------------------------------------------

local function traced(problem)
  if errors.is(problem) then return problem end
  return errors.new("script", tostring(problem), { traceback = debug.traceback(nil, 2) })
end

-- Calls what the script's author wrote. It may wait; what cancels the task goes on upwards.
local function guarded(fn, ...)
  local ok, value = xpcall(fn, traced, ...)
  if ok then return value end
  local current = task.current()
  if current and current:cancelled() then error(value, 0) end
  return nil, value
end

local function from_function(fn, request)
  local value, err = guarded(fn, request)
  if err then return nil, err end
  if type(value) == "string" then return { content = value } end
  if type(value) ~= "table" then
    return nil, errors.new("script", "the script's function returned a " .. type(value) .. ", no text and no answer")
  end
  local faults = check.faults()
  check.record(fields.answer, value, "", "", faults)
  if #faults == 0 then check_answer(value, "", faults) end
  if #faults > 0 then return nil, script_error(faults:take()) end
  return value
end

local function next_answer(script, request)
  local raw = next_of(choose(script, request))
  if type(raw) == "function" then raw = assert(from_function(raw, request)) end
  return settle(script, type(raw) == "string" and { content = raw } or raw, request)
end

--- The next answer to a request.
---@async
---@param request table neutral request: `messages`, `model`, `member`, `round`, `path`, `schema`
---@return curia.Answer?
---@return curia.Error? err where the script itself fails: kind `script` or `validation`
function Script:answer(request)
  return guarded(next_answer, self, request)
end

return M
