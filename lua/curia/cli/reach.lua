--- Whether a council's models can be asked from here, found out before anything is asked.
--
-- A key, or an address that needs none, is enough. Where no member has either, an Ollama on this machine may
-- stand in for those that leave the choice of the model to a profile.
local configuration = require "curia.config"
local http = require "curia.http"
local json = require "curia.json"
local providers = require "curia.language.providers"

local M = {}

local CONNECT_MS, TOTAL_MS = 500, 2000

---@class curia.cli.Reach
---@field ok boolean somebody can be asked
---@field models? table<string, string> models that stand in, by member id
---@field note? string what was decided, for people
---@field missing? string[] what would have to be there: one of these

local function members_of(plan)
  local members = {}
  for _, member in ipairs(plan.members) do members[#members + 1] = member end
  members[#members + 1] = plan.chair
  return members
end

local function of_spec(spec, id)
  for _, member in ipairs(spec.members) do
    if member.id == id then return member end
  end
  return spec.chair
end

-- Whoever names a model means that model; a profile only says what kind.
local function leaves_the_choice(plan, member)
  local said = of_spec(plan.spec, member.id)
  return said.model == nil and said.provider == nil
end

local function decode_models(body)
  local answer = json.decode(body)
  local names = {}
  for _, entry in ipairs(type(answer) == "table" and answer.models or {}) do
    if type(entry) == "table" then names[#names + 1] = entry.name end
  end
  return names
end

--- Asks an Ollama for its models.
---@async
---@param base_url string
---@return string[]? names nil when nobody answers there
function M.ollama_models(base_url)
  local exchange <close> = http.start {
    url = base_url .. "/api/tags", method = "GET", connect_timeout_ms = CONNECT_MS, total_timeout_ms = TOTAL_MS,
  }
  if not exchange then return nil end
  local _, _, err = exchange:next()
  if err or exchange.status ~= 200 then return nil end
  return decode_models(exchange.body or "")
end

-- "llama3.2" and "llama3.2:latest" are one model.
local function has(names, model)
  for _, name in ipairs(names) do
    if name == model or name == model .. ":latest" then return true end
  end
  return false
end

local function stand_ins(plan, members, names)
  local models = {}
  for _, member in ipairs(members) do
    local fits = member.provider_name == "ollama" and has(names, member.model)
    if not fits and leaves_the_choice(plan, member) then models[member.id] = "ollama/" .. names[1] end
  end
  return models
end

local function either(list)
  if #list < 2 then return list[1] end
  return table.concat(list, ", ", 1, #list - 1) .. " or " .. list[#list]
end

-- The variables that would do for a member: its provider's own, and those of the profiles it may fall back on.
local function keys_of(member, registry)
  local keys = {}
  local own = providers.needs(member.provider_name, registry)
  for _, needs in ipairs { own or "", table.unpack(member.provider.alternatives or {}) } do
    for name in needs:gmatch("[%u%d_]+") do
      if name ~= "OLLAMA_HOST" then keys[#keys + 1] = name end
    end
  end
  return keys
end

local function missing_of(members, registry, base_url, names)
  local missing, seen = {}, {}
  for _, member in ipairs(members) do
    local text = member.provider_name ~= "ollama" and either(keys_of(member, registry))
    if text and not seen[text] then missing[#missing + 1] = "the key " .. text end
    seen[text] = true
  end
  local why = names and "where Ollama has none: ollama pull llama3.2" or "where nobody answers"
  missing[#missing + 1] = ("a model of Ollama at %s (%s)"):format(base_url, why)
  return missing
end

local function needing(plan)
  local members = {}
  for _, member in ipairs(members_of(plan)) do
    if member.provider then members[#members + 1] = member end
  end
  return members
end

local function somebody_else(members, registry)
  for _, member in ipairs(members) do
    if member.provider_name ~= "ollama" and providers.available(member.provider_name, registry) then return true end
  end
  return false
end

local function is_served(members, models)
  for _, member in ipairs(members) do
    if models[member.id] or member.provider_name == "ollama" then return true end
  end
  return false
end

--- Looks whether the members of a plan can be asked.
---@async
---@param plan curia.Plan
---@param config? curia.Config
---@return curia.cli.Reach
function M.look(plan, config)
  local registry = (config or configuration.shared()).registry
  local members = needing(plan)
  if #members == 0 or somebody_else(members, registry) then return { ok = true } end
  local base_url = assert(providers.entry("ollama", registry)).base_url
  local names = M.ollama_models(base_url)
  local models = names and #names > 0 and stand_ins(plan, members, names)
  if not models or not is_served(members, models) then
    return { ok = false, missing = missing_of(members, registry, base_url, names) }
  end
  local note = next(models) and ("no key is set; the Ollama at %s answers with %s"):format(base_url, names[1]) or nil
  return { ok = true, models = models, note = note }
end

return M
