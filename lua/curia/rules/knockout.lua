--- Knockout: duels in a bracket, counted on orderings; who loses one is out.
--
-- The options are seeded by Borda's count, equal ones by id; at each level the best plays the worst, the second best
-- the second worst, and so on, and where their number is odd the best goes on without a duel. A tied duel goes to the
-- better seed; only the last can be a tie of the decision. A score is the number of levels survived; unranked options
-- as in copeland. What the bracket decides is known to hang on the seeds (Black 1958). Margin: the lead in the last
-- duel as a share of all votes.
local decision = require "curia.rules.support.decision"
local duels = require "curia.rules.support.duels"
local json = require "curia.json"
local rule = require "curia.rules.support.rule"

-- The votes for an option less those against it, over all its duels: twice Borda's points less their mean.
local function seeded(votes, options)
  local points, seeds = {}, {}
  for i, a in ipairs(options) do
    points[a], seeds[i] = 0, a
    for b, support in pairs(votes[a]) do points[a] = points[a] + support - votes[b][a] end
  end
  return decision.sort(seeds, decision.greater(points))
end

local function play(votes, a, b)
  local won = votes[b][a] > votes[a][b] and b or a
  return won, { a = a, b = b, votes = { votes[a][b], votes[b][a] }, winner = won,
    tie = votes[a][b] == votes[b][a] }
end

local function nearness(seeds)
  local near = {}
  for place, id in ipairs(seeds) do near[id] = -place end
  return near
end

-- One level: who goes on, in the order of the seeds, and the duels.
local function level(votes, standing)
  local goes_on, matches, count = {}, json.array(), #standing
  local byes = count % 2
  if byes == 1 then goes_on[standing[1]] = true end
  for i = 1, count // 2 do
    local won, match = play(votes, standing[i + byes], standing[count + 1 - i])
    goes_on[won], matches[i] = true, match
  end
  local left = {}
  for _, id in ipairs(standing) do
    if goes_on[id] then left[#left + 1] = id end
  end
  return left, matches
end

local function last_tied(levels)
  local last = levels[#levels] and levels[#levels][1]
  if not last or not last.tie then return nil end
  local tied = json.array { last.a, last.b }
  table.sort(tied)
  return tied
end

return rule.new {
  name = "knockout",
  reads = "ordering",
  count = function(electorate)
    local votes, scores, levels = duels.count(electorate), {}, json.array()
    local seeds = seeded(votes, electorate.options)
    local standing = seeds
    for _, id in ipairs(seeds) do scores[id] = 0 end
    while #standing > 1 do
      standing, levels[#levels + 1] = level(votes, standing)
      for _, id in ipairs(standing) do scores[id] = scores[id] + 1 end
    end
    local tied = last_tied(levels)
    if tied then scores[standing[1]] = scores[standing[1]] - 1 end
    return {
      scores = scores, compare = decision.greater(scores, nearness(seeds)), heads = tied,
      detail = { seeds = seeds, levels = levels },
      margin = function(first, second)
        return decision.share(votes[first][second] - votes[second][first], electorate.total)
      end,
    }
  end,
}
