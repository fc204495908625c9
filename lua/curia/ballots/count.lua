--- What a round's ballots decide: its rule counts them, and where the chair may break ties it is asked.
local candidates = require "curia.ballots.candidates"
local clock = require "curia.core.clock"
local json = require "curia.json"
local prompts = require "curia.prompts"
local read = require "curia.ballots.read"
local rules = require "curia.rules"
local shared = require "curia.rounds.shared"

local M = {}

-- What a ballot says, by the kinds of ballots that there are, and what it may say besides.
local VOICES = { "ordering", "choice", "scores", "approvals", "grades", "discarded" }
local BESIDES = { "confidence", "rationale" }

local function says_something(parsed)
  if type(parsed) ~= "table" then return false end
  for _, name in ipairs(VOICES) do
    if parsed[name] ~= nil then return true end
  end
  return false
end

local function ballot_of(member, result)
  local parsed = result.response.parsed
  local ballot = { voter = member.id, weight = member.weight, confidence = result.confidence }
  if not says_something(parsed) then
    ballot.discarded = "no ballot could be read"
    return ballot
  end
  for _, names in ipairs { VOICES, BESIDES } do
    for _, name in ipairs(names) do
      if parsed[name] ~= nil then ballot[name] = parsed[name] end
    end
  end
  return ballot
end

--- The ballots of those that answered, in the order of the council; those that cannot be read say so.
---@param ctx curia.Ctx
---@param results table<string, curia.MemberResult>
---@return curia.Ballot[]
function M.ballots(ctx, results)
  local ballots = {}
  for _, member in ipairs(ctx.members) do
    local result = results[member.id]
    if result and result.status == "ok" then ballots[#ballots + 1] = ballot_of(member, result) end
  end
  return ballots
end

-- ---- ties -------------------------------------------------------------------------------------------

local NONE = {}

-- What the ballots of a round of one's own name may be members, whose answers are meant.
local function named(ctx, tied)
  local made, text_of = candidates.options_only(tied), {}
  for _, id in ipairs(tied) do text_of[id] = shared.answer_of(ctx, id) end
  return made, text_of
end

local function known_of(ctx, tied)
  local known = candidates.known(ctx)
  if known then return known, known.text_of or NONE end
  return named(ctx, tied)
end

-- The chair sees the tied answers under the labels that the judges had; options say themselves what they are.
local function entries_of(known, text_of, tied)
  local entries = {}
  for i, id in ipairs(tied) do entries[i] = { label = known.id_to_label[id] or id, text = text_of[id] } end
  return entries
end

local function finder(known, tied)
  return function(label)
    local chosen = candidates.restore(known, label)
    for _, id in ipairs(tied) do
      if id == chosen then return id end
    end
    return nil, "names none of the tied: " .. candidates.quote(label)
  end
end

-- The round's own time limit holds for the chair's word too.
local function time_left(ctx)
  local limit = ctx.opts.timeout_ms
  return limit and math.max(1, limit - (clock.wall_ms() - ctx.result.started_at))
end

local function ask_chair(ctx, tied)
  local chair = ctx.chair
  if not chair then return { by = "chair", error = "the council has no chair" } end
  local known, text_of = known_of(ctx, tied)
  local prompt = prompts.tie_break(prompts.question(ctx.input), entries_of(known, text_of, tied))
  local find = finder(known, tied)
  local result = ctx:ask(chair, { { role = "user", content = prompt } }, {
    parse = function(_, _, response) return read.choice(response, find) end, deadline_ms = time_left(ctx),
  })
  if result.status ~= "ok" then return { by = "chair", error = tostring(result.error or result.status) } end
  local said = result.response.parsed
  return { by = "chair", choice = said.choice, rationale = said.rationale, error = said.discarded }
end

local function put_first(ranking, id)
  local made = json.array { id }
  for _, other in ipairs(ranking) do
    if other ~= id then made[#made + 1] = other end
  end
  return made
end

--- Lets the chair break the tie that a decision has left to it. Where the chair does not choose, the tie stays, and no
--- option wins by its name alone.
---@async
---@param ctx curia.Ctx the round's
---@param decision any
function M.let_chair_break(ctx, decision)
  if type(decision) ~= "table" or not decision.tied or decision.winner ~= nil then return end
  local said = ask_chair(ctx, decision.tied)
  decision.winner = said.choice
  decision.detail = decision.detail or {}
  decision.detail.tie_break = said
  if said.choice then decision.ranking = put_first(decision.ranking or {}, said.choice) end
end

-- ---- counting ---------------------------------------------------------------------------------------

local function count(ctx, results, rule, known, own)
  local opts = {
    options = known and known.order, tie_break = ctx.opts.tie_break,
    random = function() return ctx:random() end,
  }
  for name, value in pairs(own or {}) do opts[name] = value end
  local decision = rules.decide(rule, M.ballots(ctx, results), opts)
  decision.detail.label_to_id = ctx.result.metadata.label_to_id
  return decision
end

--- The `aggregate` of a round whose judges choose between candidates.
---@param rule string the rule that counts where the council names none
---@param own? fun(ctx: curia.Ctx): table options of the rule's own
---@return fun(ctx: curia.Ctx, results: table): curia.Decision
function M.candidates(rule, own)
  return function(ctx, results)
    return count(ctx, results, ctx.opts.rule or rule, candidates.of(ctx), own and own(ctx))
  end
end

--- The same for a round that has no `aggregate` and a `rule`: whatever its members' parsed answers name.
---@param ctx curia.Ctx
---@param results table<string, curia.MemberResult>
---@return curia.Decision
function M.any(ctx, results)
  return count(ctx, results, ctx.opts.rule)
end

return M
