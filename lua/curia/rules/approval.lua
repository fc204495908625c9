--- Approval voting (Brams and Fishburn 1978): each voter approves any number of options; the most approved wins.
--
-- What a voter does not name it does not approve of. Margin: the lead as a share of all voters.
local rule = require "curia.rules.support.rule"
local votes = require "curia.rules.support.votes"

return rule.new {
  name = "approval",
  reads = "approvals",
  count = function(electorate)
    local sums = votes.zeros(electorate.options)
    for i, approved in ipairs(electorate.votes) do
      local weight = electorate.weights[i]
      for _, id in ipairs(approved) do sums[id] = sums[id] + weight end
    end
    return votes.count(sums, electorate.total)
  end,
}
