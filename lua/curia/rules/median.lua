--- Median confidence: of the options that were chosen, the one whose voters' median confidence is highest wins,
-- however many they are.
--
-- With weights it is the weighted median: the least confidence at or below which half of the weight lies, or its mean
-- with the next where it is half exactly (Edgeworth 1888), as for an even number of equal voters. A ballot without
-- a confidence is discarded, unless `default_confidence` says what it is. An option that nobody chose has no median
-- and is not ranked. Margin: the difference of the medians.
local decision = require "curia.rules.support.decision"
local rule = require "curia.rules.support.rule"

-- The confidences that were given to each option, least first, with the weights behind them.
local function given_to(electorate)
  local by_option = {}
  for i, vote in ipairs(electorate.votes) do
    local weight = electorate.weights[i]
    local given = by_option[vote.option] or { total = 0 }
    if weight > 0 then
      given.total = given.total + weight
      given[#given + 1] = { value = vote.confidence, weight = weight }
      by_option[vote.option] = given
    end
  end
  for _, given in pairs(by_option) do table.sort(given, function(a, b) return a.value < b.value end) end
  return by_option
end

local function median(given)
  local half, below = decision.rounded(given.total / 2), 0
  for i, entry in ipairs(given) do
    below = below + entry.weight
    local at = decision.rounded(below)
    if at > half or i == #given then return entry.value end
    if at == half then return (entry.value + given[i + 1].value) / 2 end
  end
end

return rule.new {
  name = "median",
  reads = "confidence",
  options = {
    default_confidence = { type = "number", min = 0, max = 1, doc = "of ballots that have none" },
  },
  count = function(electorate)
    local medians, voters = {}, {}
    for id, given in pairs(given_to(electorate)) do medians[id], voters[id] = median(given), #given end
    return {
      scores = medians, detail = { voters = voters },
      margin = function(first, second) return decision.share(medians[first] - medians[second], 1) end,
    }
  end,
}
