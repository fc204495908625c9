--- Majority: an option wins with more than half of the votes, or with more than `threshold` of them; else none does.
--
-- May (1952): between two options, this alone treats voters alike, options alike, and heeds each vote. A tie leaves
-- it without a winner, so it is none to be broken. Margin: the lead of the first as a share of all votes.
local rule = require "curia.rules.support.rule"
local votes = require "curia.rules.support.votes"

return rule.new {
  name = "majority",
  reads = "choice",
  options = {
    threshold = { type = "number", min = 0.5, max = 1, default = 0.5, doc = "the share of the votes to be exceeded" },
  },
  count = function(electorate, opts)
    local sums = votes.sums(electorate)
    local count = votes.count(sums, electorate.total)
    count.heads = votes.above(sums, electorate.total * opts.threshold)
    count.detail = { threshold = opts.threshold }
    return count
  end,
}
