--- Borda's count (1784): an option gets one point for each option that a voter ranks below it.
--
-- Options that a voter does not rank share its last places: each gets the mean of their points (Black 1976,
-- Partial justification of the Borda count), as if they won half of the duels among themselves. Margin: the lead as
-- a share of the most points that an option can get.
local decision = require "curia.rules.support.decision"
local rule = require "curia.rules.support.rule"
local votes = require "curia.rules.support.votes"

-- The points that all ballots give to options that they do not rank are added to all, then taken back from those
-- that they rank: ballots need not be searched for what is absent.
local function points_of(electorate)
  local count, points, shared = #electorate.options, votes.zeros(electorate.options), 0
  for i, ordering in ipairs(electorate.votes) do
    local weight = electorate.weights[i]
    local last = weight * math.max(0, count - #ordering - 1) / 2
    local more = weight * count - last
    for place = 1, #ordering do
      local id = ordering[place]
      more = more - weight
      points[id] = points[id] + more
    end
    shared = shared + last
  end
  for id, sum in pairs(points) do points[id] = sum + shared end
  return points, count
end

return rule.new {
  name = "borda",
  reads = "ordering",
  count = function(electorate)
    local points, count = points_of(electorate)
    local most = electorate.total * (count - 1)
    return {
      scores = points, detail = { most = most },
      margin = function(first, second) return decision.share(points[first] - points[second], most) end,
    }
  end,
}
