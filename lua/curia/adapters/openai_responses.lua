--- OpenAI Responses, stateless (`store = false`), and what speaks it (Azure, xAI, Bedrock, OpenRouter).
--
-- Where a turn holds reasoning, its output items are kept in `provider_parts.items` and go back as
-- they came, encrypted content included. What the deltas gave counts before the final `output`, which
-- some backends leave empty; items are told apart by `output_index`, never by `item_id`.
local json = require "curia.json"
local models = require "curia.data.models"
local answer = require "curia.adapters.support.answer"
local calls = require "curia.adapters.support.calls"
local embed = require "curia.adapters.support.embed"
local failure = require "curia.adapters.support.failure"
local guard = require "curia.adapters.support.guard"
local request_of = require "curia.adapters.support.request"
local schemas = require "curia.adapters.support.schema"

local concat = table.concat

local NAME = "openai_responses"
local DEFAULT_BASE = "https://api.openai.com/v1"

-- Request -------------------------------------------------------------------------------------------

local function append_assistant(items, message, model)
  local parts = request_of.own_parts(message, NAME, model)
  if parts then
    table.move(parts.items, 1, #parts.items, #items + 1, items)
    return
  end
  local text = request_of.text(message.content)
  if text ~= "" then items[#items + 1] = { role = "assistant", content = text } end
  for _, call in ipairs(message.tool_calls or {}) do
    items[#items + 1] = {
      type = "function_call", call_id = call.id, name = call.name, arguments = request_of.arguments_text(call),
    }
  end
end

local function wire_input(messages, model)
  local items = {}
  for _, message in ipairs(messages) do
    if message.role == "assistant" then
      append_assistant(items, message, model)
    elseif message.role == "tool" then
      items[#items + 1] = {
        type = "function_call_output", call_id = message.tool_call_id, output = request_of.text(message.content),
      }
    else
      items[#items + 1] = { role = message.role, content = request_of.text(message.content) }
    end
  end
  return items
end

-- `strict` is true where it is left out, and then optional parameters are refused.
local function wire_tools(tools)
  local wire = {}
  for i, tool in ipairs(tools) do
    wire[i] = {
      type = "function", name = tool.name, description = tool.about,
      parameters = request_of.parameters(tool), strict = false,
    }
  end
  return wire
end

local CHOICES = { auto = "auto", required = "required", none = "none" }

local function add_tools(body, request)
  body.tools = wire_tools(request.tools)
  local choice = request.tool_choice
  if choice then body.tool_choice = CHOICES[choice] or { type = "function", name = choice } end
  if request.parallel_tools == false then body.parallel_tool_calls = false end
end

local function text_format(request)
  local schema, strict = schemas.openai(request.schema)
  return {
    format = { type = "json_schema", name = request.schema_name or "answer", schema = schema, strict = strict },
  }
end

-- Reasoning models refuse sampling fields; only they have encrypted reasoning to ask for.
local function add_sampling(body, request)
  body.max_output_tokens = request_of.integer(request.max_tokens)
  if models.openai_reasoning(request.model) then
    body.include = { "reasoning.encrypted_content" }
  else
    body.temperature, body.top_p = request.temperature, request.top_p
    if request.logprobs then body.include = { "message.output_text.logprobs" } end
  end
end

local function build_body(request)
  local system, rest = request_of.split_system(request.messages)
  local body = {
    model = request.model,
    instructions = system,
    input = wire_input(rest, request.model),
    store = false,
    stream = request.stream and true or nil,
  }
  add_sampling(body, request)
  if request.reasoning then body.reasoning = { effort = request_of.reasoning_effort(request.reasoning) } end
  if request.tools and request.tools[1] then add_tools(body, request) end
  if request.schema and schemas.is_object(request.schema) then body.text = text_format(request) end
  return request_of.extend(body, request.extra)
end

---@param request table neutral request
---@param config table {base_url, api_key, headers}
---@return table {url, headers, body}
local function build(request, config)
  return {
    url = request_of.url(request_of.versioned(config.base_url or DEFAULT_BASE, "/v1"), "/responses"),
    headers = request_of.shared_headers(config, request_of.bearer),
    body = build_body(request),
  }
end

-- Response ------------------------------------------------------------------------------------------

local USD_PER_XAI_TICK = 1e-10

local function reported_cost(usage)
  if type(usage.cost) == "number" then return { usd = usage.cost, source = "provider" } end
  local ticks = usage.cost_in_usd_ticks
  if type(ticks) ~= "number" or ticks <= 0 then return nil end
  return { usd = ticks * USD_PER_XAI_TICK, source = "provider" }
end

local NO_DETAILS = {}

local function usage_of(usage)
  if not usage then return {} end
  local input = usage.input_tokens_details or NO_DETAILS
  local output = usage.output_tokens_details or NO_DETAILS
  return {
    input_tokens = answer.count(usage.input_tokens),
    output_tokens = answer.count(usage.output_tokens),
    cached_tokens = answer.count(input.cached_tokens),
    cache_write_tokens = answer.count(input.cache_write_tokens),
    reasoning_tokens = answer.count(output.reasoning_tokens),
  }
end

local function texts(list, out)
  for _, part in ipairs(list or NO_DETAILS) do out[#out + 1] = part.text end
end

local function read_message(item, found)
  for _, part in ipairs(item.content or NO_DETAILS) do
    if part.type == "refusal" then
      found.text[#found.text + 1] = part.refusal
      found.refused = true
    elseif part.text then
      found.text[#found.text + 1] = part.text
    end
    if part.logprobs and part.logprobs[1] then found.logprobs = part.logprobs end
  end
end

-- What each type of output item gives; the others (server tools) only run at the vendor's.
local READ = {
  message = read_message,
  reasoning = function(item, found)
    local before = #found.reasoning
    texts(item.summary, found.reasoning)
    if #found.reasoning == before then texts(item.content, found.reasoning) end
    found.keep = true
  end,
  function_call = function(item, found)
    local position = #found.calls + 1
    found.calls[position] = calls.from_text(position, item.call_id or item.id, item.name, item.arguments or "")
  end,
  custom_tool_call = function(item, found)
    local position, input = #found.calls + 1, item.input or ""
    found.calls[position] = calls.from_table(position, item.call_id, item.name, { input = input })
  end,
}

local function read_items(items)
  local found = { text = {}, reasoning = {}, calls = {} }
  for _, item in ipairs(items) do
    local read = READ[item.type]
    if read then read(item, found) end
  end
  return found
end

local INCOMPLETE = { content_filter = "content_filter", max_output_tokens = "length" }

local function finish_reason(value, found)
  if found.refused then return "refusal" end
  local list = found.calls[1] and found.calls or nil
  if value.status ~= "incomplete" then return answer.finish("stop", list) end
  return INCOMPLETE[(value.incomplete_details or NO_DETAILS).reason] or "length"
end

local function response_of(value, found, items, request)
  local usage, reasoning = value.usage, concat(found.reasoning)
  return {
    content = concat(found.text),
    reasoning = reasoning ~= "" and reasoning or nil,
    tool_calls = found.calls[1] and found.calls or nil,
    finish_reason = finish_reason(value, found),
    model = value.model,
    usage = usage_of(usage),
    cost = usage and reported_cost(usage),
    logprobs = found.logprobs,
    provider_id = value.id,
    provider_parts = found.keep and { adapter = NAME, model = request and request.model, items = items } or nil,
    raw = value,
  }
end

local function fault_of(value)
  local fault = failure.find(value)
  if fault then return fault end
  if value.status == "failed" then
    return { code = "server_error", message = "the response failed without a reason" }
  end
  if value.status == "cancelled" then return { code = "cancelled", message = "the response was cancelled" } end
  if value.status == "queued" or value.status == "in_progress" then
    return { code = "not_finished", message = "the response is still " .. value.status }
  end
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
  local fault = fault_of(value)
  if fault then return nil, failure.inside(name, status, fault) end
  if type(value.output) ~= "table" then return nil, failure.unreadable(name, status, body, "answer without output") end
  return response_of(value, read_items(value.output), value.output, request)
end

-- Stream --------------------------------------------------------------------------------------------

local function start(request, name)
  return {
    name = request_of.label(request, name or NAME), request = request,
    text = {}, reasoning = {}, items = {}, last_index = -1,
  }
end

local function item_at(state, index)
  index = index or state.last_index + 1
  if index > state.last_index then state.last_index = index end
  local item = state.items[index]
  if not item then
    item = { pieces = {} }
    state.items[index] = item
  end
  return item
end

local function add_text(state, value)
  if not value.delta or value.delta == "" then return nil end
  state.text[#state.text + 1] = value.delta
  return { { kind = "content", text = value.delta } }
end

local function add_reasoning(state, value)
  if not value.delta or value.delta == "" then return nil end
  state.reasoning[#state.reasoning + 1] = value.delta
  return { { kind = "reasoning", text = value.delta } }
end

local function add_arguments(state, value)
  local pieces = item_at(state, value.output_index or math.max(state.last_index, 0)).pieces
  if not value.delta or value.delta == "" then return nil end
  pieces[#pieces + 1] = value.delta
  return { { kind = "tool_args", text = value.delta } }
end

local function conclude(state, value)
  state.last = value.response or {}
end

local EVENTS = {
  ["response.output_text.delta"] = add_text,
  ["response.refusal.delta"] = function(state, value)
    state.refused = true
    return add_text(state, value)
  end,
  ["response.reasoning_summary_text.delta"] = add_reasoning,
  ["response.reasoning_text.delta"] = add_reasoning,
  ["response.function_call_arguments.delta"] = add_arguments,
  ["response.custom_tool_call_input.delta"] = add_arguments,
  ["response.output_item.added"] = function(state, value)
    item_at(state, value.output_index).started = value.item
  end,
  ["response.output_item.done"] = function(state, value)
    item_at(state, value.output_index).done = value.item
  end,
  ["response.created"] = function(state, value) state.first = value.response end,
  ["response.completed"] = conclude,
  ["response.incomplete"] = conclude,
  ["response.done"] = conclude,
  ["response.failed"] = function(state, value)
    conclude(state, value)
    state.fault = state.fault or fault_of(state.last) or { code = "server_error", message = "the response failed" }
  end,
}

local function push(state, kind, value, name)
  if kind == "text" then
    state.text[#state.text + 1] = value
  elseif kind == "reasoning" then
    state.reasoning[#state.reasoning + 1] = value
  elseif kind == "event" then
    local fault = failure.find(value) or (name == "error" and value)
    if fault then state.fault = state.fault or fault end
    local handle = EVENTS[value.type]
    return handle and handle(state, value)
  elseif answer.is_broken(value) then
    state.broken = value
  end
end

-- The items as the stream told them one by one; an item that was begun and not finished has what its
-- deltas gave.
local function streamed_items(state)
  local items = json.array()
  for index = 0, state.last_index do
    local told = state.items[index]
    local item = told and (told.done or told.started)
    if item then
      if not told.done and told.pieces[1] then
        item[item.type == "custom_tool_call" and "input" or "arguments"] = concat(told.pieces)
      end
      items[#items + 1] = item
    end
  end
  return items
end

local function finish(state, status)
  local content, reasoning = concat(state.text), concat(state.reasoning)
  local partial = answer.partial(content, reasoning)
  if state.fault then return nil, failure.inside(state.name, status, state.fault, partial) end
  if not state.last then return nil, failure.cut(state.name, status, partial) end
  if state.broken then
    return nil, failure.cut(state.name, status, partial, "broken_event", "an event of the stream is no JSON")
  end
  local items = state.last.output
  if not items or not items[1] then items = streamed_items(state) end
  local found = read_items(items)
  if content ~= "" then found.text = { content } end
  if reasoning ~= "" then found.reasoning = { reasoning } end
  found.refused = found.refused or state.refused
  return response_of(state.last, found, items, state.request)
end

return guard.adapter {
  name = NAME,
  capabilities = { stream = true, tools = true, json_schema = "object", reasoning = true, logprobs = true },
  embed = embed.openai,
  build = build,
  parse = parse,
  stream = {
    framing = "sse",
    text = { "delta" },
    reasoning = { "delta" },
    whole = { "error" },
    when = { "type", {
      ["response.output_text.delta"] = "text",
      ["response.reasoning_summary_text.delta"] = "reasoning",
      ["response.reasoning_text.delta"] = "reasoning",
    } },
    start = start,
    push = push,
    finish = finish,
  },
}
