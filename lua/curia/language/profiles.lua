--- What a member is asked with: profiles and inline fields, merged.
-- Later wins: the application's default profile, the council's, the member's own, the member's inline fields.
local fields = require "curia.language.fields"
local lower = require "curia.language.lower"
local providers = require "curia.language.providers"
local suggest = require "curia.suggest"

local M = {}

-- "provider/model" names a provider where the first part is one; other slashes belong to the model.
local function split(layer, current, registry)
  local model = type(layer.model) == "string" and layer.model or nil
  local provider = type(layer.provider) == "string" and layer.provider or nil
  if provider or not model then return provider, model end
  local prefix, rest = model:match("^([^/]+)/(.+)$")
  if not prefix then return nil, model end
  if registry:lookup("provider", prefix) then return prefix, rest end
  if current.provider then return nil, model end
  return prefix, rest
end

--- The provider that a profile names, also as "provider/model".
---@param profile table
---@param registry curia.Registry
---@return string?
function M.provider_of(profile, registry)
  return (split(profile, {}, registry))
end

local function can_be_asked(profile, registry)
  local provider = M.provider_of(profile, registry)
  return provider ~= nil and providers.available(provider, registry)
end

-- Of several profiles, the first whose provider can be asked; the first of all when none can.
local function choose(profile, registry, depth)
  if not profile or type(profile.first_of) ~= "table" or depth > 8 then return profile end
  local first
  for _, name in ipairs(profile.first_of) do
    local candidate = choose(registry:lookup("profile", name), registry, depth + 1)
    if candidate and can_be_asked(candidate, registry) then return candidate end
    first = first or candidate
  end
  return first, profile.first_of
end

--- The profile under a name, with `first_of` decided.
---@param name string?
---@param registry curia.Registry
---@return table? profile
---@return string[]? undecided the profiles that were tried in vain, when no provider among them has a key
function M.profile(name, registry)
  local raw = type(name) == "string" and registry:lookup("profile", name)
  if not raw then return nil end
  local chosen, undecided = choose(raw, registry, 0)
  return chosen and lower.member(fields.profile, chosen), undecided
end

-- A model belongs to the provider it was named with: another provider leaves it behind.
local function apply(caps, layer, registry)
  local provider, model = split(layer, caps, registry)
  for name, value in pairs(layer) do
    if fields.capabilities[name] and name ~= "provider" and name ~= "model" then caps[name] = value end
  end
  if provider and provider ~= caps.provider then caps.model = nil end
  caps.provider, caps.model = provider or caps.provider, model or caps.model
end

local function default_model(caps, registry)
  local entry = caps.provider and registry:lookup("provider", caps.provider)
  return entry and entry.model
end

local function missing(member, caps)
  local who = ("member '%s'"):format(tostring(member.id))
  if caps.provider then return ("%s names provider '%s' but no model"):format(who, caps.provider) end
  if caps.model then return ("%s names model '%s' but no provider"):format(who, caps.model) end
  return who .. " has neither a profile nor a provider and a model"
end

--- Whether a member answers without a model of its own.
---@param member table
---@return boolean
function M.needs_no_model(member)
  return member.run ~= nil or member.council ~= nil or member.elect == true
end

local function unknown_provider(member, name, registry)
  local found, message = registry:lookup("provider", name)
  if found then return nil end
  message = message or ("unknown provider '%s' of member '%s'%s"):format(name, tostring(member.id),
    suggest.hint(name, registry:list("provider")))
  return { code = "unknown_provider", field = "provider", message = message }
end

local function fault(member, caps, registry)
  if M.needs_no_model(member) then return nil end
  local unknown = caps.provider and unknown_provider(member, caps.provider, registry)
  if unknown then return unknown end
  if caps.provider and caps.model then
    local entry, message = providers.entry(caps.provider, registry)
    return not entry and { code = "unknown_provider", field = "provider", message = message } or nil
  end
  return { code = "missing", field = caps.provider and "model" or "provider", message = missing(member, caps) }
end

--- The capabilities of a member.
---@param member table a member or chair of a spec
---@param spec table its council's spec
---@param config curia.Config
---@return table capabilities provider and model among them
---@return {code: string, field: string, message: string}? fault why the member cannot be asked
---@return string[]? undecided profiles of which none has a key
function M.resolve(member, spec, config)
  local registry, caps, undecided = config.registry, {}, nil
  for _, name in ipairs { config:get("default_profile") or false, spec.profile or false, member.profile or false } do
    local profile, tried = M.profile(name, registry)
    if profile then
      apply(caps, profile, registry)
      if caps.provider then undecided = tried end
    end
  end
  if member.provider or member.model then undecided = nil end
  apply(caps, member, registry)
  caps.model = caps.model or default_model(caps, registry)
  return caps, fault(member, caps, registry), undecided
end

--- The capabilities of one entry of a member's `fallback`, on top of the member's own.
---@param entry table
---@param caps table
---@param registry curia.Registry
---@return table
function M.fallback(entry, caps, registry)
  local made = {}
  for name, value in pairs(caps) do made[name] = value end
  made.fallback = nil
  apply(made, entry, registry)
  made.model = made.model or default_model(made, registry)
  return made
end

--- Like `resolve`'s fault, for an entry of `fallback`.
M.fault = fault

return M
