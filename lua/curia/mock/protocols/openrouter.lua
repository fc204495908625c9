--- OpenRouter, as a server: Chat Completions with its own comments, padding, costs and errors.
local json = require "curia.json"
local chat = require "curia.mock.protocols.openai_chat"
local wire = require "curia.mock.wire"

local null = json.null

local M = {
  name = "openrouter",
  paths = { "/api/v1/chat/completions" },
  stream_type = "text/event-stream",
  read = chat.read,
  models = chat.models,
}

local PROVIDER = "Mock"

local function usage_of(answer)
  local usage = answer.usage
  if not usage then return nil end
  local input, output = wire.count(usage, "input_tokens"), wire.count(usage, "output_tokens")
  return {
    prompt_tokens = input, completion_tokens = output, total_tokens = input + output,
    cost = answer.cost or 0, is_byok = false,
    cost_details = { upstream_inference_cost = null },
    prompt_tokens_details = {
      cached_tokens = wire.count(usage, "cached_tokens"), cache_write_tokens = wire.count(usage, "cache_write_tokens"),
    },
    completion_tokens_details = { reasoning_tokens = wire.count(usage, "reasoning_tokens") },
  }
end

local function details_of(text)
  return json.array { { type = "reasoning.text", text = text, index = 0, format = "unknown" } }
end

--- A non-streamed body begins with lines of blanks: the real one sends them to keep the connection alive.
M.padding = "\n         \n         \n"

---@param request table
---@param answer curia.Answer
---@return table body
function M.whole(request, answer)
  local body = chat.whole(request, answer)
  local choice = body.choices[1]
  local message = choice.message
  body.id, body.provider, body.usage = "gen-" .. request.id, PROVIDER, usage_of(answer)
  choice.native_finish_reason = choice.finish_reason
  message.reasoning_content, message.annotations = nil, nil
  message.reasoning = answer.reasoning or null
  message.reasoning_details = answer.reasoning and details_of(answer.reasoning) or nil
  return body
end

local function chunk_of(request, answer, delta, finish, extra)
  delta.role, delta.content = "assistant", delta.content or ""
  local chunk = {
    id = "gen-" .. request.id, object = "chat.completion.chunk", created = request.created, provider = PROVIDER,
    model = answer.model,
    choices = { {
      index = 0, delta = delta, logprobs = null, finish_reason = finish or null, native_finish_reason = finish or null,
    } },
  }
  for name, value in pairs(extra or {}) do chunk[name] = value end
  return wire.event(chunk)
end

local function opening_of(request, answer)
  local frames = { ": OPENROUTER PROCESSING\n\n", ": OPENROUTER PROCESSING\n\n" }
  for _, text in ipairs(wire.reasoning(answer.reasoning)) do
    frames[#frames + 1] = chunk_of(request, answer, { reasoning = text, reasoning_details = details_of(text) })
  end
  return frames
end

local function pieces_of(request, answer)
  local frames = {}
  for i, piece in ipairs(answer.pieces) do frames[i] = chunk_of(request, answer, { content = piece }) end
  for i, call in ipairs(answer.tool_calls or {}) do
    frames[#frames + 1] = chunk_of(request, answer, { tool_calls = json.array { {
      index = i - 1, id = call.id, type = "function", ["function"] = { name = call.name, arguments = call.raw },
    } } })
  end
  return frames
end

local function closing_of(request, answer)
  local finish = answer.finish_reason
  local frames = { chunk_of(request, answer, {}, finish) }
  local usage = usage_of(answer)
  if usage then frames[#frames + 1] = chunk_of(request, answer, {}, nil, { usage = usage }) end
  frames[#frames + 1] = wire.event "[DONE]"
  return frames
end

---@param request table
---@param answer curia.Answer
---@return table frames
function M.stream(request, answer)
  return {
    opening = opening_of(request, answer), pieces = pieces_of(request, answer), closing = closing_of(request, answer),
  }
end

local function error_object(err)
  local metadata = (err.code or err.type) and { error_type = err.code or err.type } or nil
  return { code = err.status, message = err.message, metadata = metadata }
end

---@param err table
---@return table body, table<string, string> headers
function M.error(err)
  return { error = error_object(err) }, wire.hint_headers(err)
end

--- The error stands beside an ordinary choice, as it does where a provider had begun.
---@return string[]
function M.failing(request, answer, err)
  return { chunk_of(request, answer, {}, "error", { error = error_object(err) }), wire.event "[DONE]" }
end

---@param request table
---@return table<string, string>
function M.headers(request)
  return { ["x-generation-id"] = "gen-" .. request.id }
end

return M
