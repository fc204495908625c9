--- Anthropic Messages, as a server.
local json = require "curia.json"
local wire = require "curia.mock.wire"

local null = json.null

local M = {
  name = "anthropic",
  paths = { "/v1/messages", "/messages" },
  stream_type = "text/event-stream; charset=utf-8",
}

-- Requests -----------------------------------------------------------------------------------------

local function schema_of(body)
  local output = type(body.output_config) == "table" and body.output_config.format or body.output_format
  return type(output) == "table" and output.schema or nil
end

---@param body table
---@param http curia.mock.Request
---@return table|nil request, table|nil problem
function M.read(body, http)
  if not http.headers["anthropic-version"] then return wire.invalid "anthropic-version: header is required" end
  for _, name in ipairs { "model", "messages", "max_tokens" } do
    if body[name] == nil then return wire.invalid(name .. ": Field required") end
  end
  if not json.is_array(body.messages) or #body.messages == 0 then
    return wire.invalid "messages: at least one message is required"
  end
  return {
    model = body.model, messages = wire.with_system(wire.messages(body.messages), body.system),
    stream = body.stream == true, schema = schema_of(body),
  }
end

-- Answers ------------------------------------------------------------------------------------------

local FINISH = { stop = "end_turn", length = "max_tokens", tool_calls = "tool_use", content_filter = "refusal" }

local SIGNATURE = "bW9jay1zaWduYXR1cmU="

-- Here, and only here, input_tokens leaves out what was read from the cache.
local function usage_of(answer)
  local usage = answer.usage or {}
  local cached, written = wire.count(usage, "cached_tokens"), wire.count(usage, "cache_write_tokens")
  return {
    input_tokens = math.max(0, wire.count(usage, "input_tokens") - cached - written),
    cache_read_input_tokens = cached, cache_creation_input_tokens = written,
    output_tokens = wire.count(usage, "output_tokens"), service_tier = "standard",
  }
end

local function blocks_of(answer)
  local blocks = json.array()
  if answer.reasoning then
    blocks[1] = { type = "thinking", thinking = answer.reasoning, signature = SIGNATURE }
  end
  if answer.content ~= "" then blocks[#blocks + 1] = { type = "text", text = answer.content } end
  for _, call in ipairs(answer.tool_calls or {}) do
    blocks[#blocks + 1] = { type = "tool_use", id = call.id, name = call.name, input = call.arguments or json.object() }
  end
  return blocks
end

local function message_of(request, answer, content, reason, usage)
  return {
    id = "msg_" .. request.id, type = "message", role = "assistant", model = answer.model, content = content,
    stop_reason = reason or null, stop_sequence = null, usage = usage,
  }
end

---@param request table
---@param answer curia.Answer
---@return table body
function M.whole(request, answer)
  return message_of(request, answer, blocks_of(answer), wire.finish(FINISH, answer.finish_reason), usage_of(answer))
end

-- Streams ------------------------------------------------------------------------------------------

local function event(value)
  return wire.event(value, value.type)
end

local function start_of(index, block)
  return event { type = "content_block_start", index = index, content_block = block }
end

local function delta_of(index, delta)
  return event { type = "content_block_delta", index = index, delta = delta }
end

local function stop_of(index)
  return event { type = "content_block_stop", index = index }
end

local function opening_of(request, answer)
  local usage = usage_of(answer)
  usage.output_tokens = 1
  local frames = { event { type = "message_start", message = message_of(request, answer, json.array(), nil, usage) } }
  if answer.reasoning then
    frames[#frames + 1] = start_of(0, { type = "thinking", thinking = "", signature = "" })
    for _, text in ipairs(wire.reasoning(answer.reasoning)) do
      frames[#frames + 1] = delta_of(0, { type = "thinking_delta", thinking = text })
    end
    frames[#frames + 1] = delta_of(0, { type = "signature_delta", signature = SIGNATURE })
    frames[#frames + 1] = stop_of(0)
  end
  frames[#frames + 1] = event { type = "ping" }
  return frames
end

local function add_text(frames, answer, index)
  if #answer.pieces == 0 then return index end
  for i, piece in ipairs(answer.pieces) do
    local opening = i == 1 and start_of(index, { type = "text", text = "" }) or ""
    frames[#frames + 1] = opening .. delta_of(index, { type = "text_delta", text = piece })
  end
  frames[#frames] = frames[#frames] .. stop_of(index)
  return index + 1
end

local function add_call(frames, call, index)
  local block = { type = "tool_use", id = call.id, name = call.name, input = json.object() }
  frames[#frames + 1] = start_of(index, block) .. delta_of(index, { type = "input_json_delta", partial_json = "" })
  local fragments = call.raw == "{}" and {} or wire.fragments(call.raw)
  for _, fragment in ipairs(fragments) do
    frames[#frames + 1] = delta_of(index, { type = "input_json_delta", partial_json = fragment })
  end
  frames[#frames] = frames[#frames] .. stop_of(index)
end

local function pieces_of(answer)
  local frames = {}
  local index = add_text(frames, answer, answer.reasoning and 1 or 0)
  for i, call in ipairs(answer.tool_calls or {}) do add_call(frames, call, index + i - 1) end
  return frames
end

local function closing_of(answer)
  local delta = { stop_reason = wire.finish(FINISH, answer.finish_reason), stop_sequence = null }
  return {
    event { type = "message_delta", delta = delta, usage = usage_of(answer) },
    event { type = "message_stop" },
  }
end

---@param request table
---@param answer curia.Answer
---@return table frames
function M.stream(request, answer)
  return { opening = opening_of(request, answer), pieces = pieces_of(answer), closing = closing_of(answer) }
end

-- Errors -------------------------------------------------------------------------------------------

local TYPES = {
  [400] = "invalid_request_error", [401] = "authentication_error", [402] = "billing_error", [403] = "permission_error",
  [404] = "not_found_error", [413] = "request_too_large", [429] = "rate_limit_error", [504] = "timeout_error",
  [503] = "overloaded_error", [529] = "overloaded_error",
}

---@param err table
---@param request? table
---@return table body, table<string, string> headers
function M.error(err, request)
  local body = {
    type = "error", request_id = request and request.id and "req_" .. request.id or nil,
    error = { type = err.type or err.code or TYPES[err.status] or "api_error", message = err.message },
  }
  return body, wire.hint_headers(err)
end

---@return string[]
function M.failing(request, _, err)
  return { wire.event((M.error(err, request)), "error") }
end

---@param request table
---@return table<string, string>
function M.headers(request)
  return { ["request-id"] = "req_" .. request.id }
end

--- The answer to GET /v1/models of a client that names Anthropic's version.
---@param names string[]
---@return table
function M.models(names)
  local list = json.array()
  for i, name in ipairs(names) do
    list[i] = { id = name, type = "model", display_name = name, created_at = "1970-01-01T00:00:00Z" }
  end
  return { data = list, has_more = false, first_id = names[1] or null, last_id = names[#names] or null }
end

return M
