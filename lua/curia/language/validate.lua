--- Finds every fault of a council at once, before a token is spent.
local check = require "curia.language.check"
local confidence = require "curia.confidence"
local configuration = require "curia.config"
local cost = require "curia.cost"
local council = require "curia.council"
local fields = require "curia.language.fields"
local lower = require "curia.language.lower"
local profiles = require "curia.language.profiles"
local rounds = require "curia.language.rounds"
local schemas = require "curia.schema"
local suggest = require "curia.suggest"
local tools = require "curia.language.tools"

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
  if message then return false, message end
  if rule.also and registry:lookup(rule.also, name) ~= nil then return true end
  for _, known in ipairs(rule.known or {}) do
    if known == name then return true end
  end
  return false
end

--- What judges the names in a record, for `check.faults`.
---@param registry curia.Registry
---@return fun(rule: table, name: string, path: string, what: string, faults: curia.Faults)
function M.references(registry)
  return function(rule, name, path, what, faults)
    local known, message = is_known(rule, name, registry)
    if known then
      if rule.judge then check.judged(rule, registry:lookup(rule.ref, name), path, what, faults) end
      return
    end
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
  local _, message = scope.registry:lookup("profile", name)
  scope.faults:add(path, "unknown_profile",
    what .. (message or suggest.message("profile", name, scope.registry:list("profile"))))
end

local function profiles_are_known(scope, spec, member)
  return is_profile_known(scope, member.profile) and is_profile_known(scope, spec.profile)
    and is_profile_known(scope, scope.config:get("default_profile"))
end

local function text_or_nil(value)
  return value == nil or type(value) == "string"
end

local function is_list(value)
  return check.match({ type = "list" }, value) ~= nil
end

-- Arguments are an object: vendors take no other schema.
local function check_parameters(scope, parameters, path, what)
  if type(parameters) ~= "table" or next(parameters) == nil or schemas.is_object(parameters) then return end
  scope.faults:add(check.join(path, "parameters"), "wrong_type",
    ("parameters of %s must be the schema of an object"):format(what))
end

-- What only a look at the whole tool tells; a registered one is judged where it is used.
local function check_tool(scope, item, path)
  local tool = tools.find(item, scope.registry)
  if not tool then return nil end
  local what = type(tool.name) == "string" and ("tool '%s'"):format(tool.name) or "the tool"
  if type(item) == "string" then check.record(fields.tool, tool, path, what, scope.faults) end
  check_parameters(scope, tool.parameters, path, what)
  if tool.list ~= nil then
    if tool.run ~= nil then scope.faults:add(path, "conflict", what .. " has both run and list") end
    return tool
  end
  for _, name in ipairs { "name", "run" } do
    if tool[name] == nil then
      scope.faults:add(check.join(path, name), "missing", ("%s has no %s"):format(what, name))
    end
  end
  return tool
end

-- Two tools of one name could not be told apart.
local function note_tool(scope, known, tool, path)
  if tool.list ~= nil then known.open = true end
  if type(tool.name) ~= "string" or tool.list ~= nil then return end
  local other = known.tools[tool.name]
  if other and not tools.same(other, tool) then
    scope.faults:add(path, "duplicate_id", ("two tools are called '%s'"):format(tool.name))
  end
  known.tools[tool.name] = other or tool
end

---@class curia.KnownTools
---@field tools table<string, table>
---@field open boolean there are sets among them, whose tools are not known yet

local function check_tools(scope, list, path, known)
  for i, item in ipairs(is_list(list) and list or {}) do
    local here = ("%s[%d]"):format(path, i)
    local tool = check_tool(scope, item, here)
    if tool then note_tool(scope, known, tool, here) end
  end
  return known
end

local NO_TOOL = { auto = true, required = true, none = true }

local function check_member_tools(scope, spec, caps, path)
  local known = check_tools({ registry = scope.registry, faults = check.faults() }, spec.tools, "",
    { tools = {}, open = false })
  check_tools(scope, caps.tools, check.join(path, "tools"), known)
  local choice = caps.tool_choice
  if type(choice) ~= "string" or NO_TOOL[choice] or known.tools[choice] or known.open then return end
  scope.faults:add(check.join(path, "tool_choice"), "unknown_tool", suggest.message("tool", choice, known.tools))
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
  check_member_tools(scope, spec, caps, path)
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

local function is_strategy(strategy)
  return strategy == nil or type(strategy.measure) == "function" or type(strategy.read) == "function"
end

-- The options beside a strategy that is not known cannot be judged.
local function check_confidence_options(scope, value, strategy, path, what)
  if check.class(value) then return end
  local judged = strategy and value or { strategy = value.strategy }
  check.record(confidence.fields(strategy or {}), judged, path, "confidence of " .. what, scope.faults)
  if not is_strategy(strategy) then
    scope.faults:add(check.join(path, "strategy"), "wrong_type",
      ("the strategy in confidence of %s has neither measure nor read"):format(what))
  end
end

local function check_confidence(scope, holder, path, what)
  local value = holder.confidence
  if not value then return end
  path = check.join(path, "confidence")
  local strategy = confidence.strategy(confidence.long(value).strategy, scope.registry)
  if type(value) == "table" then check_confidence_options(scope, value, strategy, path, what) end
  if value == true then scope.faults:add(path, "wrong_type", what .. ": confidence is a strategy, or false") end
  local own = holder.run ~= nil and "run" or holder.council ~= nil and "council"
  if own and holder.id and strategy and strategy.asks then
    scope.faults:add(path, "conflict", ("%s has %s: it has no model that this confidence could ask"):format(what, own))
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
  check_confidence(scope, member, path, what)
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
    scope.chair_id = spec.chair.id
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

-- Only a round whose options are right one by one is looked at as a whole.
local function check_whole_round(scope, round, module, path)
  local field, message = rounds.fault(round, module, scope.registry, scope.chair_id ~= nil)
  if field then scope.faults:add(check.join(path, field), "conflict", message) end
end

local check_round

-- Rounds that stand among a round's options.
local function check_inner_rounds(scope, module, round, path, member_ids)
  local options = module.options or {}
  for _, name in ipairs(check.sorted_keys(options)) do
    local inner = options[name].round and lower.round_record(round[name])
    if type(inner) == "table" then check_round(scope, inner, check.join(path, name), member_ids) end
  end
end

-- An option of a round's own that names a member may name the chair.
local function check_named_members(scope, module, round, path, member_ids)
  for name, rule in pairs(module.options or {}) do
    local id = rule.member and round[name]
    if type(id) == "string" and not member_ids[id] and id ~= scope.chair_id then
      scope.faults:add(check.join(path, name), "unknown_member",
        ("no member has the id '%s'%s"):format(id, suggest.hint(id, member_ids)))
    end
  end
end

function check_round(scope, round, path, member_ids)
  local what, before = round_name(round, path), #scope.faults
  local module, message = rounds.resolve(round.type, scope.registry)
  if type(round.type) == "string" and not module then
    scope.faults:add(path .. ".type", "unknown_round",
      message or suggest.message("round", round.type, rounds.names(scope.registry)))
    -- Its own options cannot be known; those of every round still can be checked.
    local common = {}
    for name, value in pairs(round) do common[name] = fields.round[name] and value or nil end
    round = common
  end
  check.record(module and rounds.fields(module) or fields.round, round, path, what, scope.faults)
  check_round_members(scope, round, path, member_ids)
  if not module then return end
  check_named_members(scope, module, round, path, member_ids)
  check_inner_rounds(scope, module, round, path, member_ids)
  if #scope.faults == before then check_whole_round(scope, round, module, path) end
end

local function check_rounds(scope, spec, member_ids)
  for i, round in ipairs(spec.rounds) do
    local path = ("%s[%d]"):format(at(scope, "rounds"), i)
    if round then check_round(scope, round, path, member_ids) end
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
  check_confidence(scope, spec, scope.prefix, ("council '%s'"):format(made.name))
  check_profile(scope, at(scope, "profile"), spec.profile, "")
  check_shape(scope, spec)
  check_tools(scope, spec.tools, at(scope, "tools"), { tools = {}, open = false })
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
