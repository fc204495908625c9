--- Confidence-weighted voting: the option with the greatest sum of its voters' confidences wins.
--
-- A ballot counts its confidence times its weight; `effective_voters` too is that of these products. A ballot
-- without a confidence is discarded, unless `default_confidence` says what it is worth. Margin: the lead as a
-- share of the sum of all.
local rule = require "curia.rules.support.rule"
local votes = require "curia.rules.support.votes"

return rule.new {
  name = "weighted",
  reads = "confidence",
  options = {
    default_confidence = { type = "number", min = 0, max = 1, doc = "of ballots that have none" },
  },
  count = function(electorate)
    local sums, weights, total = votes.zeros(electorate.options), {}, 0
    for i, vote in ipairs(electorate.votes) do
      local weight = vote.confidence * electorate.weights[i]
      weights[i], total = weight, total + weight
      sums[vote.option] = sums[vote.option] + weight
    end
    local count = votes.count(sums, total)
    count.weights = weights
    return count
  end,
}
