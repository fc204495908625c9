--- Google Gemini and Vertex, generateContent. Streams always use `alt=sse`; a body may also be the JSON
-- array that the call streams without it.
--
-- The parts of a turn that carry a thought signature, or anything but text and calls, are kept in
-- `provider_parts.parts` and go back as they came. Where a model takes no schema beside tools, the
-- answer is asked for by a forced tool.
local json = require "curia.json"
local models = require "curia.data.models"
local answer = require "curia.adapters.support.answer"
local calls = require "curia.adapters.support.calls"
local emulation = require "curia.adapters.support.emulation"
local embed = require "curia.adapters.support.embed"
local failure = require "curia.adapters.support.failure"
local guard = require "curia.adapters.support.guard"
local request_of = require "curia.adapters.support.request"
local schemas = require "curia.adapters.support.schema"

local concat = table.concat

local NAME = "gemini"
local DEFAULT_BASE = "https://generativelanguage.googleapis.com/v1beta"

-- Gemini 3 refuses calls without a signature; this is what Google names for calls it did not make.
local NO_SIGNATURE = "skip_thought_signature_validator"

-- Request -------------------------------------------------------------------------------------------

local function has_tools(request)
  return request.tools ~= nil and request.tools[1] ~= nil
end

-- The field and the schema that say it natively; nothing where the model has no such form.
local function native_schema(request)
  local facts = models.of(request.model)
  if has_tools(request) and not facts.schema_with_tools then return nil end
  if facts.schema then return "responseJsonSchema", request.schema end
  local schema = schemas.openapi(request.schema)
  if schema then return "responseSchema", schema end
end

local function emulates(request)
  return request ~= nil and request.schema ~= nil and native_schema(request) == nil
end

local function assistant_parts(message, model)
  local kept = request_of.own_parts(message, NAME, model)
  if kept then return kept.parts end
  local parts, text = {}, request_of.text(message.content)
  if text ~= "" then parts[1] = { text = text } end
  local signature = models.of(model).effort == "level" and NO_SIGNATURE or nil
  for i, call in ipairs(message.tool_calls or {}) do
    parts[#parts + 1] = {
      functionCall = { name = call.name, args = request_of.arguments_object(call) },
      thoughtSignature = i == 1 and signature or nil,
    }
  end
  return parts
end

-- The calls by id, so that a result finds the name it needs and whether the id was Google's own.
local function remember_calls(seen, message)
  for _, call in ipairs(message.tool_calls or {}) do
    seen[call.id] = { name = call.name, own = request_of.own_parts(message, NAME) and not call.made_id }
  end
end

local function result_part(message, seen)
  local call = seen[message.tool_call_id] or {}
  local text = request_of.text(message.content)
  local value = text:find("^%s*{") and json.decode(text)
  if type(value) ~= "table" then value = { [message.is_error and "error" or "result"] = text } end
  return {
    functionResponse = {
      name = message.name or call.name or "tool",
      id = call.own and message.tool_call_id or nil,
      response = value,
    },
  }
end

local function user_parts(message)
  local text = request_of.text(message.content)
  return text ~= "" and { { text = text } } or {}
end

local function parts_of(message, model, seen)
  if message.role == "assistant" then
    remember_calls(seen, message)
    return "model", assistant_parts(message, model)
  end
  if message.role == "tool" then return "user", { result_part(message, seen) } end
  return "user", user_parts(message)
end

-- Turns of one role are merged; the history starts and ends with the user.
local function wire_contents(messages, model)
  local wire, seen = {}, {}
  for _, message in ipairs(messages) do
    local role, parts = parts_of(message, model, seen)
    local last = wire[#wire]
    if not last or last.role ~= role then
      last = { role = role, parts = {} }
      if parts[1] then wire[#wire + 1] = last end
    end
    table.move(parts, 1, #parts, #last.parts + 1, last.parts)
  end
  if not wire[1] or wire[1].role ~= "user" then
    table.insert(wire, 1, { role = "user", parts = { { text = "Begin." } } })
  end
  if wire[#wire].role == "model" then
    wire[#wire + 1] = { role = "user", parts = { { text = "Continue." } } }
  end
  return wire
end

-- Older models know only the OpenAPI subset.
local function declaration(tool, facts)
  local wire = { name = tool.name, description = tool.about }
  if not tool.parameters or next(tool.parameters) == nil then return wire end
  local subset = not facts.schema and schemas.openapi(tool.parameters)
  if subset then wire.parameters = subset else wire.parametersJsonSchema = tool.parameters end
  return wire
end

local function wire_tools(request, forced)
  local declarations, facts = {}, models.of(request.model)
  for i, tool in ipairs(request.tools or {}) do declarations[i] = declaration(tool, facts) end
  if forced then declarations[#declarations + 1] = declaration(emulation.tool(request), facts) end
  return declarations[1] and { { functionDeclarations = declarations } } or nil
end

local MODES = { auto = "AUTO", required = "ANY", none = "NONE" }

local function tool_config(request, forced)
  local choice = request.tool_choice
  if forced then
    local only = choice == "none" and { emulation.tool_name(request) } or nil
    return { functionCallingConfig = { mode = "ANY", allowedFunctionNames = only } }
  end
  if not choice then return nil end
  local named = not MODES[choice] and { choice } or nil
  return { functionCallingConfig = { mode = MODES[choice] or "ANY", allowedFunctionNames = named } }
end

local function thinking_config(request)
  local reasoning, effort = request.reasoning, models.of(request.model).effort
  if not reasoning or not effort then return nil end
  if effort == "level" and not (type(reasoning) == "table" and reasoning.budget_tokens) then
    return { thinkingLevel = request_of.reasoning_effort(reasoning), includeThoughts = true }
  end
  return { thinkingBudget = request_of.reasoning_budget(reasoning), includeThoughts = true }
end

local function generation_config(request, forced)
  local config = {
    temperature = request.temperature,
    topP = request.top_p,
    maxOutputTokens = request_of.integer(request.max_tokens),
    stopSequences = request.stop,
    seed = request_of.integer(request.seed),
    thinkingConfig = thinking_config(request),
    responseLogprobs = request.logprobs and models.of(request.model).logprobs ~= false or nil,
  }
  if request.schema and not forced then
    local field, schema = native_schema(request)
    config.responseMimeType = "application/json"
    config[field] = schema
  end
  return next(config) and config or nil
end

local function build_body(request)
  local system, rest = request_of.split_system(request.messages)
  local forced = emulates(request)
  local body = {
    systemInstruction = system and { parts = { { text = system } } } or nil,
    contents = wire_contents(rest, request.model),
    generationConfig = generation_config(request, forced),
    tools = wire_tools(request, forced),
  }
  if body.tools then body.toolConfig = tool_config(request, forced) end
  return request_of.extend(body, request.extra)
end

local function url_of(request, base)
  base = request_of.versioned(base, "/v1beta")
  local model = request.model:find("/", 1, true) and request.model or "models/" .. request.model
  local verb = request.stream and ":streamGenerateContent" or ":generateContent"
  local url = request_of.url(base, "/" .. model .. verb)
  if not request.stream then return url end
  return url .. (url:find("?", 1, true) and "&" or "?") .. "alt=sse"
end

local function own_headers(key)
  return { ["x-goog-api-key"] = key }
end

---@param request table neutral request
---@param config table {base_url, api_key, headers}
---@return table {url, headers, body}
local function build(request, config)
  return {
    url = url_of(request, config.base_url or DEFAULT_BASE),
    headers = request_of.shared_headers(config, own_headers),
    body = build_body(request),
  }
end

-- Response ------------------------------------------------------------------------------------------

-- With `enum-encoding=int` the reasons are numbers: the places in this list, from 0.
local REASONS = {
  [0] = "FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER", "BLOCKLIST",
  "PROHIBITED_CONTENT", "SPII", "MALFORMED_FUNCTION_CALL", "MODEL_ARMOR", "IMAGE_SAFETY",
  "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS",
}

local FINISH = {
  STOP = "stop", FINISH_REASON_UNSPECIFIED = "stop", MAX_TOKENS = "length",
  SAFETY = "content_filter", RECITATION = "content_filter", BLOCKLIST = "content_filter",
  PROHIBITED_CONTENT = "content_filter", SPII = "content_filter", MODEL_ARMOR = "content_filter",
  IMAGE_SAFETY = "content_filter", IMAGE_PROHIBITED_CONTENT = "content_filter", LANGUAGE = "content_filter",
  IMAGE_RECITATION = "content_filter",
  OTHER = "error", MALFORMED_FUNCTION_CALL = "error", UNEXPECTED_TOOL_CALL = "error",
  TOO_MANY_TOOL_CALLS = "error", MISSING_THOUGHT_SIGNATURE = "error", MALFORMED_RESPONSE = "error",
}

local function usage_of(usage)
  if not usage then return {} end
  local prompt, tool_use = answer.count(usage.promptTokenCount), answer.count(usage.toolUsePromptTokenCount)
  local output, thoughts = answer.count(usage.candidatesTokenCount), answer.count(usage.thoughtsTokenCount)
  return {
    input_tokens = prompt and prompt + (tool_use or 0),
    output_tokens = (output or thoughts) and (output or 0) + (thoughts or 0),
    cached_tokens = answer.count(usage.cachedContentTokenCount),
    reasoning_tokens = thoughts,
  }
end

local function start(request, name)
  return {
    name = request_of.label(request, name or NAME), request = request,
    text = {}, reasoning = {}, calls = {}, parts = json.array(),
  }
end

local function keep_text(state, text)
  local last = state.parts[#state.parts]
  if last and last == state.open then
    state.open_pieces[#state.open_pieces + 1] = text
    return
  end
  state.open, state.open_pieces = { text = "" }, { text }
  state.parts[#state.parts + 1] = state.open
end

-- Text goes into the part that is kept as one string, when something else follows it.
local function close_text(state)
  if not state.open then return end
  state.open.text = concat(state.open_pieces)
  state.open = nil
end

local function keep_part(state, part)
  close_text(state)
  state.parts[#state.parts + 1] = part
  if part.thoughtSignature or not (part.text or part.functionCall) then state.kept = true end
end

local function add_call(state, part, deltas)
  local body = part.functionCall
  local call = calls.from_table(#state.calls + 1, body.id, body.name, body.args or {})
  if type(body.args) == "table" and next(body.args) == nil then body.args = json.object() end
  state.calls[#state.calls + 1] = call
  keep_part(state, part)
  deltas[#deltas + 1] = { kind = call.name == state.answer_tool and "content" or "tool_args", text = call.raw }
end

local function add_text(state, part, deltas)
  local text = part.text
  if part.thought then
    state.reasoning[#state.reasoning + 1] = text
    if part.thoughtSignature then keep_part(state, part) end
  else
    state.text[#state.text + 1] = text
    if part.thoughtSignature then keep_part(state, part) elseif text ~= "" then keep_text(state, text) end
  end
  if text ~= "" then deltas[#deltas + 1] = { kind = part.thought and "reasoning" or "content", text = text } end
end

local function add_part(state, part, deltas)
  if part.functionCall then
    add_call(state, part, deltas)
  elseif part.text then
    add_text(state, part, deltas)
  else
    keep_part(state, part)
  end
end

-- Google's names for what the others call `token` and `logprob`.
local function add_logprobs(state, result)
  local list = state.logprobs or {}
  for _, chosen in ipairs(result.chosenCandidates or {}) do
    list[#list + 1] = { token = chosen.token, logprob = chosen.logProbability }
  end
  state.logprobs = list
end

local function add_candidate(state, candidate, deltas)
  state.seen = true
  local content = candidate.content
  for _, part in ipairs(content and content.parts or {}) do add_part(state, part, deltas) end
  local reason = candidate.finishReason
  if reason then
    state.finish = REASONS[reason] or reason
    state.finish_message = candidate.finishMessage
  end
  if candidate.logprobsResult then add_logprobs(state, candidate.logprobsResult) end
end

local function add_facts(state, value)
  state.last = value
  state.id, state.model = value.responseId or state.id, value.modelVersion or state.model
  if value.usageMetadata then state.usage = value.usageMetadata end
  local feedback = value.promptFeedback
  if feedback and feedback.blockReason then state.blocked = feedback end
end

local function add_event(state, value, name)
  local fault = failure.find(value) or (name == "error" and value)
  if fault then state.fault = state.fault or fault end
  add_facts(state, value)
  local deltas = {}
  for _, candidate in ipairs(value.candidates or {}) do
    if (candidate.index or 0) == 0 then add_candidate(state, candidate, deltas) end
  end
  return deltas[1] and deltas or nil
end

local function push(state, kind, value, name)
  if kind == "event" then return add_event(state, value, name) end
  if kind == "text" then
    state.text[#state.text + 1] = value
    keep_text(state, value)
  elseif kind == "reasoning" then
    state.reasoning[#state.reasoning + 1] = value
  elseif answer.is_broken(value) then
    state.broken = value
  end
end

local function kept_parts(state)
  close_text(state)
  if not state.kept then return nil end
  return { adapter = NAME, model = state.request and state.request.model, parts = state.parts }
end

local function finish_reason(state, list)
  if state.blocked and not state.seen then return "content_filter" end
  local reason = state.finish and (FINISH[state.finish] or "error")
  -- A call that was not declared comes with its part: the tool loop answers it.
  if reason == "error" and list and state.finish == "UNEXPECTED_TOOL_CALL" then return "tool_calls" end
  return answer.finish(reason, list)
end

local function response_of(state, content, reasoning)
  local list, given = state.calls[1] and state.calls or nil, nil
  if emulates(state.request) then list, given = emulation.unwrap(list, state.request) end
  return {
    content = given or content,
    reasoning = reasoning ~= "" and reasoning or nil,
    tool_calls = list,
    finish_reason = finish_reason(state, list),
    model = state.model,
    usage = usage_of(state.usage),
    logprobs = state.logprobs,
    provider_id = state.id,
    provider_parts = not given and kept_parts(state) or nil,
    raw = state.last,
  }
end

-- The response, unless the vendor says that it is none.
local function conclude(state, status)
  local content, reasoning = concat(state.text), concat(state.reasoning)
  local partial = answer.partial(content, reasoning)
  if state.fault then return nil, failure.inside(state.name, status, state.fault, partial) end
  if state.broken and (state.finish or state.blocked) then
    return nil, failure.cut(state.name, status, partial, "broken_event", "an event of the stream is no JSON")
  end
  if not (state.finish or state.blocked) then return nil, failure.cut(state.name, status, partial) end
  local response = response_of(state, content, reasoning)
  if response.finish_reason == "error" then
    return nil, failure.cut(state.name, status, partial, state.finish,
      ("the answer ended with %s%s"):format(state.finish, state.finish_message and ": " .. state.finish_message or ""))
  end
  return response
end

local function finish(state, status)
  return conclude(state, status)
end

---@param status integer
---@param headers table|nil
---@param body string
---@param request table|nil
---@param name? string the extension's name, for errors
---@return table|nil response, curia.Error|nil err
local function parse(status, headers, body, request, name)
  name = request_of.label(request, name or NAME)
  local value, err = answer.read(name, status, headers, body)
  if not value then return nil, err end
  local state, list = start(request, name), json.is_array(value) and value or { value }
  for _, chunk in ipairs(list) do add_event(state, chunk) end
  if not (state.seen or state.blocked or state.fault) then
    return nil, failure.unreadable(name, status, body, "answer without candidates")
  end
  if list[1] == value and not state.finish and state.parts[1] then state.finish = "STOP" end
  return conclude(state, status)
end

return guard.adapter {
  name = NAME,
  capabilities = { stream = true, tools = true, json_schema = true, reasoning = true, seed = true, logprobs = true },
  embed = embed.gemini,
  build = build,
  parse = parse,
  stream = {
    framing = "sse",
    text = { "candidates.0.content.parts.0.text" },
    whole = {
      "error", "promptFeedback.blockReason", "candidates.0.index", "candidates.0.finishReason",
      "candidates.0.logprobsResult", "candidates.0.content.parts.0.thought",
      "candidates.0.content.parts.0.thoughtSignature", "candidates.0.content.parts.1", "candidates.1",
    },
    start = function(request, name)
      local state = start(request, name)
      state.answer_tool = emulates(request) and emulation.tool_name(request) or nil
      return state
    end,
    push = push,
    finish = finish,
  },
}
