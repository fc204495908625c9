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

-- The chair sees the tied answers where they are texts, under the labels that the judges had.
local function tied_entries(ctx, known, tied)
  local text_of = known and known.text_of or {}
  if not known then
    for _, answer in ipairs(shared.answers(ctx, shared.last_answers(ctx))) do text_of[answer.id] = answer.text end
  end
  local entries = {}
  for i, id in ipairs(tied) do
    entries[i] = { id = id, label = known and known.id_to_label[id] or id, text = text_of[id] }
  end
  return entries
end

local LONGEST_QUOTE = 80

local function finder(entries)
  return function(label)
    for _, entry in ipairs(entries) do
      if label == entry.label or label == entry.id then return entry.id end
    end
    return nil, "names none of the tied: " .. tostring(label):sub(1, LONGEST_QUOTE)
  end
end

-- The round's own time limit holds for the chair's word too.
local function time_left(ctx)
  local limit = ctx._round.timeout_ms
  return limit and math.max(1, limit - (clock.wall_ms() - ctx._result.started_at))
end

local function ask_chair(ctx, known, tied)
  local chair = ctx._run.plan.chair
  if not chair then return { by = "chair", error = "the council has no chair" } end
  local entries = tied_entries(ctx, known, tied)
  local prompt = prompts.tie_break(prompts.question(ctx.input), entries)
  local result = ctx:ask(chair, { { role = "user", content = prompt } }, {
    parse = function(_, _, response) return read.choice(response, finder(entries)) end, deadline_ms = time_left(ctx),
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

-- Where the chair does not choose, the tie stays, and no option wins by its name alone.
local function let_chair_break(ctx, known, decision)
  local said = ask_chair(ctx, known, decision.tied)
  decision.winner = said.choice
  decision.detail.tie_break = said
  if said.choice then decision.ranking = put_first(decision.ranking, said.choice) end
end

-- ---- counting ---------------------------------------------------------------------------------------

local function count(ctx, results, rule, known, own)
  local opts = {
    options = known and known.order, tie_break = ctx.opts.tie_break,
    random = function() return ctx:random() end,
  }
  for name, value in pairs(own or {}) do opts[name] = value end
  local decision = rules.decide(rule, M.ballots(ctx, results), opts)
  decision.detail.label_to_id = ctx._result.metadata.label_to_id
  if opts.tie_break == "chair" and decision.tied then let_chair_break(ctx, known, decision) end
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
---@async
---@param ctx curia.Ctx
---@param results table<string, curia.MemberResult>
---@return curia.Decision
function M.any(ctx, results)
  return count(ctx, results, ctx.opts.rule)
end

return M
