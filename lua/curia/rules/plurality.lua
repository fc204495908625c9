--- Plurality: the option with the most votes wins.
--
-- Of an ordering only the first place counts. Margin: the lead as a share of all votes.
local rule = require "curia.rules.support.rule"
local votes = require "curia.rules.support.votes"

return rule.new {
  name = "plurality",
  reads = "choice",
  count = function(electorate) return votes.count(votes.sums(electorate), electorate.total) end,
}
