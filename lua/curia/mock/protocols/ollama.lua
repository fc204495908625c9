--- Ollama's /api/chat, as a server: one JSON object a line.
local json = require "curia.json"
local wire = require "curia.mock.wire"

local M = {
  name = "ollama",
  paths = { "/api/chat" },
  stream_type = "application/x-ndjson",
}

-- Requests -----------------------------------------------------------------------------------------

--- Streams unless it is told not to.
---@param body table
---@return table|nil request, table|nil problem
function M.read(body)
  if type(body.model) ~= "string" or body.model == "" then return wire.invalid "model is required" end
  return {
    model = body.model, messages = wire.messages(body.messages), stream = body.stream ~= false,
    schema = type(body.format) == "table" and body.format or nil,
  }
end

-- Answers ------------------------------------------------------------------------------------------

local FINISH = { tool_calls = "stop" }

local function calls_of(answer)
  if not answer.tool_calls then return nil end
  local calls = json.array()
  for i, call in ipairs(answer.tool_calls) do
    local body = { index = i - 1, name = call.name, arguments = call.arguments or json.object() }
    calls[i] = { id = call.id, ["function"] = body }
  end
  return calls
end

local function line_of(request, answer, message)
  message.role, message.content = "assistant", message.content or ""
  return { model = answer.model, created_at = request.created_at, message = message, done = false }
end

local NANOSECONDS = 1000000

local function finished(line, answer)
  local usage = answer.usage or {}
  line.done, line.done_reason = true, wire.finish(FINISH, answer.finish_reason)
  line.total_duration, line.load_duration = 2 * NANOSECONDS, NANOSECONDS
  line.prompt_eval_count, line.prompt_eval_duration = usage.input_tokens, NANOSECONDS
  line.eval_count, line.eval_duration = usage.output_tokens, NANOSECONDS
  return line
end

---@param request table
---@param answer curia.Answer
---@return table body
function M.whole(request, answer)
  local message = { content = answer.content, thinking = answer.reasoning, tool_calls = calls_of(answer) }
  return finished(line_of(request, answer, message), answer)
end

-- Streams ------------------------------------------------------------------------------------------

local function line(value)
  return wire.encode(value) .. "\n"
end

---@param request table
---@param answer curia.Answer
---@return table frames
function M.stream(request, answer)
  local opening, pieces = {}, {}
  for i, text in ipairs(wire.reasoning(answer.reasoning)) do
    opening[i] = line(line_of(request, answer, { thinking = text }))
  end
  for i, piece in ipairs(answer.pieces) do pieces[i] = line(line_of(request, answer, { content = piece })) end
  if answer.tool_calls then
    pieces[#pieces + 1] = line(line_of(request, answer, { tool_calls = calls_of(answer) }))
  end
  return { opening = opening, pieces = pieces, closing = { line(finished(line_of(request, answer, {}), answer)) } }
end

-- Errors -------------------------------------------------------------------------------------------

---@param err table
---@return table body, table<string, string> headers
function M.error(err)
  return { error = err.message }, wire.hint_headers(err)
end

---@return string[]
function M.failing(_, _, err)
  return { line((M.error(err))) }
end

---@return table<string, string>
function M.headers()
  return {}
end

--- The answer to GET /api/tags.
---@param names string[]
---@return table
function M.models(names)
  local list = json.array()
  for i, name in ipairs(names) do
    list[i] = { name = name, model = name, modified_at = "1970-01-01T00:00:00Z", size = 0, digest = ("0"):rep(64) }
  end
  return { models = list }
end

return M
