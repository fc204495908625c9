--- Gemini's generateContent and streamGenerateContent, as a server.
local json = require "curia.json"
local wire = require "curia.mock.wire"

local M = {
  name = "gemini",
  paths = {},
  patterns = { "/models/([^/:]+):generateContent$", "/models/([^/:]+):streamGenerateContent$" },
  stream_type = "text/event-stream",
}

-- Requests -----------------------------------------------------------------------------------------

local ROLES = { model = "assistant", ["function"] = "tool" }

local function response_text(part)
  local response = type(part) == "table" and part.functionResponse
  return type(response) == "table" and wire.encode(response.response or json.object()) or wire.text(part)
end

local function messages_of(contents)
  local messages = {}
  for i, content in ipairs(contents) do
    local texts = {}
    for j, part in ipairs(content.parts or {}) do texts[j] = response_text(part) end
    messages[i] = { role = ROLES[content.role] or content.role or "user", content = table.concat(texts, "\n") }
  end
  return messages
end

local function schema_of(config)
  if type(config) ~= "table" then return nil end
  return config.responseJsonSchema or config._responseJsonSchema or config.responseSchema
end

-- Google's own schemas write types in capitals.
local function lower_types(schema)
  if type(schema) ~= "table" then return schema end
  local copy = json.is_array(schema) and json.array() or {}
  for key, value in pairs(schema) do
    copy[key] = key == "type" and type(value) == "string" and value:lower() or lower_types(value)
  end
  return copy
end

---@param body table
---@param http curia.mock.Request
---@param model string from the path
---@return table|nil request, table|nil problem
function M.read(body, http, model)
  if not json.is_array(body.contents) or #body.contents == 0 then
    return wire.invalid "* GenerateContentRequest.contents: contents is not specified\n"
  end
  local system = body.systemInstruction or body.system_instruction
  return {
    model = model, stream = http.path:find(":streamGenerateContent", 1, true) ~= nil,
    sse = http.query.alt == "sse", schema = lower_types(schema_of(body.generationConfig)),
    messages = wire.with_system(messages_of(body.contents), system and system.parts),
  }
end

-- Answers ------------------------------------------------------------------------------------------

local FINISH = {
  stop = "STOP", length = "MAX_TOKENS", tool_calls = "STOP", content_filter = "SAFETY", refusal = "SAFETY",
  error = "OTHER",
}

local SIGNATURE = "bW9jay1zaWduYXR1cmU="

-- Thoughts are counted apart from the answer's tokens.
local function usage_of(answer)
  local usage = answer.usage
  if not usage then return nil end
  local input, output = wire.count(usage, "input_tokens"), wire.count(usage, "output_tokens")
  local thoughts = usage.reasoning_tokens
  return {
    promptTokenCount = input, candidatesTokenCount = math.max(0, output - (thoughts or 0)),
    thoughtsTokenCount = thoughts, cachedContentTokenCount = usage.cached_tokens, totalTokenCount = input + output,
  }
end

-- The first call of a turn carries the signature that has to come back.
local function call_part(call, index)
  return {
    functionCall = { id = call.id, name = call.name, args = call.arguments or json.object() },
    thoughtSignature = index == 1 and SIGNATURE or nil,
  }
end

local function chunk_of(request, answer, parts, finish)
  return {
    candidates = { { content = { parts = parts, role = "model" }, finishReason = finish, index = 0 } },
    usageMetadata = usage_of(answer), modelVersion = answer.model, responseId = request.id,
  }
end

local function parts_of(answer)
  local parts = json.array()
  if answer.reasoning then parts[1] = { text = answer.reasoning, thought = true } end
  if answer.content ~= "" or not answer.tool_calls then parts[#parts + 1] = { text = answer.content } end
  for i, call in ipairs(answer.tool_calls or {}) do parts[#parts + 1] = call_part(call, i) end
  return parts
end

---@param request table
---@param answer curia.Answer
---@return table body
function M.whole(request, answer)
  return chunk_of(request, answer, parts_of(answer), wire.finish(FINISH, answer.finish_reason))
end

-- Streams ------------------------------------------------------------------------------------------

-- With `alt=sse` events that end in CRLF; without it one JSON array, written over time.
local function framed(request, list)
  if request.sse then return "data: " .. wire.encode(list) .. "\r\n\r\n" end
  request.begun, list = true, (request.begun and ",\r\n" or "[") .. wire.encode(list)
  return list
end

local function frame(request, answer, part, finish)
  return framed(request, chunk_of(request, answer, json.array { part }, finish))
end

local function opening_of(request, answer)
  local frames = {}
  for i, text in ipairs(wire.reasoning(answer.reasoning)) do
    frames[i] = frame(request, answer, { text = text, thought = true })
  end
  return frames
end

local function pieces_of(request, answer)
  local frames = {}
  for i, piece in ipairs(answer.pieces) do frames[i] = frame(request, answer, { text = piece }) end
  for i, call in ipairs(answer.tool_calls or {}) do
    frames[#frames + 1] = frame(request, answer, call_part(call, i))
  end
  return frames
end

---@param request table
---@param answer curia.Answer
---@return table frames
function M.stream(request, answer)
  local opening, pieces = opening_of(request, answer), pieces_of(request, answer)
  local last = frame(request, answer, { text = "" }, wire.finish(FINISH, answer.finish_reason))
  return { opening = opening, pieces = pieces, closing = { last, not request.sse and "]" or nil } }
end

-- Errors -------------------------------------------------------------------------------------------

local STATUSES = {
  [400] = "INVALID_ARGUMENT", [401] = "UNAUTHENTICATED", [403] = "PERMISSION_DENIED", [404] = "NOT_FOUND",
  [429] = "RESOURCE_EXHAUSTED", [500] = "INTERNAL", [503] = "UNAVAILABLE", [504] = "DEADLINE_EXCEEDED",
}

local function retry_info(ms)
  local delay = ("%.3fs"):format(ms / 1000)
  return json.array { { ["@type"] = "type.googleapis.com/google.rpc.RetryInfo", retryDelay = delay } }
end

--- Google tells the delay in the body only.
---@param err table
---@return table body, table<string, string> headers
function M.error(err)
  return { error = {
    code = err.status, message = err.message, status = err.code or err.type or STATUSES[err.status] or "UNKNOWN",
    details = err.retry_after_ms and retry_info(err.retry_after_ms) or nil,
  } }, {}
end

---@return string[]
function M.failing(request, _, err)
  return { framed(request, (M.error(err))), not request.sse and "]" or nil }
end

---@return table<string, string>
function M.headers()
  return { vary = "Origin, X-Origin, Referer" }
end

--- The answer to GET /v1beta/models.
---@param names string[]
---@return table
function M.models(names)
  local list, methods = json.array(), json.array { "generateContent", "streamGenerateContent" }
  for i, name in ipairs(names) do
    list[i] = { name = "models/" .. name, displayName = name, supportedGenerationMethods = methods }
  end
  return { models = list }
end

return M
