--- Embeddings by protocol: each `{build, parse}`, as an adapter's own; `request` has `input` (texts) and `model`, a
-- response has `vectors`, one for each text, and `usage` where the vendor tells it.
local answer = require "curia.adapters.support.answer"
local failure = require "curia.adapters.support.failure"
local json = require "curia.json"
local request_of = require "curia.adapters.support.request"

local M = {}

local function built(url, config, own_headers, body)
  return { url = url, headers = request_of.shared_headers(config, own_headers), body = body }
end

-- A reader of bodies: `read(value)` gives the vectors in order and the input tokens.
local function parser(read)
  return function(status, headers, body, request)
    local value, err = answer.read(request.provider, status, headers, body)
    if not value then return nil, err end
    local ok, vectors, tokens = pcall(read, value)
    if not ok or type(vectors) ~= "table" or #vectors ~= #request.input then
      return nil, failure.unreadable(request.provider, status, body, "answer without the embeddings")
    end
    return { vectors = vectors, model = request.model, usage = tokens and { input_tokens = tokens, output_tokens = 0 } }
  end
end

local function texts(request)
  return json.array(table.move(request.input, 1, #request.input, 1, {}))
end

local function mapped(list, fn)
  local made = {}
  for i, item in ipairs(list) do made[i] = fn(item) end
  return made
end

--- OpenAI's, and that of all who speak its protocol.
M.openai = {
  build = function(request, config)
    local url = request_of.url(request_of.versioned(config.base_url or "https://api.openai.com", "/v1"), "/embeddings")
    return built(url, config, request_of.bearer, { model = request.model, input = texts(request) })
  end,
  parse = parser(function(value)
    local vectors = {}
    for i, item in ipairs(value.data) do vectors[(item.index or i - 1) + 1] = item.embedding end
    return vectors, value.usage and answer.count(value.usage.prompt_tokens)
  end),
}

--- Ollama's.
M.ollama = {
  build = function(request, config)
    local base = config.base_url or "http://127.0.0.1:11434"
    if not base:find("://", 1, true) then base = "http://" .. base end -- as OLLAMA_HOST is written
    return built(request_of.url(request_of.versioned(base, "/api"), "/embed"), config, request_of.bearer,
      { model = request.model, input = texts(request) })
  end,
  parse = parser(function(value) return value.embeddings, answer.count(value.prompt_eval_count) end),
}

local function google_key(key)
  return { ["x-goog-api-key"] = key }
end

--- Gemini's; it does not say what it counted.
M.gemini = {
  build = function(request, config)
    local model = "models/" .. request.model:gsub("^models/", "")
    local requests = mapped(request.input, function(text)
      return { model = model, content = { parts = json.array { { text = text } } } }
    end)
    local base = request_of.versioned(config.base_url or "https://generativelanguage.googleapis.com", "/v1beta")
    return built(request_of.url(base, "/" .. model .. ":batchEmbedContents"), config, google_key,
      { requests = json.array(requests) })
  end,
  parse = parser(function(value)
    return mapped(value.embeddings, function(item) return item.values end)
  end),
}

return M
