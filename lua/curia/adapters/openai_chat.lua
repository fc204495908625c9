--- OpenAI Chat Completions, and everything that speaks it (Groq, Mistral, DeepSeek, xAI, Together,
-- vLLM, llama.cpp, Azure, gateways).
--
-- A refusal has finish_reason "refusal" and its text as content. An answer of tool calls only has
-- content "". Of several choices only the one with index 0 counts.
local decoder = require "curia.core.decoder"
local models = require "curia.data.models"
local answer = require "curia.adapters.support.answer"
local calls = require "curia.adapters.support.calls"
local embed = require "curia.adapters.support.embed"
local failure = require "curia.adapters.support.failure"
local guard = require "curia.adapters.support.guard"
local request_of = require "curia.adapters.support.request"
local schemas = require "curia.adapters.support.schema"

local concat = table.concat

local NAME = "openai_chat"
local DEFAULT_BASE = "https://api.openai.com/v1"

-- Request -------------------------------------------------------------------------------------------

local function wire_calls(list, parts)
  local wire = {}
  for i, call in ipairs(list) do
    wire[i] = {
      id = call.id, type = "function",
      ["function"] = { name = call.name, arguments = request_of.arguments_text(call) },
      extra_content = parts and parts.calls and parts.calls[i] or nil,
    }
  end
  return wire
end

local function wire_assistant(message, model)
  local wire = { role = "assistant", content = request_of.text(message.content) }
  local parts = request_of.own_parts(message, NAME, model)
  if message.tool_calls and message.tool_calls[1] then
    wire.tool_calls = wire_calls(message.tool_calls, parts)
    if wire.content == "" then wire.content = nil end
  end
  return parts and request_of.extend(wire, parts.fields) or wire
end

local function wire_message(message, model)
  local role, content = message.role, message.content
  if role == "assistant" then return wire_assistant(message, model) end
  if type(content) ~= "string" then content = request_of.text(content) end
  if role == "tool" then return { role = "tool", tool_call_id = message.tool_call_id, content = content } end
  return { role = role, content = content, name = message.name }
end

local function wire_messages(request)
  if request.plain then return request.messages end
  local wire = {}
  for i, message in ipairs(request.messages) do wire[i] = wire_message(message, request.model) end
  return wire
end

local function wire_tools(tools)
  local wire = {}
  for i, tool in ipairs(tools) do
    wire[i] = {
      type = "function",
      ["function"] = { name = tool.name, description = tool.about, parameters = request_of.parameters(tool) },
    }
  end
  return wire
end

local CHOICES = { auto = "auto", required = "required", none = "none" }

local function add_tools(body, request)
  body.tools = wire_tools(request.tools)
  local choice = request.tool_choice
  if choice then
    body.tool_choice = CHOICES[choice] or { type = "function", ["function"] = { name = choice } }
  end
  if request.parallel_tools == false then body.parallel_tool_calls = false end
end

local function response_format(request)
  local schema, strict = schemas.openai(request.schema)
  return {
    type = "json_schema",
    json_schema = { name = request.schema_name or "answer", schema = schema, strict = strict },
  }
end

local function add_sampling(body, request)
  local max_tokens = request.max_tokens and request_of.integer(request.max_tokens)
  if models.openai_reasoning(request.model) then
    body.max_completion_tokens = max_tokens
    return
  end
  body.max_tokens = max_tokens
  body.temperature = request.temperature
  body.top_p = request.top_p
  body.stop = request.stop
  body.logprobs = request.logprobs
end

local WITH_USAGE = { include_usage = true }

local function build_body(request)
  local streams = request.stream
  local body = {
    model = request.model, messages = wire_messages(request),
    stream = streams and true or nil, stream_options = streams and WITH_USAGE or nil,
  }
  add_sampling(body, request)
  if request.seed then body.seed = request_of.integer(request.seed) end
  if request.reasoning then body.reasoning_effort = request_of.reasoning_effort(request.reasoning) end
  if request.tools and request.tools[1] then add_tools(body, request) end
  if request.schema and schemas.is_object(request.schema) then body.response_format = response_format(request) end
  return request.extra and request_of.extend(body, request.extra) or body
end

local urls = {}

local function url_of(base)
  local url = urls[base]
  if not url then
    url = request_of.url(request_of.versioned(base, "/v1"), "/chat/completions")
    urls[base] = url
  end
  return url
end

--- The body shares the request's messages, and calls of one configuration share their headers.
---@param request table neutral request
---@param config table {base_url, api_key, headers, logprobs}; `logprobs = false`: the vendor refuses to be asked
---@return table {url, headers, body}
local function build(request, config)
  local body = build_body(request)
  if config.logprobs == false then body.logprobs = nil end
  return {
    url = url_of(config.base_url or DEFAULT_BASE),
    headers = request_of.shared_headers(config, request_of.bearer),
    body = body,
  }
end

-- Response ------------------------------------------------------------------------------------------

local FINISH = {
  stop = "stop", length = "length", tool_calls = "tool_calls", content_filter = "content_filter",
  eos = "stop", end_turn = "stop", complete = "stop", stop_sequence = "stop",
  max_tokens = "length", model_length = "length", max_output_tokens = "length", MAX_TOKENS = "length",
  tool_call = "tool_calls", tool_use = "tool_calls", function_call = "tool_calls",
  ["content-filter"] = "content_filter", safety = "content_filter", sensitive = "content_filter",
  SAFETY = "content_filter", refusal = "refusal",
  error = "error", network_error = "error", insufficient_system_resource = "error", abort = "error",
}

local USD_PER_XAI_TICK = 1e-10

-- What the call cost, in US dollars, where the vendor says so.
local function reported_cost(usage, value)
  local cost = usage.cost
  if cost == nil and usage.cost_in_usd_ticks == nil and value.cost == nil then return nil end
  if type(cost) == "table" then cost = cost.total_cost end
  if type(cost) == "number" and usage.is_byok and type(usage.cost_details) == "table" then
    cost = cost + (tonumber(usage.cost_details.upstream_inference_cost) or 0)
  end
  local ticks = usage.cost_in_usd_ticks
  if not cost and type(ticks) == "number" and ticks > 0 then cost = ticks * USD_PER_XAI_TICK end
  if not cost and type(value.cost) == "table" then cost = value.cost.usd end
  return type(cost) == "number" and { usd = cost, source = "provider" } or nil
end

local NO_DETAILS = {}

-- Some vendors (xAI, gateways to Gemini) leave the reasoning out of completion_tokens: then the total
-- shows it, or more reasoning than output does.
local function output_tokens(output, reasoning, input, total)
  if not output or not reasoning or reasoning == 0 then return output end
  local apart = input and total and total == input + output + reasoning
  return (apart or reasoning > output) and output + reasoning or output
end

-- What is rare is added only where it was sent: usage stays as long as its run, and many servers count
-- just two.
local function counted(input, output, total, cached, reasoning)
  local counts = { input_tokens = input, output_tokens = output_tokens(output, reasoning, input, total) }
  if cached then counts.cached_tokens = cached end
  if reasoning then counts.reasoning_tokens = reasoning end
  return counts
end

local function usage_of(usage)
  if not usage then return {} end
  local count = answer.count
  local input = usage.prompt_tokens_details or NO_DETAILS
  local output = usage.completion_tokens_details or NO_DETAILS
  local cached = input.cached_tokens or usage.prompt_cache_hit_tokens or usage.cached_tokens
    or usage.num_cached_tokens or usage.cache_read_input_tokens
  local counts = counted(count(usage.prompt_tokens), count(usage.completion_tokens), count(usage.total_tokens),
    count(cached), count(output.reasoning_tokens or usage.reasoning_tokens))
  counts.cache_write_tokens = count(input.cache_write_tokens or usage.cache_creation_input_tokens)
  return counts
end

local function typed_text(part)
  if part.text then return part.text end
  local inner, text = part.thinking or part.summary, ""
  if type(inner) == "string" then return inner end
  for _, piece in ipairs(inner or NO_DETAILS) do text = text .. (piece.text or "") end
  return text
end

local THINKING = { thinking = true, reasoning = true }

-- Content as Mistral and Databricks write it for models that think: a list of typed parts.
local function split_parts(content)
  local text, reasoning = {}, {}
  for _, part in ipairs(content) do
    local list = THINKING[part.type] and reasoning or text
    list[#list + 1] = typed_text(part)
  end
  return concat(text), concat(reasoning)
end

local function details_text(details)
  if type(details) ~= "table" then return nil end
  local text = ""
  for _, detail in ipairs(details) do text = text .. (detail.text or detail.summary or "") end
  return text
end

local function nonempty(text)
  if text and text ~= "" and type(text) == "string" then return text end
end

local function reasoning_of(message)
  return nonempty(message.reasoning_content) or nonempty(message.reasoning)
    or message.reasoning_details and nonempty(details_text(message.reasoning_details)) or nil
end

-- The text and the reasoning of a message or a delta.
local function texts_of(message)
  local content, reasoning = message.content, reasoning_of(message)
  if type(content) == "table" then
    local text, thought = split_parts(content)
    return nonempty(text), reasoning or nonempty(thought)
  end
  return nonempty(content), reasoning
end

-- What has to come back with the next request of a tool loop: reasoning_content (DeepSeek, Kimi, GLM
-- refuse without it), reasoning_details, Gemini's signatures in `extra_content`.
local function provider_parts(request, message, list, extras)
  local details, reasoning_content = message.reasoning_details, nonempty(message.reasoning_content)
  local fields
  if details and details[1] then fields = { reasoning_details = details } end
  if reasoning_content and list then
    fields = fields or {}
    fields.reasoning_content = reasoning_content
  end
  if not fields and not extras then return nil end
  return { adapter = NAME, model = request and request.model, fields = fields, calls = extras }
end

local function finished_response(content, refusal, list, reason)
  local finish = answer.finish(FINISH[reason], list)
  if refusal then
    return content and content .. refusal or refusal, "refusal"
  end
  return content or "", finish
end

local function message_calls(message)
  local list = message.tool_calls
  if not (list and list[1]) then
    local legacy = message.function_call
    return legacy and { calls.from_text(1, nil, legacy.name, legacy.arguments or "") } or nil
  end
  local found, extras = {}, nil
  for i, call in ipairs(list) do
    local body = call["function"] or NO_DETAILS
    local arguments = body.arguments
    local make = type(arguments) == "table" and calls.from_table or calls.from_text
    found[i] = make(i, call.id, body.name, arguments or "")
    if call.extra_content then
      extras = extras or {}
      extras[i] = call.extra_content
    end
  end
  return found, extras
end

local function choice_zero(choices)
  local first = choices[1]
  if first == nil or (first.index or 0) == 0 then return first end
  for i = 2, #choices do
    if choices[i].index == 0 then return choices[i] end
  end
  return first
end

-- Calls of tools, and what else few answers have.
local function add_rarities(response, choice, message, request)
  local list, extras = message_calls(message)
  response.tool_calls = list
  response.logprobs = choice.logprobs and choice.logprobs.content or nil
  response.provider_parts = provider_parts(request, message, list, extras)
  return list
end

local function has_rarities(choice, message)
  return message.tool_calls or message.function_call or choice.logprobs or message.reasoning_details
end

-- Eight fields: a ninth would double its memory, and it stays as long as its run.
local function new_response(content, reasoning, finish, model, id, usage, cost, raw)
  return {
    content = content, reasoning = reasoning, finish_reason = finish, model = model, provider_id = id,
    usage = usage, cost = cost, raw = raw,
  }
end

local function response_of(value, choice, request)
  local message, usage = choice.message or choice.delta or NO_DETAILS, value.usage
  local text, reasoning = texts_of(message)
  local response = new_response(text, reasoning, nil, value.model, value.id, usage_of(usage),
    usage and reported_cost(usage, value), value)
  local list = has_rarities(choice, message) and add_rarities(response, choice, message, request)
  response.content, response.finish_reason =
    finished_response(text, nonempty(message.refusal), list, choice.finish_reason)
  return response
end

-- The fields of a plain answer, which is read without a tree of tables. Whatever tells anything besides
-- makes it none: it is then read in full.
local read_plain = decoder.fields {
  strings = {
    "object", "id", "model", "choices.0.finish_reason", "choices.0.message.content",
    "choices.0.message.reasoning_content", "choices.0.message.reasoning",
  },
  integers = {
    "usage.prompt_tokens", "usage.completion_tokens", "usage.total_tokens",
    "usage.prompt_tokens_details.cached_tokens", "usage.completion_tokens_details.reasoning_tokens",
  },
  whole = {
    "*", "choices.*", "choices.0.*", "choices.0.message.*", "usage.*", "usage.prompt_tokens_details.*",
    "usage.completion_tokens_details.*",
  },
  ignore = {
    "created", "system_fingerprint", "service_tier", "provider", "x_groq", "timings", "prompt_filter_results",
    "choices.0.message.role", "choices.0.native_finish_reason", "choices.0.content_filter_results",
    "usage.queue_time", "usage.prompt_time", "usage.completion_time", "usage.total_time", "usage.service_tier",
    "usage.prompt_tokens_details.text_tokens", "usage.completion_tokens_details.text_tokens",
  },
}

local function plain(status, body)
  if status ~= 200 or not body then return nil end
  local is_plain, object, id, model, reason, content, thought, other_thought, input, output, total, cached, reasoning =
    read_plain(body)
  local finish = FINISH[reason]
  if not is_plain or not content or not finish or finish == "error" or object == "error" then return nil end
  return new_response(content, nonempty(thought) or nonempty(other_thought), answer.finish(finish), model, id,
    counted(input, output, total, cached, reasoning), nil, body)
end

---@param status integer
---@param headers table|nil
---@param body string
---@param request table|nil
---@param name? string the extension's name, for errors
---@return table|nil response, curia.Error|nil err
local function parse(status, headers, body, request, name)
  name = request and request.provider or name or NAME
  local value, err = answer.read(name, status, headers, body)
  if not value then return nil, err end
  local fault = failure.find(value)
  if fault then return nil, failure.inside(name, status, fault) end
  local choice = value.choices and choice_zero(value.choices)
  if not choice then return nil, failure.unreadable(name, status, body, "answer without choices") end
  local response = response_of(value, choice, request)
  if response.finish_reason == "error" then
    local partial = answer.partial(response.content, response.reasoning)
    return nil, failure.cut(name, status, partial, choice.finish_reason, "the vendor broke the answer off")
  end
  return response
end

-- Stream --------------------------------------------------------------------------------------------

local function start(request, name)
  return {
    name = request_of.label(request, name or NAME), request = request,
    text = {}, reasoning = {}, calls = calls.gather(),
  }
end

local function add_details(state, details)
  local merged = state.details
  if not merged then
    merged = {}
    state.details = merged
  end
  for _, detail in ipairs(details) do
    local last = merged[#merged]
    if last and last.type == detail.type and last.index == detail.index and not (detail.data and last.data) then
      for key, value in pairs(detail) do
        local joins = key == "text" or key == "summary"
        last[key] = joins and type(last[key]) == "string" and last[key] .. value or value
      end
    else
      merged[#merged + 1] = detail
    end
  end
end

local function add_calls(state, fragments, deltas)
  for _, fragment in ipairs(fragments) do
    local piece = calls.add(state.calls, fragment)
    if piece then deltas[#deltas + 1] = { kind = "tool_args", text = piece } end
  end
end

local function add_logprobs(state, logprobs)
  if type(logprobs.content) ~= "table" then return end
  local list = state.logprobs or {}
  for _, entry in ipairs(logprobs.content) do list[#list + 1] = entry end
  state.logprobs = list
end

local function add_texts(state, delta, deltas)
  local text, reasoning = texts_of(delta)
  if reasoning then
    state.reasoning[#state.reasoning + 1] = reasoning
    deltas[#deltas + 1] = { kind = "reasoning", text = reasoning }
  end
  if nonempty(delta.reasoning_content) then state.has_reasoning_content = true end
  local refusal = nonempty(delta.refusal)
  if refusal then state.refused = true end
  text = text and refusal and text .. refusal or text or refusal
  if text then
    state.text[#state.text + 1] = text
    deltas[#deltas + 1] = { kind = "content", text = text }
  end
end

local function add_choice(state, choice, deltas)
  state.seen = true
  local delta = choice.delta
  if not delta and not state.text[1] then delta = choice.message end
  if delta then
    add_texts(state, delta, deltas)
    if delta.reasoning_details then add_details(state, delta.reasoning_details) end
    if delta.tool_calls then
      add_calls(state, delta.tool_calls[1] and delta.tool_calls or { delta.tool_calls }, deltas)
    end
    if delta.function_call then add_calls(state, { { index = -1, ["function"] = delta.function_call } }, deltas) end
  end
  if choice.logprobs then add_logprobs(state, choice.logprobs) end
  if nonempty(choice.finish_reason) then state.finish = choice.finish_reason end
end

-- Usage may come often, also in `x_groq`; the last is the total.
local function add_facts(state, value)
  if nonempty(value.id) then state.id = value.id end
  if nonempty(value.model) then state.model = value.model end
  local usage = value.usage or (value.x_groq and not state.usage and value.x_groq.usage)
  if usage then state.usage, state.last = usage, value end
end

local function add_event(state, value, name)
  local fault = failure.find(value) or (name == "error" and value)
  if fault then state.fault = state.fault or fault end
  add_facts(state, value)
  local choices = value.choices
  if not choices then return nil end
  local deltas = {}
  for i = 1, #choices do
    if (choices[i].index or 0) == 0 then add_choice(state, choices[i], deltas) end
  end
  return deltas[1] and deltas or nil
end

local function push(state, kind, value, name)
  if kind == "text" then
    state.text[#state.text + 1] = value
    state.seen = true
  elseif kind == "reasoning" then
    state.reasoning[#state.reasoning + 1] = value
    state.seen, state.has_reasoning_content = true, true
  elseif kind == "event" then
    return add_event(state, value, name)
  elseif value == "[DONE]" then
    state.done = true
  elseif name == "error" then
    state.fault = state.fault or { message = value }
  elseif answer.is_broken(value) then
    state.broken = value
  end
end

local function stream_fault(state, status, partial)
  if state.fault then return failure.inside(state.name, status, state.fault, partial) end
  local ended = state.finish or state.done
  if ended and state.broken then
    return failure.cut(state.name, status, partial, "broken_event", "an event of the stream is no JSON")
  end
  if not ended then return failure.cut(state.name, status, partial) end
  if not state.seen then
    return failure.cut(state.name, status, partial, "empty_stream", "the stream brought no choice")
  end
  if FINISH[state.finish] == "error" then
    return failure.cut(state.name, status, partial, state.finish, "the vendor broke the answer off")
  end
end

local function call_extras(list)
  local extras
  for i, call in ipairs(list) do
    if call.extra then
      extras = extras or {}
      extras[i] = call.extra
    end
  end
  return extras
end

local function finish(state, status, headers)
  local content, reasoning = concat(state.text), nonempty(concat(state.reasoning))
  local err = stream_fault(state, status, answer.partial(content, reasoning))
  if err then return nil, err end
  local list = calls.finished(state.calls)
  local usage = state.usage
  local back = { reasoning_content = state.has_reasoning_content and reasoning, reasoning_details = state.details }
  return {
    content = content,
    reasoning = reasoning,
    tool_calls = list,
    finish_reason = state.refused and "refusal" or answer.finish(FINISH[state.finish], list),
    model = state.model,
    usage = usage_of(usage),
    cost = usage and reported_cost(usage, state.last),
    logprobs = state.logprobs,
    provider_id = state.id or (headers and headers["x-generation-id"]),
    provider_parts = provider_parts(state.request, back, list, call_extras(state.calls)),
  }
end

return guard.adapter {
  name = NAME,
  capabilities = {
    stream = true, tools = true, json_schema = "object", reasoning = true, seed = true, logprobs = true,
  },
  embed = embed.openai,
  build = build,
  plain = plain,
  parse = parse,
  stream = {
    framing = "sse",
    text = { "choices.0.delta.content" },
    -- `delta.reasoning` makes an event whole: some servers send it beside `reasoning_content` with the
    -- same text, and only the latter has to go back.
    reasoning = { "choices.0.delta.reasoning_content" },
    whole = {
      "error", "usage", "x_groq.usage", "choices.0.index", "choices.0.finish_reason", "choices.0.error",
      "choices.0.logprobs", "choices.0.delta.tool_calls", "choices.0.delta.function_call",
      "choices.0.delta.refusal", "choices.0.delta.reasoning", "choices.0.delta.reasoning_details", "choices.1",
    },
    start = start,
    push = push,
    finish = finish,
  },
}
