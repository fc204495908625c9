--- OpenAI Chat Completions, as a server.
local json = require "curia.json"
local wire = require "curia.mock.wire"

local null = json.null

local M = {
  name = "openai_chat",
  paths = { "/v1/chat/completions", "/chat/completions" },
  stream_type = "text/event-stream; charset=utf-8",
}

-- Requests -----------------------------------------------------------------------------------------

---@param body table
---@return table|nil request, table|nil problem
function M.read(body)
  if type(body.model) ~= "string" then return wire.invalid("you must provide a model parameter", "model") end
  if not json.is_array(body.messages) or #body.messages == 0 then
    return wire.invalid("Missing required parameter: 'messages'.", "messages")
  end
  local format = type(body.response_format) == "table" and body.response_format.json_schema
  return {
    model = body.model, messages = wire.messages(body.messages), stream = body.stream == true,
    schema = type(format) == "table" and format.schema or nil,
    include_usage = type(body.stream_options) == "table" and body.stream_options.include_usage == true,
  }
end

-- Answers ------------------------------------------------------------------------------------------

local FINISH = { refusal = "stop" }

local function usage_of(answer)
  local usage = answer.usage
  if not usage then return nil end
  local input, output = wire.count(usage, "input_tokens"), wire.count(usage, "output_tokens")
  return {
    prompt_tokens = input, completion_tokens = output, total_tokens = input + output,
    prompt_tokens_details = { cached_tokens = wire.count(usage, "cached_tokens"), audio_tokens = 0 },
    completion_tokens_details = { reasoning_tokens = wire.count(usage, "reasoning_tokens"), audio_tokens = 0 },
  }
end

local function call_of(call)
  return { id = call.id, type = "function", ["function"] = { name = call.name, arguments = call.raw } }
end

local function calls_of(answer)
  if not answer.tool_calls then return nil end
  local calls = json.array()
  for i, call in ipairs(answer.tool_calls) do calls[i] = call_of(call) end
  return calls
end

local function message_of(answer)
  local refused = answer.finish_reason == "refusal"
  local content = not refused and (answer.content ~= "" or not answer.tool_calls) and answer.content
  return {
    role = "assistant", content = content or null, refusal = refused and answer.content or null,
    reasoning_content = answer.reasoning, tool_calls = calls_of(answer), annotations = json.array(),
  }
end

---@param request table
---@param answer curia.Answer
---@return table body
function M.whole(request, answer)
  return {
    id = "chatcmpl-" .. request.id, object = "chat.completion", created = request.created, model = answer.model,
    choices = { {
      index = 0, message = message_of(answer), logprobs = null,
      finish_reason = wire.finish(FINISH, answer.finish_reason),
    } },
    usage = usage_of(answer), service_tier = "default", system_fingerprint = "fp_mock",
  }
end

-- Streams ------------------------------------------------------------------------------------------

local function chunk_of(request, answer, choice, usage)
  return wire.event {
    id = "chatcmpl-" .. request.id, object = "chat.completion.chunk", created = request.created,
    model = answer.model, service_tier = "default", system_fingerprint = "fp_mock",
    choices = json.array { choice }, usage = usage or (request.include_usage and null) or nil,
  }
end

local function delta_of(request, answer, delta, finish)
  return chunk_of(request, answer, { index = 0, delta = delta, logprobs = null, finish_reason = finish or null })
end

local function add_call(frames, request, answer, index, call)
  local first = call_of(call)
  first.index, first["function"].arguments = index, ""
  frames[#frames + 1] = delta_of(request, answer, { tool_calls = json.array { first } })
  for _, fragment in ipairs(wire.fragments(call.raw)) do
    frames[#frames + 1] = delta_of(request, answer, {
      tool_calls = json.array { { index = index, ["function"] = { arguments = fragment } } },
    })
  end
end

local function pieces_of(request, answer)
  local frames, field = {}, answer.finish_reason == "refusal" and "refusal" or "content"
  for i, piece in ipairs(answer.pieces) do frames[i] = delta_of(request, answer, { [field] = piece }) end
  for i, call in ipairs(answer.tool_calls or {}) do add_call(frames, request, answer, i - 1, call) end
  return frames
end

local function opening_of(request, answer)
  local frames = { delta_of(request, answer, { role = "assistant", content = "", refusal = null }) }
  for _, text in ipairs(wire.reasoning(answer.reasoning)) do
    frames[#frames + 1] = delta_of(request, answer, { reasoning_content = text })
  end
  return frames
end

local function closing_of(request, answer)
  local frames = { delta_of(request, answer, {}, wire.finish(FINISH, answer.finish_reason)) }
  local usage = request.include_usage and usage_of(answer)
  if usage then frames[#frames + 1] = chunk_of(request, answer, nil, usage) end
  frames[#frames + 1] = wire.event "[DONE]"
  return frames
end

---@param request table
---@param answer curia.Answer
---@return table frames {opening =, pieces =, closing =}: lists of texts to be sent one after the other
function M.stream(request, answer)
  return {
    opening = opening_of(request, answer), pieces = pieces_of(request, answer), closing = closing_of(request, answer),
  }
end

-- Errors -------------------------------------------------------------------------------------------

local TYPES = { [429] = "requests", [500] = "server_error", [502] = "server_error", [503] = "server_error" }
local CODES = { [401] = "invalid_api_key", [404] = "model_not_found", [429] = "rate_limit_exceeded" }

---@param err table {status, message, code, type, param, retry_after_ms, should_retry}
---@return table body, table<string, string> headers
function M.error(err)
  local body = { error = {
    message = err.message, type = err.type or TYPES[err.status] or "invalid_request_error",
    param = err.param or null, code = err.code or CODES[err.status] or null,
  } }
  return body, wire.hint_headers(err)
end

---@return string[] frames of an error in the middle of a stream
function M.failing(_, _, err)
  return { wire.event((M.error(err))) }
end

---@param request table
---@return table<string, string>
function M.headers(request)
  return { ["x-request-id"] = "req_" .. request.id, ["openai-processing-ms"] = "1", ["openai-version"] = "2020-10-01" }
end

--- The answer to GET /models.
---@param names string[]
---@return table
function M.models(names)
  local list = json.array()
  for i, name in ipairs(names) do list[i] = { id = name, object = "model", created = 0, owned_by = "curia" } end
  return { object = "list", data = list }
end

return M
