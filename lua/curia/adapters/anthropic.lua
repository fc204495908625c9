--- Anthropic Messages.
--
-- Blocks that must come back unchanged (thinking with its signature, redacted_thinking, server tools,
-- compaction) are kept in `provider_parts.content`: the whole content of the turn, as it came. A
-- schema that structured outputs cannot say is asked for by a forced tool.
local json = require "curia.json"
local models = require "curia.data.models"
local answer = require "curia.adapters.support.answer"
local calls = require "curia.adapters.support.calls"
local emulation = require "curia.adapters.support.emulation"
local failure = require "curia.adapters.support.failure"
local guard = require "curia.adapters.support.guard"
local request_of = require "curia.adapters.support.request"
local schemas = require "curia.adapters.support.schema"

local concat = table.concat

local NAME = "anthropic"
local DEFAULT_BASE = "https://api.anthropic.com"
local VERSION = "2023-06-01"
local DEFAULT_MAX_TOKENS = 4096

-- Request -------------------------------------------------------------------------------------------

local function native_schema(request)
  return models.of(request.model).schema and schemas.anthropic(request.schema) or nil
end

--- Whether the answer is asked for as the arguments of a tool.
local function emulates(request)
  return request ~= nil and request.schema ~= nil and native_schema(request) == nil
end

local function text_block(text)
  return { type = "text", text = text }
end

local function assistant_blocks(message, model)
  local parts = request_of.own_parts(message, NAME, model)
  if parts then return parts.content end
  local blocks, text = {}, request_of.text(message.content)
  if text:find("%S") then blocks[1] = text_block(text) end
  for _, call in ipairs(message.tool_calls or {}) do
    blocks[#blocks + 1] = {
      type = "tool_use", id = call.id, name = call.name, input = request_of.arguments_object(call),
    }
  end
  return blocks
end

local function tool_result(message)
  return {
    type = "tool_result", tool_use_id = message.tool_call_id, content = request_of.text(message.content),
    is_error = message.is_error or nil,
  }
end

local function user_blocks(message)
  local blocks = {}
  if type(message.content) == "string" then
    if message.content:find("%S") then blocks[1] = text_block(message.content) end
    return blocks
  end
  for _, part in ipairs(message.content or {}) do
    if part.text and part.text:find("%S") then blocks[#blocks + 1] = text_block(part.text) end
  end
  return blocks
end

local function blocks_of(message, model)
  if message.role == "assistant" then return "assistant", assistant_blocks(message, model) end
  if message.role == "tool" then return "user", { tool_result(message) } end
  return "user", user_blocks(message)
end

-- Turns of one role are merged; an empty one is left out.
local function merge_turns(messages, model, mark)
  local wire = {}
  for i, message in ipairs(messages) do
    local role, blocks = blocks_of(message, model)
    if i == mark.at and blocks[1] then blocks[#blocks].cache_control = mark.control end
    local last = wire[#wire]
    if not last or last.role ~= role then
      last = { role = role, content = {} }
      if blocks[1] then wire[#wire + 1] = last end
    end
    table.move(blocks, 1, #blocks, #last.content + 1, last.content)
  end
  return wire
end

-- Neither the first turn nor, with newer models, the last may be the assistant's.
local function wire_messages(messages, model, mark)
  local wire = merge_turns(messages, model, mark)
  if not wire[1] or wire[1].role ~= "user" then
    table.insert(wire, 1, { role = "user", content = { text_block "Begin." } })
  end
  if wire[#wire].role == "assistant" then
    wire[#wire + 1] = { role = "user", content = { text_block "Continue." } }
  end
  return wire
end

-- Everything up to the marked block is cached: tools, system, messages, in this order. The mark stands
-- on the last block that those who ask share: the last message with `cache = true`, else the system
-- prompt, else the first message.
local function cache_mark(request, system, rest)
  local mark = {}
  if not request.cache then return mark end
  mark.control = { type = "ephemeral", ttl = request.cache == "1h" and "1h" or nil }
  for i, message in ipairs(rest) do
    if message.cache and message.role ~= "assistant" then mark.at = i end
  end
  if not mark.at and not system then mark.at = 1 end
  return mark
end

local function wire_system(system, mark)
  if not system or not mark.control or mark.at then return system end
  return { { type = "text", text = system, cache_control = mark.control } }
end

local function wire_tools(request, forced)
  local wire = {}
  for i, tool in ipairs(request.tools or {}) do
    wire[i] = { name = tool.name, description = tool.about, input_schema = request_of.parameters(tool) }
  end
  if forced then
    local tool = emulation.tool(request)
    wire[#wire + 1] = { name = tool.name, description = tool.about, input_schema = tool.parameters }
  end
  return wire[1] and wire or nil
end

local CHOICES = { auto = "auto", required = "any", none = "none" }

local function asked_choice(request, forced)
  local choice = request.tool_choice
  if forced then
    local alone = choice == "none" or not (request.tools and request.tools[1])
    return alone and { type = "tool", name = emulation.tool_name(request) } or { type = "any" }
  end
  if not choice then return nil end
  return { type = CHOICES[choice] or "tool", name = not CHOICES[choice] and choice or nil }
end

-- A forced tool is refused together with thinking: then the model is left free, and the answer's
-- validation repairs.
local function wire_choice(request, forced, thinks)
  local wire = asked_choice(request, forced)
  if thinks and wire and wire.type ~= "none" then wire = { type = "auto" } end
  if request.parallel_tools == false then
    wire = wire or { type = "auto" }
    if wire.type ~= "none" then wire.disable_parallel_tool_use = true end
  end
  return wire
end

local function add_thinking(body, request)
  local reasoning = request.reasoning
  if not reasoning then return false end
  if models.of(request.model).thinking == "adaptive" then
    body.thinking = { type = "adaptive" }
    body.output_config = { effort = request_of.reasoning_effort(reasoning) }
  else
    local budget = math.max(1024, request_of.reasoning_budget(reasoning) or 0)
    body.thinking = { type = "enabled", budget_tokens = budget }
    if body.max_tokens <= budget then body.max_tokens = body.max_tokens + budget end
  end
  return true
end

-- Thinking takes the default temperature only; newer models take one of temperature and top_p, the
-- newest neither.
local function add_sampling(body, request, thinks)
  if models.of(request.model).sampling == false then return end
  if not thinks then body.temperature = request.temperature end
  if not body.temperature and not thinks then body.top_p = request.top_p end
end

local function build_body(request)
  local system, rest = request_of.split_system(request.messages)
  local forced, mark = emulates(request), cache_mark(request, system, rest)
  local body = {
    model = request.model,
    max_tokens = request_of.integer(request.max_tokens) or models.of(request.model).max_tokens or DEFAULT_MAX_TOKENS,
    system = wire_system(system, mark),
    messages = wire_messages(rest, request.model, mark),
    stop_sequences = request.stop,
    stream = request.stream and true or nil,
  }
  local thinks = add_thinking(body, request)
  add_sampling(body, request, thinks)
  body.tools = wire_tools(request, forced)
  if body.tools then body.tool_choice = wire_choice(request, forced, thinks) end
  if request.schema and not forced then
    body.output_config = body.output_config or {}
    body.output_config.format = { type = "json_schema", schema = native_schema(request) }
  end
  return request_of.extend(body, request.extra)
end

local function own_headers(key)
  return { ["x-api-key"] = key, ["anthropic-version"] = VERSION }
end

---@param request table neutral request
---@param config table {base_url, api_key, headers}
---@return table {url, headers, body}
local function build(request, config)
  local base = request_of.versioned(config.base_url or DEFAULT_BASE, "/v1")
  return {
    url = request_of.url(base, "/messages"),
    headers = request_of.shared_headers(config, own_headers),
    body = build_body(request),
  }
end

-- Response ------------------------------------------------------------------------------------------

-- pause_turn and a full context window end an answer that is not finished.
local FINISH = {
  end_turn = "stop", stop_sequence = "stop", max_tokens = "length", tool_use = "tool_calls", refusal = "refusal",
  pause_turn = "length", model_context_window_exceeded = "length", compaction = "length",
}

local function sum(...)
  local total
  for i = 1, select("#", ...) do
    local number = select(i, ...)
    if number then total = (total or 0) + number end
  end
  return total
end

-- Anthropic's input_tokens leave out what was read from and written to the cache.
local function usage_of(usage)
  local cached = answer.count(usage.cache_read_input_tokens)
  local written = answer.count(usage.cache_creation_input_tokens)
  local input = answer.count(usage.input_tokens)
  local details = usage.output_tokens_details
  return {
    input_tokens = input and sum(input, cached, written),
    output_tokens = answer.count(usage.output_tokens),
    cached_tokens = cached,
    cache_write_tokens = written,
    reasoning_tokens = type(details) == "table" and answer.count(details.thinking_tokens) or nil,
  }
end

local PLAIN = { text = true, tool_use = true }

-- A turn of plain text and calls can be written anew; any other is kept as it came.
local function kept_parts(blocks, request)
  for _, block in ipairs(blocks) do
    if not PLAIN[block.type] then
      return { adapter = NAME, model = request and request.model, content = blocks }
    end
  end
end

local function read_blocks(blocks)
  local text, reasoning, list = {}, {}, {}
  for _, block in ipairs(blocks) do
    if block.type == "text" then
      text[#text + 1] = block.text
    elseif block.type == "thinking" then
      reasoning[#reasoning + 1] = block.thinking
    elseif block.type == "tool_use" then
      list[#list + 1] = calls.from_table(#list + 1, block.id, block.name, block.input)
    end
  end
  return concat(text), concat(reasoning), list[1] and list or nil
end

local function refusal_text(content, details)
  if content ~= "" or type(details) ~= "table" then return content end
  return details.explanation or content
end

local function response_of(message, content, reasoning, list, request)
  local given
  if emulates(request) then list, given = emulation.unwrap(list, request) end
  content = given or content
  local finish = answer.finish(FINISH[message.stop_reason], list)
  if finish == "refusal" then content = refusal_text(content, message.stop_details) end
  return {
    content = content,
    reasoning = reasoning ~= "" and reasoning or nil,
    tool_calls = list,
    finish_reason = finish,
    model = message.model,
    usage = usage_of(message.usage or {}),
    provider_id = message.id,
    provider_parts = not given and kept_parts(message.content, request) or nil,
    raw = message,
  }
end

-- An empty input decodes to a table that has to be written as {} again.
local function keep_objects(blocks)
  for _, block in ipairs(blocks) do
    if type(block.input) == "table" and next(block.input) == nil then block.input = json.object() end
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
  local fault = failure.find(value)
  if fault then return nil, failure.inside(name, status, fault) end
  if type(value.content) ~= "table" then
    return nil, failure.unreadable(name, status, body, "answer without content")
  end
  keep_objects(value.content)
  local content, reasoning, list = read_blocks(value.content)
  return response_of(value, content, reasoning, list, request)
end

-- Stream --------------------------------------------------------------------------------------------

local function start(request, name)
  return {
    name = request_of.label(request, name or NAME), request = request,
    text = {}, reasoning = {}, calls = {}, blocks = json.array(), message = {}, usage = {},
    answer_tool = emulates(request) and emulation.tool_name(request) or nil,
  }
end

-- Which field of a block the deltas of each kind fill.
local FIELD = {
  text_delta = "text", thinking_delta = "thinking", signature_delta = "signature", compaction_delta = "content",
}

-- Puts the gathered pieces into the open block. Blocks come one after another, never interleaved.
local function close_block(state)
  local block, pieces = state.block, state.pieces
  if not block then return end
  for field, list in pairs(pieces) do
    if field == "input" then
      local raw = concat(list)
      state.calls[block] = raw
      block.input = calls.arguments(raw) or json.object()
    else
      block[field] = concat(list)
    end
  end
  state.block = nil
end

local function add_piece(state, field, text)
  local block = state.block
  if not block then
    block = { type = field == "thinking" and "thinking" or "text" }
    state.block, state.pieces = block, {}
    state.blocks[#state.blocks + 1] = block
  end
  local list = state.pieces[field]
  if not list then
    list = { type(block[field]) == "string" and block[field] or nil }
    state.pieces[field] = list
  end
  list[#list + 1] = text
end

local function add_text(state, text)
  state.text[#state.text + 1] = text
  add_piece(state, "text", text)
end

local function add_reasoning(state, text)
  state.reasoning[#state.reasoning + 1] = text
  add_piece(state, "thinking", text)
end

local function open_block(state, block)
  close_block(state)
  if type(block.input) == "table" and next(block.input) == nil then block.input = json.object() end
  state.block, state.pieces = block, {}
  state.blocks[#state.blocks + 1] = block
  local text, thinking = block.text, block.thinking
  if text and text ~= "" then
    state.text[#state.text + 1] = text
    return { { kind = "content", text = text } }
  elseif thinking and thinking ~= "" then
    state.reasoning[#state.reasoning + 1] = thinking
    return { { kind = "reasoning", text = thinking } }
  end
end

local function add_input(state, text)
  if not text or text == "" then return nil end
  add_piece(state, "input", text)
  local block = state.block
  if block.type ~= "tool_use" then return nil end
  return { { kind = block.name == state.answer_tool and "content" or "tool_args", text = text } }
end

local function add_citation(state, citation)
  local block = state.block
  if not block or not citation then return end
  block.citations = block.citations or json.array()
  block.citations[#block.citations + 1] = citation
end

local function add_delta(state, delta)
  local kind = delta.type
  if kind == "text_delta" and delta.text ~= "" then
    add_text(state, delta.text)
    return { { kind = "content", text = delta.text } }
  elseif kind == "thinking_delta" and delta.thinking ~= "" then
    add_reasoning(state, delta.thinking)
    return { { kind = "reasoning", text = delta.thinking } }
  elseif kind == "input_json_delta" then
    return add_input(state, delta.partial_json)
  elseif kind == "citations_delta" then
    add_citation(state, delta.citation)
  elseif FIELD[kind] and delta[FIELD[kind]] and delta[FIELD[kind]] ~= "" then
    add_piece(state, FIELD[kind], delta[FIELD[kind]])
  end
end

-- message_delta repeats some counts of message_start: they are totals, the later ones count.
local function add_usage(state, usage)
  for key, value in pairs(usage or {}) do state.usage[key] = value end
end

local EVENTS = {
  message_start = function(state, value)
    local message = value.message or {}
    state.message.id, state.message.model = message.id, message.model
    add_usage(state, message.usage)
  end,
  content_block_start = function(state, value) return open_block(state, value.content_block or {}) end,
  content_block_delta = function(state, value) return add_delta(state, value.delta or {}) end,
  content_block_stop = close_block,
  message_delta = function(state, value)
    local delta = value.delta or {}
    state.message.stop_reason = delta.stop_reason or state.message.stop_reason
    state.message.stop_details = delta.stop_details or state.message.stop_details
    add_usage(state, value.usage)
  end,
  message_stop = function(state) state.stopped = true end,
}

local function push(state, kind, value, name)
  if kind == "text" then
    add_text(state, value)
  elseif kind == "reasoning" then
    add_reasoning(state, value)
  elseif kind == "event" then
    local fault = failure.find(value) or (name == "error" and value)
    if fault then state.fault = state.fault or fault end
    local handle = EVENTS[value.type]
    return handle and handle(state, value)
  elseif answer.is_broken(value) then
    state.broken = value
  end
end

local function finished_calls(state)
  local list = {}
  for _, block in ipairs(state.blocks) do
    if block.type == "tool_use" then
      local raw, position = state.calls[block], #list + 1
      list[position] = raw and calls.from_text(position, block.id, block.name, raw)
        or calls.from_table(position, block.id, block.name, block.input)
    end
  end
  return list[1] and list or nil
end

local function finish(state, status)
  close_block(state)
  local content, reasoning = concat(state.text), concat(state.reasoning)
  local partial = answer.partial(content, reasoning)
  if state.fault then return nil, failure.inside(state.name, status, state.fault, partial) end
  local message = state.message
  if not (message.stop_reason or state.stopped) then return nil, failure.cut(state.name, status, partial) end
  if state.broken then
    return nil, failure.cut(state.name, status, partial, "broken_event", "an event of the stream is no JSON")
  end
  message.content, message.usage = state.blocks, state.usage
  return response_of(message, content, reasoning, finished_calls(state), state.request)
end

return guard.adapter {
  name = NAME,
  capabilities = { stream = true, tools = true, json_schema = true, reasoning = true, cache = true },
  build = build,
  parse = parse,
  stream = {
    framing = "sse",
    text = { "delta.text" },
    reasoning = { "delta.thinking" },
    whole = { "error", "delta.stop_reason", "delta.signature", "delta.partial_json", "delta.citation" },
    start = start,
    push = push,
    finish = finish,
  },
}
