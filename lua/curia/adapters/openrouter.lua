--- OpenRouter: Chat Completions with its own words for reasoning and caching. It drops what a model
-- does not take, so everything the user asked for is sent.
local adapters = require "curia.adapters"
local chat = require "curia.adapters.openai_chat"
local request_of = require "curia.adapters.support.request"

local DEFAULT_BASE = "https://openrouter.ai/api/v1"

local function reasoning_of(reasoning)
  if type(reasoning) == "table" and reasoning.budget_tokens then
    return { max_tokens = request_of.integer(reasoning.budget_tokens) }
  end
  return { effort = request_of.reasoning_effort(reasoning) }
end

-- The last system message, else the first one: what comes before it is shared by all who ask.
local function shared_place(messages)
  local place = 1
  for i, message in ipairs(messages) do
    if message.role == "system" then place = i end
  end
  return place
end

-- In a list of its own: the body's may be the request's.
local function mark_cache(body, cache)
  local messages = table.move(body.messages, 1, #body.messages, 1, {})
  local place = shared_place(messages)
  local message = messages[place]
  if not message or type(message.content) ~= "string" or message.content == "" then return end
  local control = { type = "ephemeral", ttl = cache == "1h" and "1h" or nil }
  messages[place] = request_of.extend({}, message)
  messages[place].content = { { type = "text", text = message.content, cache_control = control } }
  body.messages = messages
end

local function own_words(body, request)
  body.max_tokens = request.max_tokens and request_of.integer(request.max_tokens)
  body.max_completion_tokens = nil
  body.temperature, body.top_p, body.stop = request.temperature, request.top_p, request.stop
  body.logprobs = request.logprobs
  body.reasoning_effort = nil
  if request.reasoning then body.reasoning = reasoning_of(request.reasoning) end
  if request.schema then body.provider = { require_parameters = true } end
  body.usage = { include = true }
  if request.cache then mark_cache(body, request.cache) end
  return request_of.extend(body, request.extra)
end

local function with_base(config)
  return config.base_url and config
    or { base_url = DEFAULT_BASE, api_key = config.api_key, headers = config.headers }
end

local function build(request, config)
  local built = chat.build(request, with_base(config))
  built.body = own_words(built.body, request)
  return built
end

return adapters.extend(chat, { name = "openrouter", build = build, capabilities = { cost = true } })
