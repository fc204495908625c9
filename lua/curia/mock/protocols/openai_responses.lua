--- OpenAI Responses, as a server.
local json = require "curia.json"
local wire = require "curia.mock.wire"

local null = json.null

local M = {
  name = "openai_responses",
  paths = { "/v1/responses", "/responses" },
  stream_type = "text/event-stream; charset=utf-8",
}

-- Requests -----------------------------------------------------------------------------------------

local ROLES = { function_call_output = "tool", function_call = "assistant", reasoning = "assistant" }

local function role_of(item)
  return ROLES[item.type] or item.role or "user"
end

---@param body table
---@return table|nil request, table|nil problem
function M.read(body)
  if type(body.model) ~= "string" then return wire.invalid("Missing required parameter: 'model'.", "model") end
  if body.input == nil then return wire.invalid("Missing required parameter: 'input'.", "input") end
  local format = type(body.text) == "table" and body.text.format
  return {
    model = body.model, stream = body.stream == true, schema = type(format) == "table" and format.schema or nil,
    messages = wire.with_system(wire.messages(body.input, role_of), body.instructions), asked = body,
  }
end

-- Answers ------------------------------------------------------------------------------------------

local INCOMPLETE = { length = "max_output_tokens", content_filter = "content_filter" }

local function usage_of(answer)
  local usage = answer.usage
  if not usage then return null end
  local input, output = wire.count(usage, "input_tokens"), wire.count(usage, "output_tokens")
  return {
    input_tokens = input, input_tokens_details = { cached_tokens = wire.count(usage, "cached_tokens") },
    output_tokens = output, output_tokens_details = { reasoning_tokens = wire.count(usage, "reasoning_tokens") },
    total_tokens = input + output,
  }
end

local function reasoning_item(request, answer)
  local summary = json.array { { type = "summary_text", text = answer.reasoning } }
  return { id = "rs_" .. request.id, type = "reasoning", summary = summary }
end

local function part_of(answer, text)
  if answer.finish_reason == "refusal" then return { type = "refusal", refusal = text } end
  return { type = "output_text", text = text, annotations = json.array(), logprobs = json.array() }
end

local function message_item(request, answer, status)
  local done = status == "completed"
  return {
    id = "msg_" .. request.id, type = "message", role = "assistant", status = status,
    content = done and json.array { part_of(answer, answer.content) } or json.array(),
  }
end

local function call_item(call, status)
  return {
    id = "fc_" .. call.id, type = "function_call", call_id = call.id, name = call.name, status = status,
    arguments = status == "completed" and call.raw or "",
  }
end

local function has_message(answer)
  return answer.content ~= "" or not answer.tool_calls
end

local function output_of(request, answer)
  local output = json.array()
  if answer.reasoning then output[1] = reasoning_item(request, answer) end
  if has_message(answer) then output[#output + 1] = message_item(request, answer, "completed") end
  for _, call in ipairs(answer.tool_calls or {}) do output[#output + 1] = call_item(call, "completed") end
  return output
end

local function response_of(request, answer, status, fields)
  local asked = request.asked
  local response = {
    id = "resp_" .. request.id, object = "response", created_at = request.created, status = status,
    model = answer.model, output = json.array(), usage = null, error = null, incomplete_details = null,
    instructions = asked.instructions or null, max_output_tokens = asked.max_output_tokens or null,
    tools = asked.tools or json.array(), tool_choice = asked.tool_choice or "auto",
    parallel_tool_calls = asked.parallel_tool_calls ~= false, temperature = 1, top_p = 1, metadata = json.object(),
    previous_response_id = asked.previous_response_id or null, store = asked.store ~= false,
    text = asked.text or { format = { type = "text" } }, truncation = "disabled",
  }
  for name, value in pairs(fields or {}) do response[name] = value end
  return response
end

local function finished(request, answer)
  local reason = INCOMPLETE[answer.finish_reason]
  return response_of(request, answer, reason and "incomplete" or "completed", {
    output = output_of(request, answer), usage = usage_of(answer),
    incomplete_details = reason and { reason = reason } or null,
  })
end

---@param request table
---@param answer curia.Answer
---@return table body
function M.whole(request, answer)
  return finished(request, answer)
end

-- Streams ------------------------------------------------------------------------------------------

local function event(request, kind, fields)
  local value = fields or {}
  value.type, value.sequence_number = kind, request.sequence
  request.sequence = request.sequence + 1
  return wire.event(value, kind)
end

local function opening_of(request, answer)
  return {
    event(request, "response.created", { response = response_of(request, answer, "in_progress") }),
    event(request, "response.in_progress", { response = response_of(request, answer, "in_progress") }),
  }
end

local function add_reasoning(frames, request, answer)
  if not answer.reasoning then return end
  local item, id = reasoning_item(request, answer), "rs_" .. request.id
  local function add(kind, fields)
    fields.item_id, fields.output_index, fields.summary_index = id, 0, 0
    frames[#frames + 1] = event(request, kind, fields)
  end
  local empty = { id = id, type = "reasoning", summary = json.array() }
  frames[#frames + 1] = event(request, "response.output_item.added", { output_index = 0, item = empty })
  add("response.reasoning_summary_part.added", { part = { type = "summary_text", text = "" } })
  for _, text in ipairs(wire.reasoning(answer.reasoning)) do
    add("response.reasoning_summary_text.delta", { delta = text })
  end
  add("response.reasoning_summary_text.done", { text = answer.reasoning })
  add("response.reasoning_summary_part.done", { part = item.summary[1] })
  frames[#frames + 1] = event(request, "response.output_item.done", { output_index = 0, item = item })
end

-- The events of a message: what opens it, one a piece, what closes it.
local function message_events(request, answer, index)
  local refused = answer.finish_reason == "refusal"
  local kind = refused and "response.refusal" or "response.output_text"
  local function of_part(name, fields)
    fields.item_id, fields.output_index, fields.content_index = "msg_" .. request.id, index, 0
    return event(request, name, fields)
  end
  local opening = event(request, "response.output_item.added", {
    output_index = index, item = message_item(request, answer, "in_progress"),
  }) .. of_part("response.content_part.added", { part = part_of(answer, "") })
  local deltas = {}
  for i, piece in ipairs(answer.pieces) do deltas[i] = of_part(kind .. ".delta", { delta = piece }) end
  local closing = of_part(kind .. ".done", { [refused and "refusal" or "text"] = answer.content })
    .. of_part("response.content_part.done", { part = part_of(answer, answer.content) })
    .. event(request, "response.output_item.done", {
      output_index = index, item = message_item(request, answer, "completed"),
    })
  return opening, deltas, closing
end

local function add_message(frames, request, answer, index)
  if not has_message(answer) then return index end
  local opening, deltas, closing = message_events(request, answer, index)
  if #deltas == 0 then deltas[1] = "" end
  deltas[1] = opening .. deltas[1]
  deltas[#deltas] = deltas[#deltas] .. closing
  table.move(deltas, 1, #deltas, #frames + 1, frames)
  return index + 1
end

local function add_call(frames, request, call, index)
  local id = "fc_" .. call.id
  local function of_call(kind, fields)
    fields.item_id, fields.output_index = id, index
    return event(request, kind, fields)
  end
  frames[#frames + 1] = event(request, "response.output_item.added", {
    output_index = index, item = call_item(call, "in_progress"),
  })
  for _, fragment in ipairs(wire.fragments(call.raw)) do
    frames[#frames + 1] = of_call("response.function_call_arguments.delta", { delta = fragment })
  end
  frames[#frames] = frames[#frames]
    .. of_call("response.function_call_arguments.done", { arguments = call.raw, name = call.name })
    .. event(request, "response.output_item.done", { output_index = index, item = call_item(call, "completed") })
end

---@param request table
---@param answer curia.Answer
---@return table frames
function M.stream(request, answer)
  request.sequence = 0
  local opening, pieces = opening_of(request, answer), {}
  add_reasoning(opening, request, answer)
  local index = add_message(pieces, request, answer, answer.reasoning and 1 or 0)
  for i, call in ipairs(answer.tool_calls or {}) do add_call(pieces, request, call, index + i - 1) end
  local kind = INCOMPLETE[answer.finish_reason] and "response.incomplete" or "response.completed"
  local closing = { event(request, kind, { response = finished(request, answer) }) }
  return { opening = opening, pieces = pieces, closing = closing }
end

-- Errors -------------------------------------------------------------------------------------------

local TYPES = { [429] = "requests", [500] = "server_error", [502] = "server_error", [503] = "server_error" }
local CODES = {
  [401] = "invalid_api_key", [404] = "model_not_found", [429] = "rate_limit_exceeded", [500] = "server_error",
  [503] = "server_error",
}

local function error_object(err)
  return {
    message = err.message, type = err.type or TYPES[err.status] or "invalid_request_error",
    param = err.param or null, code = err.code or CODES[err.status] or null,
  }
end

---@param err table
---@return table body, table<string, string> headers
function M.error(err)
  return { error = error_object(err) }, wire.hint_headers(err)
end

---@return string[]
function M.failing(request, answer, err)
  local object = error_object(err)
  local brief = { code = object.code, message = object.message }
  return {
    event(request, "error", { error = object }),
    event(request, "response.failed", { response = response_of(request, answer, "failed", { error = brief }) }),
  }
end

---@param request table
---@return table<string, string>
function M.headers(request)
  return { ["x-request-id"] = "req_" .. request.id, ["openai-processing-ms"] = "1", ["openai-version"] = "2020-10-01" }
end

return M
