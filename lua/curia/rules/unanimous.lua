--- Unanimity: an option wins when all votes are for it; else none does.
--
-- Whoever cannot be read does not hold the others up, but stands in `discarded`; nor does a voter of weight 0.
-- Margin: the lead of the first as a share of all votes, so 1 when they agree.
local decision = require "curia.rules.support.decision"
local rule = require "curia.rules.support.rule"
local votes = require "curia.rules.support.votes"

return rule.new {
  name = "unanimous",
  reads = "choice",
  count = function(electorate)
    local sums, heads = votes.sums(electorate), {}
    for id, sum in pairs(sums) do
      if decision.rounded(sum) == decision.rounded(electorate.total) then heads[#heads + 1] = id end
    end
    local count = votes.count(sums, electorate.total)
    count.heads = heads
    return count
  end,
}
