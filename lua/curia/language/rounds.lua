--- From a round's type to its module, and the options that it takes.
local fields = require "curia.language.fields"
local lower = require "curia.language.lower"
local names = require "curia.language.names"

local M = {}

--- The types of SPEC 4, each a module `curia.rounds.<type>`.
M.shipped = {
  "independent_analysis", "peer_review", "anonymized_peer_review", "critique", "revise", "debate", "mixture",
  "ranking", "scoring", "vote", "sample", "iterate", "pairwise_elimination", "synthesis",
  "weighted_synthesis",
}

-- A module that is not there is no round; one that cannot be loaded is a bug that must be seen.
local function load_module(name)
  local found, module = pcall(require, name)
  if found then return module end
  if tostring(module):find(("module '%s' not found"):format(name), 1, true) then return nil end
  error(module, 0)
end

--- The module of a round type: registered, else shipped, else nil. A table is its own module.
---@param kind any
---@param registry curia.Registry
---@return table?
---@return string? message why what is registered cannot be had
function M.resolve(kind, registry)
  if type(kind) == "table" then return kind end
  if type(kind) ~= "string" then return nil end
  local module, message = registry:lookup("round", kind)
  if module or message then return module, message end
  return kind:find("^[%a_][%w_]*$") and load_module("curia.rounds." .. kind) or nil
end

--- All names that `resolve` knows.
---@param registry curia.Registry
---@return string[]
function M.names(registry)
  local all = registry:list("round")
  for _, name in ipairs(M.shipped) do
    if load_module("curia.rounds." .. name) then all[#all + 1] = name end
  end
  return all
end

local rules = setmetatable({}, { __mode = "k" })

local function merged(module)
  local made = {}
  for name, rule in pairs(fields.round) do made[name] = rule end
  for name, rule in pairs(module.options or {}) do made[name] = rule end
  return made
end

--- The rules of a round's options: those of every round and the module's own `options`, which may say `round = true`
--- of one that is a round itself: a type, or a table of a type and its options.
---@param module table
---@return table<string, table>
function M.fields(module)
  rules[module] = rules[module] or merged(module)
  return rules[module]
end

--- A round's options as the engine takes them: lowered, and with registered functions in place of their names.
---@param round table
---@param module table
---@param registry curia.Registry
---@return table planned a copy
function M.bind(round, module, registry)
  local known = M.fields(module)
  local planned = lower.round(known, round)
  names.resolve(known, planned, registry)
  planned.type, planned.module = round.type, module
  return planned
end

-- The shipped rules that can count a kind of ballot.
local COUNTED_BY = {
  ordering = { "borda", "copeland", "condorcet", "schulze", "instant_runoff", "peer_ranking", "knockout", "plurality",
    "majority", "unanimous" },
  choice = { "plurality", "majority", "unanimous", "approval", "weighted", "median" },
  scores = { "mean" },
}

local is_shipped, counts = {}, {}
for _, name in ipairs(fields.rules) do is_shipped[name] = true end
for kind, able in pairs(COUNTED_BY) do
  counts[kind] = {}
  for _, name in ipairs(able) do counts[kind][name] = true end
end

-- What is registered may count anything.
local function rule_fault(round, module, registry)
  local rule, counted = round.rule, counts[module.ballot]
  if not counted or not is_shipped[rule] or counted[rule] or registry:lookup("rule", rule) then return nil end
  return "rule", ("rule '%s' cannot count what this round's ballots say (%s); these can: %s"):format(
    rule, module.ballot, table.concat(COUNTED_BY[module.ballot], ", "))
end

local function tie_break_fault(round, has_chair)
  if round.tie_break ~= "chair" or has_chair then return nil end
  return "tie_break", "the council has no chair to break a tie"
end

--- What is wrong with a round whose options are right one by one.
---@param round table
---@param module table its `check(round)` gives a field and what is wrong with it
---@param registry curia.Registry
---@param has_chair boolean
---@return string? field
---@return string? message
function M.fault(round, module, registry, has_chair)
  local field, message = rule_fault(round, module, registry)
  if not field then field, message = tie_break_fault(round, has_chair) end
  if not field and module.check then field, message = module.check(round) end
  return field, message
end

-- Members in plain Lua are asked, but no model is.
local function count_asked(round, plan)
  local count = 0
  for _, member in ipairs(round.members or plan.members) do
    if type(member) == "string" then member = plan.by_id[member] end
    if not member.run then count = count + 1 end
  end
  return count
end

--- How many calls a round makes when nothing fails: what its module's `calls(round, plan)` says, else one for each
--- member that takes part.
---@param round curia.PlannedRound
---@param plan curia.Plan
---@return integer fewest
---@return integer most
function M.calls(round, plan)
  local module = round.module
  if module.calls then return module.calls(round, plan) end
  if module.chair then return 1, 1 end
  local most = count_asked(round, plan)
  local routed = round.router or plan.router
  return routed and math.min(1, most) or most, most
end

local CHAIRS = { synthesis = true, weighted_synthesis = true }

--- Whether a round is the chair's: a council that ends with one needs no synthesis appended. A round of the
--- user's own says so with `chair = true`.
---@param kind any the round's type
---@param module table
---@return boolean
function M.is_chairs(kind, module)
  return CHAIRS[kind] == true or module.chair == true
end

--- The rounds of a spec in their order; where the council has a chair and does not end with a round of the
--- chair's, a synthesis is the last.
---@param spec table
---@param registry curia.Registry
---@return table[]
function M.all(spec, registry)
  local list = { table.unpack(spec.rounds) }
  local last = list[#list]
  local module = last and M.resolve(last.type, registry)
  if spec.chair and last and not (module and M.is_chairs(last.type, module)) then
    list[#list + 1] = { type = "synthesis" }
  end
  return list
end

return M
