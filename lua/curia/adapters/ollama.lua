--- Ollama's own protocol, /api/chat: NDJSON, arguments as objects, reasoning in `thinking`.
--
-- A `format` leaves a model no way to call a tool. Beside tools, the answer is asked for as the arguments of one more.
local answer = require "curia.adapters.support.answer"
local calls = require "curia.adapters.support.calls"
local embed = require "curia.adapters.support.embed"
local emulation = require "curia.adapters.support.emulation"
local failure = require "curia.adapters.support.failure"
local guard = require "curia.adapters.support.guard"
local request_of = require "curia.adapters.support.request"

local concat = table.concat

local NAME = "ollama"
local DEFAULT_BASE = "http://127.0.0.1:11434"

-- Request -------------------------------------------------------------------------------------------

local function wire_calls(list)
  local wire = {}
  for i, call in ipairs(list) do
    wire[i] = { ["function"] = { name = call.name, arguments = request_of.arguments_object(call) } }
  end
  return wire
end

local function wire_message(message, model)
  local wire = { role = message.role, content = request_of.text(message.content) }
  if message.role == "tool" then
    wire.tool_name = message.name
    wire.tool_call_id = message.tool_call_id
  elseif message.role == "assistant" then
    if message.tool_calls and message.tool_calls[1] then wire.tool_calls = wire_calls(message.tool_calls) end
    local parts = request_of.own_parts(message, NAME, model)
    wire.thinking = parts and parts.thinking
  end
  return wire
end

local function has_tools(request)
  return request.tools ~= nil and request.tools[1] ~= nil and request.tool_choice ~= "none"
end

local function emulates(request)
  return request ~= nil and request.schema ~= nil and has_tools(request)
end

local function wire_tool(tool)
  return {
    type = "function",
    ["function"] = { name = tool.name, description = tool.about, parameters = request_of.parameters(tool) },
  }
end

local function wire_tools(request)
  if not has_tools(request) then return nil end
  local wire = {}
  for i, tool in ipairs(request.tools) do wire[i] = wire_tool(tool) end
  if request.schema then wire[#wire + 1] = wire_tool(emulation.tool(request)) end
  return wire
end

local function options_of(request)
  local options = {
    temperature = request.temperature,
    top_p = request.top_p,
    num_predict = request_of.integer(request.max_tokens),
    seed = request_of.integer(request.seed),
    stop = request.stop,
  }
  return next(options) and options or nil
end

local function think_of(reasoning)
  if reasoning == nil then return nil end
  if type(reasoning) == "table" then return reasoning.effort or true end
  return reasoning
end

-- OLLAMA_HOST is written without a scheme.
local function url_of(base)
  if not base:find("://", 1, true) then base = "http://" .. base end
  return request_of.url(request_of.versioned(base, "/api"), "/chat")
end

---@param request table neutral request
---@param config table {base_url, api_key, headers}
---@return table {url, headers, body}
local function build(request, config)
  local messages = {}
  for i, message in ipairs(request.messages) do messages[i] = wire_message(message, request.model) end
  local body = {
    model = request.model,
    messages = messages,
    stream = request.stream == true,
    tools = wire_tools(request),
    options = options_of(request),
    think = think_of(request.reasoning),
    format = not emulates(request) and request.schema or nil,
    logprobs = request.logprobs,
  }
  return {
    url = url_of(config.base_url or DEFAULT_BASE),
    headers = request_of.shared_headers(config, request_of.bearer),
    body = request_of.extend(body, request.extra),
  }
end

-- Response ------------------------------------------------------------------------------------------

local FINISH = { stop = "stop", length = "length", load = "stop", unload = "stop", tool_calls = "tool_calls" }

local function usage_of(value)
  return { input_tokens = answer.count(value.prompt_eval_count), output_tokens = answer.count(value.eval_count) }
end

local function add_calls(list, message)
  for _, call in ipairs(message.tool_calls or {}) do
    local body = call["function"] or {}
    list[#list + 1] = calls.from_table(#list + 1, call.id, body.name, body.arguments)
  end
end

local function nonempty(text)
  if type(text) == "string" and text ~= "" then return text end
end

local function response_of(last, content, thinking, list, request, logprobs)
  local given
  list = list[1] and list or nil
  if emulates(request) then list, given = emulation.unwrap(list, request) end
  return {
    content = given or content,
    reasoning = thinking,
    tool_calls = list,
    finish_reason = answer.finish(FINISH[last.done_reason], list),
    model = last.model,
    usage = usage_of(last),
    logprobs = logprobs,
    provider_parts = thinking and list
      and { adapter = NAME, model = request and request.model, thinking = thinking } or nil,
    raw = last,
  }
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
  local fault = failure.find(value)
  if fault then return nil, failure.inside(name, status, fault) end
  local message = value.message
  if not message then return nil, failure.unreadable(name, status, body, "answer without a message") end
  local list = {}
  add_calls(list, message)
  return response_of(value, nonempty(message.content) or "", nonempty(message.thinking), list, request, value.logprobs)
end

-- Stream --------------------------------------------------------------------------------------------

local function start(request, name)
  return {
    name = request_of.label(request, name or NAME), request = request, text = {}, thinking = {}, calls = {},
    answer_tool = emulates(request) and emulation.tool_name(request) or nil,
  }
end

local function add_message(state, message)
  local deltas = {}
  local thinking, text = nonempty(message.thinking), nonempty(message.content)
  if thinking then
    state.thinking[#state.thinking + 1] = thinking
    deltas[1] = { kind = "reasoning", text = thinking }
  end
  if text then
    state.text[#state.text + 1] = text
    deltas[#deltas + 1] = { kind = "content", text = text }
  end
  local before = #state.calls
  add_calls(state.calls, message)
  for i = before + 1, #state.calls do
    local call = state.calls[i]
    deltas[#deltas + 1] = { kind = call.name == state.answer_tool and "content" or "tool_args", text = call.raw }
  end
  return deltas[1] and deltas or nil
end

local function append(list, more)
  return table.move(more, 1, #more, #list + 1, list)
end

local function push(state, kind, value, name)
  if kind == "text" then
    state.text[#state.text + 1] = value
  elseif kind == "reasoning" then
    state.thinking[#state.thinking + 1] = value
  elseif kind == "data" then
    state.broken = value
  else
    local fault = failure.find(value) or (name == "error" and value)
    if fault then state.fault = state.fault or fault end
    if value.done then state.last = value end
    if value.logprobs then state.logprobs = append(state.logprobs or {}, value.logprobs) end
    return value.message and add_message(state, value.message)
  end
end

local function finish(state, status)
  local content, thinking = concat(state.text), nonempty(concat(state.thinking))
  local partial = answer.partial(content, thinking)
  if state.fault then return nil, failure.inside(state.name, status, state.fault, partial) end
  if not state.last then return nil, failure.cut(state.name, status, partial) end
  if state.broken then
    return nil, failure.cut(state.name, status, partial, "broken_event", "a line of the stream is no JSON")
  end
  return response_of(state.last, content, thinking, state.calls, state.request, state.logprobs)
end

return guard.adapter {
  name = NAME,
  capabilities = { stream = true, tools = true, json_schema = true, reasoning = true, seed = true, logprobs = true },
  embed = embed.ollama,
  build = build,
  parse = parse,
  stream = {
    framing = "ndjson",
    text = { "message.content" },
    reasoning = { "message.thinking" },
    whole = { "done", "error", "message.tool_calls", "logprobs" },
    start = start,
    push = push,
    finish = finish,
  },
}
