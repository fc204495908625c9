--- Instant-runoff voting (Ware 1871): while several stand, the one that is first on the fewest ballots leaves.
--
-- A ballot counts for the first option on it that still stands; when it names none of those it is exhausted. Options
-- that are first on no ballot leave together. Several may tie for the last place; then each way to go on is followed
-- (parallel-universes tie-breaking: Conitzer, Rognlie and Xia 2009), and all that win in one of them are tied for the
-- win; `detail.rounds` tells of the way that elects the winner. Score: the votes in the last round in which the option
-- stood. Margin: the lead in the last round as a share of its votes.
local decision = require "curia.rules.support.decision"
local json = require "curia.json"
local rule = require "curia.rules.support.rule"

-- With more options standing than this, those that tie for the last place leave together, and all are tied when all do:
-- the number of ways doubles with each option.
local MOST_TO_FOLLOW = 8

-- The first option on a ballot that is in a set.
local function first_of(ordering, set)
  for place = 1, #ordering do
    if set[ordering[place]] then return ordering[place] end
  end
end

-- A pile holds the numbers of ballots and counts their votes; one that grows is laid upon what it was, since other
-- rounds hold that too.
local function grown(piles, id)
  piles[id] = { votes = piles[id].votes, below = piles[id] }
  return piles[id]
end

-- Gives the ballots of a pile to the options that are first on them now.
local function hand_out(electorate, pile, piles)
  local new = {}
  while pile do
    for i = 1, #pile do
      local number = pile[i]
      local id = first_of(electorate.votes[number], piles)
      if id then
        local top = new[id] or grown(piles, id)
        new[id], top[#top + 1], top.votes = top, number, top.votes + electorate.weights[number]
      end
    end
    pile = pile.below
  end
  -- Sums of floats lose the bits in which equal ones may differ.
  for _, top in pairs(new) do top.votes = decision.rounded(top.votes) end
end

local function without(standing, leaving)
  local gone, left = {}, {}
  for _, id in ipairs(leaving) do gone[id] = true end
  for _, id in ipairs(standing) do
    if not gone[id] then left[#left + 1] = id end
  end
  return left
end

local function extremes(standing, piles)
  local most, fewest = -math.huge, math.huge
  for i = 1, #standing do
    local votes = piles[standing[i]].votes
    if votes > most then most = votes end
    if votes < fewest then fewest = votes end
  end
  return most, fewest
end

local function with_votes(standing, piles, votes)
  local list = {}
  for i = 1, #standing do
    if piles[standing[i]].votes == votes then list[#list + 1] = standing[i] end
  end
  return list
end

local function one_by_one(ids)
  local ways = {}
  for i, id in ipairs(ids) do ways[i] = { id } end
  return ways
end

-- What there is to know of a round: the ways to go on, each a list of who leaves, and who has won already.
local function judged(round)
  local standing, piles, counted = round.standing, round.piles, 0
  for i = 1, #standing do counted = counted + piles[standing[i]].votes end
  local most, fewest = extremes(standing, piles)
  local last = with_votes(standing, piles, fewest)
  local together = #last == 1 or fewest == 0 or #last < #standing and #standing > MOST_TO_FOLLOW
  round.counted, round.last, round.ways = counted, last, together and { last } or one_by_one(last)
  round.leader = 2 * most > counted and with_votes(standing, piles, most) or nil
  return round
end

local function first_round(electorate)
  local all, piles = {}, {}
  for i = 1, #electorate.votes do all[i] = i end
  for _, id in ipairs(electorate.options) do piles[id] = { votes = 0 } end
  hand_out(electorate, all, piles)
  return judged { standing = electorate.options, piles = piles }
end

local function round_after(electorate, before, standing, leaving)
  local piles = {}
  for _, id in ipairs(standing) do piles[id] = before.piles[id] end
  for _, id in ipairs(leaving) do hand_out(electorate, before.piles[id], piles) end
  return judged { standing = standing, piles = piles }
end

-- The round that follows when some leave. Rounds are known by who stands in them.
local function follow(contest, round, leaving)
  local standing = without(round.standing, leaving)
  local key = table.concat(standing, "\0")
  local known = contest.rounds[key]
  if not known then
    known = round_after(contest.electorate, round, standing, leaving)
    contest.rounds[key] = known
  end
  return known
end

local winners_of

-- The union over all ways to go on.
local function winners_by_any_way(contest, round)
  local set, winners = {}, {}
  for _, leaving in ipairs(round.ways) do
    for _, id in ipairs(winners_of(contest, follow(contest, round, leaving))) do set[id] = true end
  end
  for _, id in ipairs(round.standing) do
    if set[id] then winners[#winners + 1] = id end
  end
  return winners
end

-- Who may win from a round on. Nobody can overtake an option that has more than half of the votes.
function winners_of(contest, round)
  if not round.winners then
    local standing = round.standing
    local stalled = #round.last == #standing and (#standing == 1 or #standing > MOST_TO_FOLLOW)
    round.winners = round.leader or stalled and standing or winners_by_any_way(contest, round)
  end
  return round.winners
end

local function holds(list, wanted)
  for _, id in ipairs(list) do
    if id == wanted then return true end
  end
  return false
end

-- Of the ways that elect the winner the one in which the last by id leaves.
local function way_to(contest, round, winner)
  if #round.ways == 1 then return without(round.last, { winner }) end
  for i = #round.ways, 1, -1 do
    local leaving = round.ways[i]
    if leaving[1] ~= winner and holds(winners_of(contest, follow(contest, round, leaving)), winner) then
      return leaving
    end
  end
end

local function votes_in(round)
  local votes = {}
  for id, pile in pairs(round.piles) do votes[id] = pile.votes end
  return votes
end

-- The rounds that elect the winner, as they are told, with each option's votes and place at the end.
local function tell(contest, round, winner)
  local told, scores, left = json.array(), {}, {}
  while #round.standing > 1 do
    local leaving, votes = way_to(contest, round, winner), votes_in(round)
    told[#told + 1] = {
      votes = votes, exhausted = decision.rounded(contest.electorate.total - round.counted),
      eliminated = json.array(leaving), tied = #round.last > 1 and json.array(round.last) or nil,
    }
    for id, count in pairs(votes) do scores[id], left[id] = count, #told end
    round = follow(contest, round, leaving)
  end
  left[winner], scores[winner] = #told + 1, scores[winner] or round.counted
  return told, scores, left
end

local function last_lead(told, winner)
  local votes, best, sum = told[#told].votes, 0, 0
  for id, count in pairs(votes) do
    sum = sum + count
    if id ~= winner then best = math.max(best, count) end
  end
  return decision.share(votes[winner] - best, sum)
end

return rule.new {
  name = "instant_runoff",
  reads = "ordering",
  count = function(electorate, _, pick)
    local contest = { electorate = electorate, rounds = {} }
    local first = first_round(electorate)
    local tied = winners_of(contest, first)
    local winner = #tied > 1 and pick(tied) or tied[1]
    local told, scores, left = tell(contest, first, winner)
    return {
      scores = scores, compare = decision.greater(left), heads = json.array(tied), detail = { rounds = told },
      margin = function() return last_lead(told, winner) end,
    }
  end,
}
