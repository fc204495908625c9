--- Peer ranking: each judge orders the answers of the others.
--
-- A judge that ranks k answers gives the one in place p the share (k - p) / (k - 1) of a point (1 for
-- a sole answer): Borda's count (1784), scaled so that judges who may not rank themselves weigh the
-- same. An option's score is its mean over the judges that ranked it, so what a judge leaves out it does not judge; an
-- option that nobody ranked is not ranked. Ties go to the better mean position. Margin: the difference of the scores.
local decision = require "curia.rules.support.decision"
local rule = require "curia.rules.support.rule"

local function tally(ordering, weight, sums)
  local count = #ordering
  local step = count > 1 and weight / (count - 1) or 0
  for place = 1, count do
    local id = ordering[place]
    local sum = sums[id]
    if not sum then
      sum = { points = 0, positions = 0, weight = 0, judges = 0 }
      sums[id] = sum
    end
    sum.points = sum.points + weight - (place - 1) * step
    sum.positions = sum.positions + weight * place
    sum.weight = sum.weight + weight
    sum.judges = sum.judges + 1
  end
end

local function count(electorate)
  local sums, scores, positions, nearness, judges = {}, {}, {}, {}, {}
  for i, ordering in ipairs(electorate.votes) do
    if electorate.weights[i] > 0 then tally(ordering, electorate.weights[i], sums) end
  end
  for id, sum in pairs(sums) do
    scores[id], positions[id], judges[id] = sum.points / sum.weight, sum.positions / sum.weight, sum.judges
    nearness[id] = -positions[id]
  end
  return {
    scores = scores, compare = decision.greater(scores, nearness),
    margin = function(first, second) return decision.share(scores[first] - scores[second], 1) end,
    detail = { avg_position = positions, judges = judges },
  }
end

return rule.new { name = "peer_ranking", reads = "ordering", count = count }
