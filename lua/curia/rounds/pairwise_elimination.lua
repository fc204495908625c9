--- One level of a bracket: the answers meet in pairs, a judge says which is better, the losers are out.
--
-- The best-ranked meets the worst-ranked, the second-best the second-worst; of an odd number the best-ranked has a bye.
-- Ranks come from an earlier decision, else from the order of the council. `iterate` around it makes the whole
-- bracket: a level's survivors are all that the next level finds as answers.
--
-- Models favour a place (Zheng et al. 2023), so they are asked twice, with the places swapped: who does not win both
-- times has not won. A tie, and a verdict that cannot be read, lets the better-ranked go on, and the match says so.
local anonymize = require "curia.anonymize"
local errors = require "curia.errors"
local extract = require "curia.extract"
local json = require "curia.json"
local prompts = require "curia.prompts"
local shared = require "curia.rounds.shared"
local user_code = require "curia.engine.user_code"

local TIE = "tie"

---@class curia.Candidate
---@field id string
---@field text string
---@field response table

---@class curia.Verdict
---@field first string the one that stood first
---@field second string
---@field choice? string the better one, or "tie"; nil: it cannot be read
---@field reason? string why not
---@field rationale? string
---@field result? curia.MemberResult of the judge, where that is a member

---@class curia.Match
---@field a string the better-ranked
---@field b string
---@field winner string
---@field loser string
---@field tie boolean the better-ranked went on, as the judge saw no winner
---@field verdicts curia.Verdict[]

-- ---- who meets whom -------------------------------------------------------------------------------

-- The judge does not compete.
local function competing(ctx, members, judge)
  local competes = {}
  for _, member in ipairs(members) do competes[member.id] = member.id ~= judge end
  local round, candidates = shared.last_answers(ctx), {}
  for _, answer in ipairs(shared.answers(ctx, round)) do
    if competes[answer.id] then
      answer.response = round.results[answer.id].response
      candidates[#candidates + 1] = answer
    end
  end
  return candidates, round
end

local function places_in(ranking, candidates)
  local places, any = {}, false
  for place, id in ipairs(ranking) do places[id] = place end
  for _, candidate in ipairs(candidates) do any = any or places[candidate.id] ~= nil end
  return any and places or nil
end

local function places_of(ctx, candidates)
  for i = #ctx.rounds, 1, -1 do
    local decision = ctx.rounds[i].decision
    local places = decision and decision.ranking and places_in(decision.ranking, candidates)
    if places then return places end
  end
  return {}
end

-- Best first; those that are not ranked come last, in the order of the council.
local function seeded(ctx, candidates)
  local places, order = places_of(ctx, candidates), {}
  for i, candidate in ipairs(candidates) do order[candidate] = i end
  table.sort(candidates, function(a, b)
    local place_a, place_b = places[a.id] or math.huge, places[b.id] or math.huge
    if place_a ~= place_b then return place_a < place_b end
    return order[a] < order[b]
  end)
  return candidates
end

local function paired(seeds)
  local matches = {}
  local low, high = 1 + #seeds % 2, #seeds
  while low < high do
    matches[#matches + 1] = { seeds[low], seeds[high] }
    low, high = low + 1, high - 1
  end
  return matches
end

-- ---- judging ----------------------------------------------------------------------------------------

-- What a judge wrote: an object with `winner`, else a line "Winner: ...".
local function said_of(content)
  local said = extract.json(content)
  if said and said.winner ~= nil then return said.winner, said.rationale end
  return content:match(".*[Ww]inner:%s*([^\n]+)")
end

local function read(verdict, content)
  local labels = anonymize.labels({ verdict.first, verdict.second }, { order = "as_given" })
  local winner, rationale = said_of(content)
  if type(rationale) == "string" then verdict.rationale = rationale end
  if type(winner) == "string" and winner:lower():find("^%W*tie%W*$") then verdict.choice = TIE
  else verdict.choice = anonymize.restore(labels, winner) end
  if not verdict.choice then verdict.reason = "names no winner" end
  return verdict
end

local function model_verdict(ctx, judge, first, second, number)
  local verdict = { first = first.id, second = second.id }
  local prompt = prompts.pairwise_elimination(prompts.question(ctx.input), first.text, second.text)
  verdict.result = ctx:ask(judge, { { role = "user", content = prompt } }, { ask = number, keep = false })
  if verdict.result.status == "ok" then return read(verdict, verdict.result.response.content) end
  verdict.reason = verdict.result.error and verdict.result.error.kind or verdict.result.status
  return verdict
end

local function chosen(value, first, second)
  if value == nil or value == TIE then return TIE end
  if value == first or value == first.id then return first.id end
  if value == second or value == second.id then return second.id end
end

-- A judge in Lua that fails is a fault of the council, unlike a model that writes nonsense.
local function function_verdict(ctx, judge, first, second)
  local value, err = user_code.call("judge of round " .. ctx.round.name, judge, first, second, ctx)
  if err then error(err, 0) end
  local choice = chosen(value, first, second)
  return { first = first.id, second = second.id, choice = choice,
    reason = not choice and "names no winner" or nil }
end

-- The orders in which a match is shown. Asked only once, a model sees one that is drawn by lot.
local function orders_of(ctx, a, b)
  local by_function = type(ctx.opts.judge) == "function"
  local orders = ctx.opts.orders or (by_function and "once" or "both")
  if orders == "both" then return { { a, b }, { b, a } } end
  if by_function or ctx:random() < 0.5 then return { { a, b } } end
  return { { b, a } }
end

-- Both times the same one, or it is a tie.
local function agreed(verdicts)
  local choice = verdicts[1].choice
  for _, verdict in ipairs(verdicts) do
    if verdict.choice ~= choice then return nil end
  end
  return choice ~= TIE and choice or nil
end

local function match_of(pair, verdicts)
  local a, b, winner = pair[1].id, pair[2].id, agreed(verdicts)
  return {
    a = a, b = b, winner = winner or a, loser = winner == b and a or b, tie = winner == nil, verdicts = verdicts,
  }
end

-- All verdicts of a level are asked for at the same time.
local function play(ctx, pairings, judge)
  local verdict_of = type(judge) == "function" and function_verdict or model_verdict
  local asks, verdicts, matches = {}, {}, json.array()
  for i, pair in ipairs(pairings) do
    verdicts[i] = {}
    for j, order in ipairs(orders_of(ctx, pair[1], pair[2])) do
      local number = #asks + 1
      asks[number] = function() verdicts[i][j] = verdict_of(ctx, judge, order[1], order[2], number) end
    end
  end
  ctx:all(asks)
  for i, pair in ipairs(pairings) do matches[i] = match_of(pair, verdicts[i]) end
  return matches
end

-- ---- what comes of it ---------------------------------------------------------------------------------

local function losers_of(matches)
  local lost = {}
  for _, match in ipairs(matches) do lost[match.loser] = true end
  return lost
end

local function split(seeds, lost)
  local remaining, eliminated = json.array(), json.array()
  for _, candidate in ipairs(seeds) do
    local list = lost[candidate.id] and eliminated or remaining
    list[#list + 1] = candidate.id
  end
  return remaining, eliminated
end

local function append(list, more)
  return table.move(more, 1, #more, #list + 1, list)
end

-- Each verdict is a ballot of the judge; one that cannot be read is discarded, and the log says so.
local function count_verdicts(ctx, matches, judge, decision)
  for _, match in ipairs(matches) do
    for _, verdict in ipairs(match.verdicts) do
      if verdict.reason then
        table.insert(decision.discarded, { voter = judge, reason = verdict.reason })
        ctx:log("warn", ("%s: no verdict on %s and %s: %s"):format(ctx.round.name, match.a, match.b, verdict.reason))
      elseif verdict.choice ~= TIE then
        table.insert(decision.ballots_used, { voter = judge, choice = verdict.choice, rationale = verdict.rationale })
      end
    end
  end
  decision.effective_voters = #decision.ballots_used
end

-- How many levels each one has survived, those before this one included.
local function scores_of(remaining, eliminated, earlier)
  local scores = {}
  for id, score in pairs(earlier.scores) do scores[id] = score end
  for _, id in ipairs(remaining) do scores[id] = (scores[id] or 0) + 1 end
  for _, id in ipairs(eliminated) do scores[id] = scores[id] or 0 end
  return scores
end

local function decide(level, earlier)
  local ranking = append(append(json.array(), level.remaining), level.lost)
  local last = #level.remaining == 1 and level.matches[1]
  local tie = last and last.tie or false
  return {
    rule = "pairwise_elimination", winner = #level.remaining == 1 and level.remaining[1] or nil,
    ranking = append(ranking, earlier.eliminated), scores = scores_of(level.remaining, level.lost, earlier),
    margin = last and not tie and 1 or 0, tie = tie, tied = tie and { last.a, last.b } or nil,
    ballots_used = json.array(), discarded = json.array(),
    detail = { matches = level.matches, still_in = #level.remaining > 1 and level.remaining or nil },
  }
end

local NO_LEVEL = { eliminated = {}, scores = {} }

-- What the level before this one has left, where there was one.
local function level_of(round)
  local eliminated = round.metadata.eliminated
  return eliminated and { eliminated = eliminated, scores = round.decision.scores } or NO_LEVEL
end

-- Those that were out before are out here too.
local function settle(ctx, seeds, lost, round)
  for _, id in ipairs(level_of(round).eliminated) do ctx.result.results[id] = round.results[id] end
  for _, candidate in ipairs(seeds) do
    ctx:settle(lost[candidate.id]
      and { member = candidate.id, status = "eliminated", metadata = { reason = "tournament_loss" } }
      or round.results[candidate.id])
  end
end

local function conclude(ctx, seeds, matches, round)
  local lost = losers_of(matches)
  local remaining, eliminated = split(seeds, lost)
  settle(ctx, seeds, lost, round)
  local before = level_of(round)
  local decision = decide({ remaining = remaining, lost = eliminated, matches = matches }, before)
  local metadata = ctx.result.metadata
  metadata.remaining, metadata.matches = remaining, matches
  metadata.eliminated = append(eliminated, before.eliminated)
  return decision
end

local function refuse(code, message)
  return nil, errors.new("validation", message, { code = code })
end

local function judge_of(ctx)
  return ctx.opts.judge or ctx.chair and ctx.chair.id
end

local function run(ctx)
  local judge = judge_of(ctx)
  if not judge then return refuse("missing", ctx.round.name .. " has no judge, and the council no chair") end
  local members, err = ctx:participants()
  if not members then return nil, err end
  local candidates, round = competing(ctx, members, judge)
  if #candidates == 0 then return refuse("nothing_to_review", "there is no answer to judge") end
  local seeds = seeded(ctx, candidates)
  local matches = play(ctx, paired(seeds), judge)
  local decision = conclude(ctx, seeds, matches, round)
  count_verdicts(ctx, matches, type(judge) == "string" and judge or "judge", decision)
  return decision
end

return {
  name = "pairwise_elimination",
  texts = "answers",
  about = { input_scope = "previous_round", sharing = "peers", anonymized = true, sequential = false },
  options = {
    judge = { type = "string|function", doc = "who judges: a member's id, or function(a, b, ctx) (the chair)",
      member = true },
    orders = { type = "string", doc = "ask once, or with the places swapped too (both; a function once)",
      enum = { "once", "both" } },
  },
  run = run,
  converged = function(_, current) return #current.metadata.remaining <= 1 end,
}
