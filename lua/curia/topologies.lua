--- Topologies: flows that research and practice have found useful, as functions that return a council (SPEC 8).
--
--     topology "voting" { member "a" {...}, member "b" {...}, member "c" {...}, chair {...}, rule = "schulze" }
--
-- Each takes what `council` takes except `rounds`, which it brings, and options of its own. `name` names the council
-- (by default it has the topology's name).
local check = require "curia.language.check"
local dsl = require "curia.language.dsl"
local fields = require "curia.language.fields"
local lower = require "curia.language.lower"
local suggest = require "curia.suggest"

local M = {}

---@class curia.Topology
---@field about string
---@field chair "needed"|"allowed"|"none"
---@field options? table<string, table>
---@field defaults? table fields of the council that hold unless the caller says otherwise
---@field rounds fun(opts: table, body: table): table[]
---@field members? fun(opts: table, body: table) changes the members
local flows = {}

local function independent(name, members)
  return { type = "independent_analysis", name = name, members = members }
end

flows.parallel_panel = {
  about = "All answer apart; the chair concludes.", chair = "needed",
  rounds = function() return { independent() } end,
}

flows.peer_review = {
  about = "Draft, critique, review, then the chair concludes.", chair = "needed",
  rounds = function()
    return { independent "draft", { type = "critique" }, { type = "peer_review", name = "review" } }
  end,
}

flows.voting = {
  about = "All answer apart and vote on the answers; the chair, where there is one, writes up the winner.",
  chair = "allowed",
  options = { rule = fields.round.rule },
  rounds = function(opts) return { independent(), { type = "vote", rule = opts.rule } } end,
}

flows.specialist = {
  about = "Specialists answer apart and review each other; the chair concludes.", chair = "needed",
  rounds = function() return { independent(), { type = "peer_review" } } end,
}

flows.tournament = {
  about = "All answer apart; answers meet in pairs until one is left; the chair writes it up.", chair = "needed",
  options = {
    judge = { type = "string|function", doc = "who judges the pairs (the chair)" },
    orders = { type = "string", doc = 'ask once, or with the places swapped too (both)', enum = { "once", "both" } },
  },
  rounds = function(opts)
    local level = { type = "pairwise_elimination", judge = opts.judge, orders = opts.orders }
    return { independent(), { type = "iterate", round = level, max_iterations = 16 } }
  end,
}

flows.consensus = {
  about = "All answer apart and criticise each other until little changes; the chair concludes.", chair = "needed",
  options = { max_iterations = { type = "integer", doc = "critiques at most (3)", min = 1 } },
  rounds = function(opts)
    return { independent(), { type = "iterate", round = "critique", max_iterations = opts.max_iterations or 3 } }
  end,
}

flows.weighted_consensus = {
  about = "All answer apart and say how sure they are; the chair weighs them.", chair = "needed",
  defaults = { confidence = "self_report" },
  rounds = function() return { independent(), { type = "weighted_synthesis" } } end,
}

-- No confidences are no reason to stop.
local function sure_enough(threshold)
  return function(_, current)
    local sum, count = 0, 0
    for _, result in pairs(current.results) do
      if result.confidence then sum, count = sum + result.confidence, count + 1 end
    end
    return count > 0 and sum / count >= threshold
  end
end

flows.jury_with_retry = {
  about = "A jury that never confers is asked again while it is not sure enough; the chair concludes.",
  chair = "needed",
  defaults = { confidence = "self_report" },
  options = {
    threshold = { type = "number", doc = "mean confidence that suffices (0.7)", min = 0, max = 1 },
    max_iterations = { type = "integer", doc = "times the jury is asked at most (2)", min = 1 },
  },
  rounds = function(opts)
    return { { type = "iterate", round = "independent_analysis", max_iterations = opts.max_iterations or 2,
      ["until"] = sure_enough(opts.threshold or 0.7) } }
  end,
}

flows.debate = {
  about = "All answer apart, then answer each other; the chair concludes.", chair = "needed",
  options = {
    max_rounds = { type = "integer", doc = "rounds of debate at most (2)", min = 1 },
  },
  rounds = function(opts) return { independent "opening", { type = "debate", max_rounds = opts.max_rounds or 2 } } end,
}

-- Who stands by position or in `members`: ids in order.
local function ids_of(body)
  local ids = {}
  for _, list in ipairs { body, body.members or {} } do
    for _, item in ipairs(list) do
      local is_member = item and item.kind == "member"
      local id = is_member and (item.key or item.body and item.body.id) or not item.kind and item.id
      if id then ids[#ids + 1] = id end
    end
  end
  return ids
end

local function split(ids, chosen)
  local marked, rest = {}, {}
  for _, id in ipairs(chosen) do marked[id] = true end
  for _, id in ipairs(ids) do
    if not marked[id] then rest[#rest + 1] = id end
  end
  return rest
end

flows.red_team = {
  about = "Some answer, the red team attacks, the first revise; the chair concludes.", chair = "needed",
  options = { red = { type = "list", doc = "ids of the members that attack", required = true, nonempty = true,
    items = { type = "string" } } },
  rounds = function(opts, body)
    local blue = split(ids_of(body), opts.red)
    return { independent("draft", blue), { type = "critique", name = "attack", members = opts.red },
      { type = "revise", name = "defence", members = blue } }
  end,
}

flows.self_consistency = {
  about = "Each member answers several times; the answer that comes most often counts.", chair = "none",
  options = {
    samples = { type = "integer", doc = "answers of each member (5)", min = 1 },
    ["until"] = { type = "string|table", doc = "when to stop early (unassailable)" },
    stop_when = { type = "string|table", doc = "another name for until, which is a word of Lua's" },
    rule = fields.round.rule, -- plurality
  },
  rounds = function(opts)
    local stop_when = opts["until"] or opts.stop_when or "unassailable"
    return { { type = "sample", samples = opts.samples or 5, stop_when = stop_when,
      rule = opts.rule or "plurality" } }
  end,
}

flows.mixture_of_agents = {
  about = "Layers of members, each of which reads all answers of the layer before; the chair aggregates.",
  chair = "needed",
  options = { layers = { type = "integer", doc = "layers of members (2)", min = 1, max = 10 } },
  rounds = function(opts)
    local rounds = { independent "layer_1" }
    for layer = 2, opts.layers or 2 do rounds[layer] = { type = "mixture", name = "layer_" .. layer } end
    return rounds
  end,
}

local JUDGE = "judge"

-- A member whose id the topology gives.
local function fields_without_id()
  local made = {}
  for name, rule in pairs(fields.member) do made[name] = rule end
  made.id = nil
  return made
end

local function copies(member, n)
  local made = {}
  for i = 1, n do
    local copy = {}
    for name, value in pairs(member) do copy[name] = value end
    copy.id = ("%s_%d"):format(member.id or "candidate", i)
    made[i] = copy
  end
  return made
end

local function only_member(body)
  local item = body[1] or body.members and body.members[1]
  if not item then return {} end
  if item.kind ~= "member" then return item end
  local fields_of = { id = item.key }
  for name, value in pairs(item.body or {}) do fields_of[name] = value end
  return fields_of
end

flows.best_of = {
  about = "One member answers several times; a judge scores the answers, and the best one counts.", chair = "none",
  options = {
    n = { type = "integer", doc = "answers (4)", min = 2, max = 64 },
    judge = { type = "record", doc = "the member that scores (the same model)",
      fields = fields_without_id() },
    rubric = { type = "any", doc = "criteria of the judge" },
  },
  members = function(opts, body)
    local candidate = only_member(body)
    local judge = opts.judge or { profile = candidate.profile, provider = candidate.provider, model = candidate.model }
    body[1], body.members = nil, copies(candidate, opts.n or 4)
    judge.id = JUDGE
    table.insert(body.members, judge)
  end,
  rounds = function(opts, body)
    local candidates = split(ids_of(body), { JUDGE })
    return { independent("candidates", candidates), { type = "scoring", members = { JUDGE }, rubric = opts.rubric } }
  end,
}

flows.llm_council = {
  about = "All answer apart, rank each other blind, and the chair concludes.", chair = "needed",
  rounds = function() return { independent(), { type = "anonymized_peer_review" } } end,
}

-- ---- from a flow to a council -----------------------------------------------------------------------

local function misuse(name, text, level)
  error(("topology '%s': %s"):format(name, text), level + 1)
end

-- The topology's own options out of the body; the rest is the council's.
local function take_options(name, flow, body, level)
  local own, rest = {}, {}
  for key, value in pairs(body) do
    if flow.options and flow.options[key] then own[key] = value else rest[key] = value end
  end
  local opts, faults = lower.record(flow.options or {}, own), check.faults()
  check.record(flow.options or {}, opts, "", "", faults)
  if faults[1] then misuse(name, faults[1].message, level + 1) end
  return opts, rest
end

local function has_chair(body)
  if body.chair ~= nil then return true end
  for _, item in ipairs(body) do
    if type(item) == "table" and item.kind == "chair" then return true end
  end
  return false
end

local function check_body(name, flow, body, level)
  if type(body) ~= "table" then misuse(name, "it must be followed by { ... }", level + 1) end
  if body.rounds ~= nil then misuse(name, "it brings its rounds: leave out `rounds`", level + 1) end
  if flow.chair == "needed" and not has_chair(body) then misuse(name, "it needs a chair", level + 1) end
  if flow.chair == "none" and has_chair(body) then misuse(name, "it has no chair", level + 1) end
end

local function make(name, flow, body)
  check_body(name, flow, body, 2)
  local opts, rest = take_options(name, flow, body, 2)
  for field, value in pairs(flow.defaults or {}) do
    if rest[field] == nil then rest[field] = value end
  end
  if flow.members then flow.members(opts, rest) end
  rest.rounds, rest.about = flow.rounds(opts, rest), rest.about or flow.about
  local called = rest.name or name
  rest.name = nil
  return dsl.council(called)(rest)
end

--- The names of all topologies, sorted.
M.names = check.sorted_keys(flows)

for name, flow in pairs(flows) do
  M[name] = function(body) return make(name, flow, body) end
end

--- `topology "name" { ... }`
---@param name string
---@return fun(body: table): curia.Council
function M.word(name)
  if not flows[name] then error(suggest.message("topology", tostring(name), M.names), 2) end
  return M[name]
end

return M
