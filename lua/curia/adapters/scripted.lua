--- The provider that answers from a script, in the process itself: tests, examples, `--offline`.
--
-- Its configuration's `script` is what `curia.script` takes; nil gives the answers of `--offline`.
-- Delays pass by the runtime's clock, so that a virtual clock works, and every fault ends in the error
-- that it would end in over HTTP.
local errors = require "curia.errors"
local failure = require "curia.adapters.support.failure"
local json = require "curia.json"
local script = require "curia.script"
local task = require "curia.task"

local NAME = "scripted"

-- Scripts count what they have answered; one that is given as a table keeps its counts as long as the
-- table lives.
local scripts = setmetatable({}, { __mode = "k" })

local function script_of(config)
  local value = config.script
  if value ~= nil and scripts[value] then return scripts[value] end
  local made, err = script.new(value)
  if made and type(value) == "table" then scripts[value] = made end
  return made, err
end

-- Faults ------------------------------------------------------------------------------------------

local function name_of(config)
  return config.name or NAME
end

-- `sent`: whether the request would have reached a server.
local function connection_error(config, code, why, partial)
  return errors.new("transient", ("%s: %s"):format(name_of(config), why), {
    provider = name_of(config), code = code, reason = why, retryable = true,
    context = { sent = code ~= "ECONNECT", partial = partial },
  })
end

local function error_body(err)
  return { error = { message = err.message, code = err.code, type = err.type } }
end

local function hint_headers(err)
  return {
    ["retry-after-ms"] = err.retry_after_ms and ("%.0f"):format(err.retry_after_ms) or nil,
    ["x-should-retry"] = err.should_retry ~= nil and tostring(err.should_retry) or nil,
  }
end

local function status_error(config, err)
  return failure.of_status(name_of(config), err.status, hint_headers(err), json.encode(error_body(err)))
end

-- No timer keeps this wait: only cancelling the task ends it.
local function wait_for_ever()
  task.signal():wait()
end

local BODIES = { html = "<html><title>502 Bad Gateway</title></html>", empty = "", garbage = '{"answer": "cut he' }

local function unreadable(config, fault)
  return failure.unreadable(name_of(config), 200, BODIES[fault], "answer is no JSON")
end

-- Faults that come before the first piece.
local BEFORE = {
  refuse_connection = function(config) return connection_error(config, "ECONNECT", "connection refused") end,
  cut_before = function(config) return connection_error(config, "ERESET", "connection closed before an answer") end,
  hang = wait_for_ever,
  html = unreadable, empty = unreadable, garbage = unreadable,
}

-- Faults that come after `after` pieces, with what the answer had brought by then.
local AMID = {
  cut = function(config, partial)
    return connection_error(config, "ECUT", "connection closed in the middle", partial)
  end,
  reset = function(config, partial) return connection_error(config, "ECUT", "connection reset", partial) end,
  no_done = function(config, partial) return failure.cut(name_of(config), 200, partial) end,
  silence = wait_for_ever,
  error_in_200 = function(config, partial, answer)
    local fault = error_body(answer.error).error
    fault.status_code = answer.error.status
    return failure.inside(name_of(config), 200, fault, partial)
  end,
}

-- Answering ---------------------------------------------------------------------------------------

local function said(answer)
  local cut = AMID[answer.fault] and answer.fault ~= "no_done"
  return cut and math.min(answer.after or #answer.pieces // 2, #answer.pieces) or #answer.pieces
end

-- Hands the pieces on; a fault amid them leaves the rest unsaid.
local function stream(answer, on_delta)
  if answer.reasoning then on_delta("reasoning", answer.reasoning) end
  local last = said(answer)
  for i = 1, last do
    if i > 1 and answer.chunk_delay_ms > 0 then task.sleep(answer.chunk_delay_ms) end
    on_delta("content", answer.pieces[i])
  end
  return { content = table.concat(answer.pieces, "", 1, last), reasoning = answer.reasoning }
end

local function tell_calls(answer, on_delta)
  for _, call in ipairs(answer.tool_calls or {}) do on_delta("tool_args", call.raw) end
end

local function logprobs_of(answer)
  local tokens = {}
  for i, logprob in ipairs(answer.logprobs) do tokens[i] = { logprob = logprob } end
  return tokens
end

-- What the script has said, without the pieces that it is cut into.
local function raw_of(answer)
  local raw = {}
  for name, value in pairs(answer) do raw[name] = value end
  raw.pieces = nil
  return raw
end

local function response_of(answer)
  return {
    content = answer.content,
    reasoning = answer.reasoning,
    tool_calls = answer.tool_calls,
    finish_reason = answer.finish_reason,
    model = answer.model,
    usage = answer.usage or {},
    cost = answer.cost and { usd = answer.cost, source = "provider" } or nil,
    raw = raw_of(answer),
  }
end

local function nothing() end

local function deliver(answer, request, config, on_delta)
  local tell = request.stream and on_delta or nothing
  local partial = request.stream and stream(answer, tell) or { content = "" }
  local amid = AMID[answer.fault]
  if amid and (request.stream or answer.fault ~= "no_done") then return nil, amid(config, partial, answer) end
  if amid then return nil, unreadable(config, "garbage") end
  tell_calls(answer, tell)
  local response = response_of(answer)
  if request.logprobs and answer.logprobs then response.logprobs = logprobs_of(answer) end
  return response
end

--- Answers a request from the script.
---@async
---@param request table neutral request
---@param config table {script =, name =}
---@param on_delta? fun(kind: "content"|"reasoning"|"tool_args", text: string) takes the pieces of a streamed answer
---@return table|nil response
---@return curia.Error|nil err
local function call(request, config, on_delta)
  local made, fault = script_of(config)
  if not made then return nil, fault end
  local answer, err = made:answer(request)
  if not answer then return nil, err end
  if answer.delay_ms > 0 then task.sleep(answer.delay_ms) end
  local before = BEFORE[answer.fault]
  if before then return nil, before(config, answer.fault) end
  if answer.error and answer.fault ~= "error_in_200" then return nil, status_error(config, answer.error) end
  return deliver(answer, request, config, on_delta)
end

return {
  name = NAME,
  capabilities = { stream = true, tools = true, json_schema = true, reasoning = true, seed = true, logprobs = true },
  call = call,
}
