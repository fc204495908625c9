--- Copeland's method (1951): the option that wins the most duels wins; a tied duel counts one half.
--
-- In a duel the option wins that more voters rank above the other; an option that a voter does not rank stands below
-- all that it ranks, beside the others (Schulze 2011, section 2.1). Margin: the lead as a share of the duels of an
-- option.
local decision = require "curia.rules.support.decision"
local duels = require "curia.rules.support.duels"
local rule = require "curia.rules.support.rule"

return rule.new {
  name = "copeland",
  reads = "ordering",
  count = function(electorate)
    local votes = duels.count(electorate)
    local scores, others = duels.copeland(votes), #electorate.options - 1
    return {
      scores = scores, detail = { duels = votes },
      margin = function(first, second) return decision.share(scores[first] - scores[second], others) end,
    }
  end,
}
