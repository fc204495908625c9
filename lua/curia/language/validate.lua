--- Finds every fault of a council at once, before a token is spent.
local check = require "curia.language.check"
local configuration = require "curia.config"
local council = require "curia.council"
local fields = require "curia.language.fields"
local lower = require "curia.language.lower"
local profiles = require "curia.language.profiles"
local rounds = require "curia.language.rounds"
local suggest = require "curia.suggest"

local M = {}

--- How deep councils may stand in councils.
M.MAX_DEPTH = 8

---@class curia.ValidationScope
---@field config curia.Config
---@field registry curia.Registry
---@field faults curia.Faults
---@field prefix string path of the council ("" at the top)
---@field stack curia.Council[] the councils around this one
---@field good_profiles table<table, boolean>

local function at(scope, name)
  return check.join(scope.prefix, name)
end

local function prefixed(prefix, path)
  if prefix == "" or path == "" then return prefix .. path end
  return path:sub(1, 1) == "[" and prefix .. path or prefix .. "." .. path
end

local function add_faults(scope, prefix, faults)
  for _, fault in ipairs(faults) do scope.faults:add(prefixed(prefix, fault.path), fault.code, fault.message) end
end

-- Names that a rule's `ref` points to: what is registered, and what needs no registration.
local function known_names(rule, registry)
  local names = registry:list(rule.ref)
  for _, name in ipairs(rule.also and registry:list(rule.also) or {}) do names[#names + 1] = name end
  for _, name in ipairs(rule.known or {}) do names[#names + 1] = name end
  return names
end

-- Answers false, and what is known of the reason.
local function is_known(rule, name, registry)
  local found, message = registry:lookup(rule.ref, name)
  if found ~= nil then return true end
  if rule.also and registry:lookup(rule.also, name) ~= nil then return true end
  for _, known in ipairs(rule.known or {}) do
    if known == name then return true end
  end
  return false, message
end

--- What judges the names in a record, for `check.faults`.
---@param registry curia.Registry
---@return fun(rule: table, name: string, path: string, what: string, faults: curia.Faults)
function M.references(registry)
  return function(rule, name, path, what, faults)
    local known, message = is_known(rule, name, registry)
    if known then return end
    local hint = faults:hint(name, function() return known_names(rule, registry) end)
    message = message or ("no %s is registered as '%s'%s"):format((rule.ref:gsub("_", " ")), name, hint)
    faults:add(path, rule.code or "missing", ("%s: %s"):format(what, message))
  end
end

local function called(kind, record)
  return type(record.id) == "string" and ("%s '%s'"):format(kind, record.id) or "a " .. kind
end

local function check_conflicts(member, path, what, faults)
  if member.run ~= nil and member.council ~= nil then
    faults:add(path, "conflict", what .. " has both run and council")
  end
  local own = member.run ~= nil and "run" or member.council ~= nil and "council"
  for _, name in ipairs(own and { "model", "provider" } or {}) do
    if member[name] ~= nil then
      faults:add(check.join(path, name), "conflict", ("%s has both %s and %s"):format(what, own, name))
    end
  end
end

local function is_profile_known(scope, name)
  return type(name) ~= "string" or scope.registry:lookup("profile", name) ~= nil
end

-- What was registered at run time is judged where it is used; one that is good is looked at once.
local function check_profile_fields(scope, path, name)
  local profile, before = scope.registry:lookup("profile", name), #scope.faults
  if scope.good_profiles[profile] then return end
  local lowered = lower.member(fields.profile, profile)
  check.record(fields.profile, lowered, path, ("profile '%s'"):format(name), scope.faults)
  scope.good_profiles[profile] = #scope.faults == before
end

local function check_profile(scope, path, name, what)
  if type(name) ~= "string" then return end
  if is_profile_known(scope, name) then return check_profile_fields(scope, path, name) end
  scope.faults:add(path, "unknown_profile",
    what .. suggest.message("profile", name, scope.registry:list("profile")))
end

local function profiles_are_known(scope, spec, member)
  return is_profile_known(scope, member.profile) and is_profile_known(scope, spec.profile)
    and is_profile_known(scope, scope.config:get("default_profile"))
end

local function text_or_nil(value)
  return value == nil or type(value) == "string"
end

-- A missing model is no fault of its own where the profile that should bring it is not known.
local function check_capabilities(scope, spec, member, path)
  if not text_or_nil(member.provider) or not text_or_nil(member.model) then return end
  local caps, fault = profiles.resolve(member, spec, scope.config)
  if fault and (fault.code ~= "missing" or profiles_are_known(scope, spec, member)) then
    scope.faults:add(check.join(path, fault.field), fault.code, fault.message)
  end
  for i, entry in ipairs(type(member.fallback) == "table" and member.fallback or {}) do
    if type(entry) == "table" and text_or_nil(entry.provider) and text_or_nil(entry.model) then
      entry = profiles.fallback(entry, caps, scope.registry)
      local wrong = profiles.fault({ id = member.id, provider = entry.provider }, entry, scope.registry)
      if wrong then
        scope.faults:add(check.join(("%s.fallback[%d]"):format(path, i), wrong.field), wrong.code, wrong.message)
      end
    end
  end
end

local check_council

local function check_sub_council(scope, member, path)
  local inner, faults, here = member.council, nil, check.join(path, "council")
  if type(inner) == "string" then inner, faults = council.named(inner, scope.registry) end
  if faults then add_faults(scope, here, faults) end
  if council.is(inner) then check_council(scope, inner, here) end
end

local function check_member(scope, spec, member, path, kind)
  local what = called(kind, member)
  check.record(kind == "chair" and fields.chair or fields.member, member, path, what, scope.faults)
  check_conflicts(member, path, what, scope.faults)
  check_profile(scope, check.join(path, "profile"), member.profile, what .. ": ")
  check_capabilities(scope, spec, member, path)
  check_sub_council(scope, member, path)
end

local function check_duplicate(scope, ids, member, path)
  if type(member.id) ~= "string" then return end
  if ids[member.id] then
    scope.faults:add(path .. ".id", "duplicate_id", ("the id '%s' stands twice, here and at %s"):format(
      member.id, ids[member.id]))
  end
  ids[member.id] = ids[member.id] or path
end

local function check_members(scope, spec)
  local ids = {}
  for i, member in ipairs(spec.members) do
    local path = ("%s[%d]"):format(at(scope, "members"), i)
    if member then
      check_member(scope, spec, member, path, "member")
      check_duplicate(scope, ids, member, path)
    end
  end
  local member_ids = {}
  for id in pairs(ids) do member_ids[id] = true end
  if spec.chair then
    check_member(scope, spec, spec.chair, at(scope, "chair"), "chair")
    check_duplicate(scope, ids, spec.chair, at(scope, "chair"))
  end
  return member_ids
end

local function check_round_members(scope, round, path, member_ids)
  for i, id in ipairs(type(round.members) == "table" and round.members or {}) do
    if type(id) == "string" and not member_ids[id] then
      scope.faults:add(("%s.members[%d]"):format(path, i), "unknown_member",
        ("no member has the id '%s'%s"):format(id, scope.faults:hint(id, member_ids)))
    end
  end
end

local function round_name(round, path)
  return type(round.type) == "string" and ("round '%s'"):format(round.type) or "the round at " .. path
end

local function check_round(scope, round, path, member_ids)
  local what = round_name(round, path)
  local module = rounds.resolve(round.type, scope.registry)
  if type(round.type) == "string" and not module then
    scope.faults:add(path .. ".type", "unknown_round",
      suggest.message("round", round.type, rounds.names(scope.registry)))
    -- Its own options cannot be known; those of every round still can be checked.
    local common = {}
    for name, value in pairs(round) do common[name] = fields.round[name] and value or nil end
    round = common
  end
  check.record(module and rounds.fields(module) or fields.round, round, path, what, scope.faults)
  check_round_members(scope, round, path, member_ids)
end

local function check_rounds(scope, spec, member_ids)
  for i, round in ipairs(spec.rounds) do
    if round then check_round(scope, round, ("%s[%d]"):format(at(scope, "rounds"), i), member_ids) end
  end
end

local function check_shape(scope, spec)
  local faults = scope.faults
  if spec.run ~= nil and #spec.rounds > 0 then
    faults:add(at(scope, "run"), "conflict", "run replaces the rounds: a council has one or the other")
  elseif spec.run == nil and #spec.rounds == 0 then
    faults:add(at(scope, "rounds"), "empty", "the council has no rounds")
  end
  if spec.run == nil and #spec.members == 0 then
    faults:add(at(scope, "members"), "empty", "the council has no members")
  end
end

local function own_fields(spec)
  local record = {}
  for name, value in pairs(spec) do record[name] = value end
  for _, name in ipairs { "schema_version", "name", "members", "rounds", "chair" } do record[name] = nil end
  return record
end

local function check_spec(scope, made)
  local spec = made._.spec
  add_faults(scope, scope.prefix, made._.faults)
  check.record(fields.council, own_fields(spec), scope.prefix, ("council '%s'"):format(made.name), scope.faults)
  check_profile(scope, at(scope, "profile"), spec.profile, "")
  check_shape(scope, spec)
  check_rounds(scope, spec, check_members(scope, spec))
end

local function stands_in(stack, made)
  for _, outer in ipairs(stack) do
    if outer == made then return true end
  end
  return false
end

function check_council(outer, made, prefix)
  if stands_in(outer.stack, made) then
    return outer.faults:add(prefix, "cycle", ("council '%s' contains itself"):format(made.name))
  elseif #outer.stack > M.MAX_DEPTH then
    return outer.faults:add(prefix, "cycle", ("councils stand deeper than %d in councils"):format(M.MAX_DEPTH))
  end
  local stack = { table.unpack(outer.stack) }
  stack[#stack + 1] = made
  check_spec({ config = outer.config, registry = outer.registry, faults = outer.faults, prefix = prefix,
    stack = stack, good_profiles = outer.good_profiles }, made)
end

-- A whole council is good as long as nothing was registered or configured since it was found good.
local function is_cached(made, registry)
  local seen = made._.valid
  return seen and seen.registry == registry and seen.generation == registry.generation
end

--- Checks a council.
---@param made curia.Council anything else raises
---@param config? curia.Config the shared one
---@return true?
---@return curia.Fault[]? faults every fault, in a stable order, plain data
function M.validate(made, config)
  if not council.is(made) then
    error(("bad argument #1 to 'validate' (a council expected, not a %s)"):format(type(made)), 2)
  end
  config = config or configuration.shared()
  local registry = config.registry
  if is_cached(made, registry) then return true end
  local faults = check.faults(M.references(registry))
  local scope = { config = config, registry = registry, faults = faults, stack = {}, good_profiles = {} }
  check_profile(scope, "default_profile", config:get("default_profile"), "configuration: ")
  check_council(scope, made, "")
  if #faults > 0 then return nil, faults:take() end
  made._.valid = { registry = registry, generation = registry.generation }
  return true
end

--- The error that `start` and `run` answer with.
---@param made curia.Council
---@param faults curia.Fault[]
---@return curia.Error err kind `invalid_council`, the faults in `context.faults`
function M.error(made, faults)
  return check.error(made.name, faults)
end

--- Checks and lowers the options of `start` and `run`.
---@param opts table?
---@return table? lowered a copy with durations in `*_ms`
---@return curia.Fault[]? faults
function M.options(opts)
  local lowered = lower.record(fields.run_options, opts or {})
  local faults = check.faults()
  check.record(fields.run_options, lowered, "", "", faults)
  if #faults > 0 then return nil, faults:take() end
  return lowered
end

return M
