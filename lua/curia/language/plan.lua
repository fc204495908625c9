--- The plan of a council: its spec with every member's capabilities, provider, adapter and every round's module
-- resolved. Plans are shared between runs and cached: the engine reads them and never changes them.
local configuration = require "curia.config"
local council = require "curia.council"
local errors = require "curia.errors"
local fields = require "curia.language.fields"
local names = require "curia.language.names"
local profiles = require "curia.language.profiles"
local providers = require "curia.language.providers"
local rounds = require "curia.language.rounds"
local suggest = require "curia.suggest"
local tools = require "curia.language.tools"
local validation = require "curia.language.validate"

local M = {}

---@class curia.PlannedMember: table the member's fields of the spec, capabilities merged in
---@field id string
---@field provider? curia.Provider nil for members without a model
---@field provider_name? string
---@field adapter? table
---@field model? string

---@class curia.PlannedRound: table
---@field type any
---@field name string
---@field idx integer
---@field module table

---@class curia.Plan
---@field spec table
---@field members curia.PlannedMember[]
---@field by_id table<string, curia.PlannedMember> the chair included
---@field rounds curia.PlannedRound[]
---@field chair? curia.PlannedMember
---@field input? function
---@field router? function
---@field run? function
---@field tools? table[] of the council
---@field offline boolean
---@field metadata? {offline: true} to be merged into the metadata of runs and results

local OFFLINE = "scripted"

local function set_provider(planned, name, registry)
  local entry = assert(providers.entry(name, registry))
  planned.provider, planned.provider_name, planned.adapter = entry, name, entry.adapter
end

-- Where none of several profiles has a key, the error shall name all the variables that would do.
local function with_alternatives(planned, undecided, registry)
  local entry = {}
  for key, value in pairs(planned.provider) do entry[key] = value end
  entry.alternatives = {}
  for _, name in ipairs(undecided) do
    local profile = profiles.profile(name, registry)
    local provider = profile and profiles.provider_of(profile, registry)
    local needs = provider and provider ~= planned.provider_name and providers.needs(provider, registry)
    if needs then table.insert(entry.alternatives, needs) end
  end
  planned.provider = entry
end

-- The council's goes to the members that ask a model: a function or a sub-council has none to ask, and the chair's
-- answer is the end of the run.
local function confidence_of(member, spec)
  if member.confidence ~= nil then return member.confidence or nil end
  if member.run == nil and member.council == nil and member ~= spec.chair then return spec.confidence or nil end
end

local function own_fields(member, spec, registry)
  local planned = {}
  for name, value in pairs(member) do planned[name] = value end
  names.resolve(fields.member, planned, registry)
  if type(member.council) == "string" then planned.council = council.named(member.council, registry) end
  planned.tools = tools.resolve({ spec.tools, member.tools }, registry)
  planned.confidence = confidence_of(member, spec)
  return planned
end

local function plan_fallback(member, caps, registry)
  local entries = {}
  for i, entry in ipairs(caps.fallback or member.fallback or {}) do
    local planned = profiles.fallback(entry, caps, registry)
    planned.id = member.id
    set_provider(planned, planned.provider, registry)
    entries[i] = planned
  end
  return #entries > 0 and entries or nil
end

local function plan_capabilities(planned, member, spec, context)
  local registry = context.config.registry
  local caps, _, undecided = profiles.resolve(member, spec, context.config)
  for name in pairs(fields.capabilities) do
    if name ~= "tools" then planned[name] = caps[name] end
  end
  planned.tools = tools.resolve({ spec.tools, caps.tools }, registry)
  if context.offline then
    planned.model, planned.fallback = OFFLINE, nil
    set_provider(planned, OFFLINE, registry)
  elseif caps.provider then
    planned.fallback = plan_fallback(member, caps, registry)
    set_provider(planned, caps.provider, registry)
    if undecided then with_alternatives(planned, undecided, registry) end
  end
end

-- `--model member=provider/model` replaces the provider too.
local function overridden(member, models)
  local model = models and models[member.id]
  if not model then return member end
  local made = {}
  for name, value in pairs(member) do made[name] = value end
  made.model, made.provider = model, nil
  return made
end

local function plan_member(member, spec, context)
  member = overridden(member, context.models)
  local planned = own_fields(member, spec, context.config.registry)
  if member.run == nil and member.council == nil then plan_capabilities(planned, member, spec, context) end
  return planned
end

local function plan_round(round, idx, registry)
  local module = assert(rounds.resolve(round.type, registry))
  local planned = rounds.bind(round, module, registry)
  planned.name = round.name or module.name or round.type
  planned.idx = idx
  return planned
end

local function plan_rounds(spec, registry)
  local planned = {}
  for i, round in ipairs(rounds.all(spec, registry)) do planned[i] = plan_round(round, i, registry) end
  return planned
end

local function index(members, chair)
  local by_id = {}
  for _, member in ipairs(members) do by_id[member.id] = member end
  if chair then by_id[chair.id] = chair end
  return by_id
end

local function build(spec, context)
  local members = {}
  for i, member in ipairs(spec.members) do members[i] = plan_member(member, spec, context) end
  local chair = spec.chair and plan_member(spec.chair, spec, context)
  local registry = context.config.registry
  return {
    input = names.value(fields.council.input, spec.input, registry),
    router = names.value(fields.council.router, spec.router, registry),
    run = names.value(fields.council.run, spec.run, registry),
    tools = tools.resolve({ spec.tools }, registry),
    spec = spec, members = members, chair = chair, by_id = index(members, chair),
    rounds = plan_rounds(spec, registry),
    offline = context.offline, metadata = context.offline and { offline = true } or nil,
  }
end

local function check_models(made, models, registry)
  local ids = {}
  for _, member in ipairs(made._.spec.members) do ids[member.id] = member end
  if made._.spec.chair then ids[made._.spec.chair.id] = made._.spec.chair end
  for id, model in pairs(models) do
    if not ids[id] then
      return errors.new("validation", ("no member has the id '%s'%s"):format(tostring(id), suggest.hint(id, ids)))
    end
    local _, fault = profiles.resolve(overridden(ids[id], models), made._.spec, { registry = registry,
      get = function() return nil end })
    if fault then return errors.new("validation", ("model '%s': %s"):format(model, fault.message)) end
  end
end

local function cached(made, config, offline)
  local plan = made._.plans[offline]
  if plan and plan.registry == config.registry and plan.generation == config.registry.generation then
    return plan.plan
  end
end

local function build_cached(made, config, offline)
  local plan = build(made._.spec, { config = config, offline = offline })
  made._.plans[offline] = { plan = plan, registry = config.registry, generation = config.registry.generation }
  return plan
end

--- The plan of a council. An invalid one gets an error.
---@param made curia.Council
---@param config? curia.Config the shared one
---@param opts? {offline?: boolean, models?: table<string, string>} `offline`: every member is asked from the
--- scripted provider; `models`: other models by member id, as "provider/model"
---@return curia.Plan? plan shared: read only
---@return curia.Error? err kind `invalid_council`; `validation` for wrong `models`
function M.plan(made, config, opts)
  config = config or configuration.shared()
  local offline, models = opts and opts.offline == true or false, opts and opts.models
  local known = not models and cached(made, config, offline)
  if known then return known end
  local valid, faults = validation.validate(made, config)
  if not valid then return nil, validation.error(made, faults) end
  if not models then return build_cached(made, config, offline) end
  local err = check_models(made, models, config.registry)
  if err then return nil, err end
  return build(made._.spec, { config = config, offline = offline, models = models })
end

return M
