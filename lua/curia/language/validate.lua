--- Finds every fault of a council at once, before a token is spent.
local check = require "curia.language.check"
local configuration = require "curia.config"
local cost = require "curia.cost"
local council = require "curia.council"
local errors = require "curia.errors"
local fields = require "curia.language.fields"
local lower = require "curia.language.lower"
local profiles = require "curia.language.profiles"
local rounds = require "curia.language.rounds"
local suggest = require "curia.suggest"

local M = {}

--- How deep councils may stand in councils.
M.MAX_DEPTH = 8

local COUNCIL_FIELDS = {}
for name, rule in pairs(fields.council) do COUNCIL_FIELDS[name] = rule end
COUNCIL_FIELDS.members, COUNCIL_FIELDS.rounds, COUNCIL_FIELDS.chair = nil, nil, nil

---@class curia.ValidationScope
---@field config curia.Config
---@field registry curia.Registry
---@field faults curia.Faults
---@field prefix string path of the council ("" at the top)
---@field stack curia.Council[] the councils around this one

local function at(scope, name)
  return check.join(scope.prefix, name)
end

-- Names that a rule's `ref` points to: what is registered, and what needs no registration.
local function known_names(rule, registry)
  local names = registry:list(rule.ref)
  for _, name in ipairs(rule.also and registry:list(rule.also) or {}) do names[#names + 1] = name end
  for _, name in ipairs(rule.known or {}) do names[#names + 1] = name end
  return names
end

local function is_known(rule, name, registry)
  if registry:lookup(rule.ref, name) ~= nil then return true end
  if rule.also and registry:lookup(rule.also, name) ~= nil then return true end
  for _, known in ipairs(rule.known or {}) do
    if known == name then return true end
  end
  return false
end

local function reference_checker(registry)
  return function(rule, name, path, what, faults)
    if is_known(rule, name, registry) then return end
    faults:add(path, rule.code or "missing", ("%s: no %s is registered as '%s'%s"):format(what,
      (rule.ref:gsub("_", " ")), name, suggest.hint(name, known_names(rule, registry))))
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

-- What was registered at run time is judged where it is used.
local function check_profile_fields(scope, path, name)
  local profile = scope.registry:lookup("profile", name)
  local lowered = lower.member(fields.profile, profile)
  check.record(fields.profile, lowered, path, ("profile '%s'"):format(name), scope.faults)
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

-- A budget of money cannot hold a model without a price.
local function check_price(scope, spec, caps, path)
  if not (type(spec.budget) == "table" and spec.budget.usd) or not caps.model then return end
  if not cost.is_priced(caps.model, caps.provider, scope.config:get("prices")) then
    scope.faults:add(check.join(path, "model"), "missing", cost.unpriced(caps.model))
  end
end

-- A missing model is no fault of its own where the profile that should bring it is not known.
local function check_capabilities(scope, spec, member, path)
  if not text_or_nil(member.provider) or not text_or_nil(member.model) then return end
  local caps, fault = profiles.resolve(member, spec, scope.config)
  if fault and (fault.code ~= "missing" or profiles_are_known(scope, spec, member)) then
    scope.faults:add(check.join(path, fault.field), fault.code, fault.message)
  end
  if not member.run and not member.council then check_price(scope, spec, caps, path) end
  for i, entry in ipairs(type(member.fallback) == "table" and member.fallback or {}) do
    if type(entry) == "table" and text_or_nil(entry.provider) and text_or_nil(entry.model) then
      entry = profiles.fallback(entry, caps, scope.registry)
      local wrong = profiles.fault({ id = member.id, provider = entry.provider }, entry, scope.registry)
      if wrong then
        scope.faults:add(check.join(("%s.fallback[%d]"):format(path, i), wrong.field), wrong.code, wrong.message)
      end
      check_price(scope, spec, entry, ("%s.fallback[%d]"):format(path, i))
    end
  end
end

local check_council

local function check_sub_council(scope, member, path)
  local inner = member.council
  if type(inner) == "string" then
    inner = scope.registry:lookup("council", inner) or scope.registry:lookup("sub_council", inner)
  end
  if council.is(inner) then check_council(scope, inner, check.join(path, "council")) end
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
        ("no member has the id '%s'%s"):format(id, suggest.hint(id, member_ids)))
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

local function prefixed(prefix, path)
  if prefix == "" or path == "" then return prefix .. path end
  return path:sub(1, 1) == "[" and prefix .. path or prefix .. "." .. path
end

local function check_spec(scope, made)
  local spec = made._.spec
  for _, fault in ipairs(made._.faults) do
    scope.faults:add(prefixed(scope.prefix, fault.path), fault.code, fault.message)
  end
  check.record(COUNCIL_FIELDS, own_fields(spec), scope.prefix, ("council '%s'"):format(made.name), scope.faults)
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
    stack = stack }, made)
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
  local faults = check.faults(reference_checker(registry))
  check_profile({ registry = registry, faults = faults }, "default_profile", config:get("default_profile"),
    "configuration: ")
  check_council({ config = config, registry = registry, faults = faults, stack = {} }, made, "")
  if #faults > 0 then return nil, faults:take() end
  made._.valid = { registry = registry, generation = registry.generation }
  return true
end

--- The error that `start` and `run` answer with.
---@param made curia.Council
---@param faults curia.Fault[]
---@return curia.Error err kind `invalid_council`, the faults in `context.faults`
function M.error(made, faults)
  local first = faults[1]
  local more = #faults > 1 and (" (and %d more)"):format(#faults - 1) or ""
  return errors.new("invalid_council", ("council '%s': %s: %s%s"):format(made.name, first.path, first.message, more),
    { context = { faults = faults } })
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
