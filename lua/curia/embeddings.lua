--- Vectors of texts, from a provider's model or a function of the user's own.
local lazy = require "curia.lazy"
local call = require "curia.engine.call"
local config = require "curia.config"
local effects = lazy "curia.durable.effects"
local errors = require "curia.errors"
local providers = require "curia.language.providers"
local user_code = require "curia.engine.user_code"

local M = {}

local function wrong(text)
  return errors.new("validation", "embeddings: " .. text)
end

-- What `call` asks: a member of its own kind, by an adapter of which only the embeddings are used.
local function asked(embedder)
  local entry, message = providers.entry(embedder.provider, config.shared().registry)
  if not entry then return nil, wrong(message) end
  local embed = entry.adapter.embed
  if not embed then return nil, wrong(("provider '%s' has no embeddings"):format(embedder.provider)) end
  return {
    id = "embedder", provider = entry, provider_name = embedder.provider, model = embedder.model,
    adapter = { name = entry.adapter.name, build = embed.build, parse = embed.parse },
  }
end

local members = setmetatable({}, { __mode = "k" })

local function member_of(embedder)
  if members[embedder] then return members[embedder] end
  local member, err = asked(embedder)
  members[embedder] = member
  return member, err
end

local function from_provider(ctx, texts, embedder)
  local member, err = member_of(embedder)
  if not member then return nil, err end
  local response
  local attempt = { turn = { run = ctx._run, member = member, attempts = 0 }, exchange = false, watch = false }
  local ask = ctx._run.journal and effects.embed or call.attempt
  response, err = ask(attempt, member,
    { input = texts, model = embedder.model, provider = embedder.provider }, config.shared():get("prices"))
  if not response then return nil, err end
  ctx._run:add_usage(response)
  return response.vectors
end

local function from_function(ctx, texts, embedder)
  local function embed() return user_code.call("embedder", embedder, texts) end
  local journal = ctx._run.journal
  if not journal then return embed() end
  return journal:value { path = "embedder", kind = "step", input = { texts = texts }, call = embed }
end

local function are_vectors(found, count)
  if type(found) ~= "table" then return false end
  for i = 1, count do
    if type(found[i]) ~= "table" or type(found[i][1]) ~= "number" then return false end
  end
  return true
end

--- The vectors of some texts, one for each.
---@async
---@param ctx curia.Ctx
---@param texts string[]
---@param embedder {provider: string, model: string}|fun(texts: string[]): number[][]
---@return number[][]? vectors
---@return curia.Error? err
function M.of(ctx, texts, embedder)
  local found, err
  if type(embedder) == "function" then found, err = from_function(ctx, texts, embedder)
  else found, err = from_provider(ctx, texts, embedder) end
  if err then return nil, err end
  if not are_vectors(found, #texts) then return nil, wrong "there is not one vector for each text" end
  return found
end

return M
