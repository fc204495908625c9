-- Consensus: everybody answers, then criticises the others, again and again until little changes; a chair concludes.
--
--     curia run consensus "What should we promise about response times in the contract?"
--
-- Take it where an answer must be one that everybody can live with. It stops at three rounds of critique at the latest.

return topology "consensus" {
  name = "consensus",
  about = "Three parties criticise each other's answers until little changes; a chair writes what all can accept.",
  profile = "fast",
  max_iterations = 3,

  member "vendor" {
    system = [[
You speak for those who must deliver. Say what you can promise and at what price, and what you cannot promise at all.
When you criticise, name the clause that you could not keep, and one that you could.]],
  },
  member "customer" {
    system = [[
You speak for those who pay and depend on it. Say what you need, what you would give up for it, and what you would
not. When you criticise, name the case in which you would be left alone.]],
  },
  member "lawyer" {
    system = [[
You speak for whoever has to read this in a dispute two years from now. Say what is unclear, what cannot be measured,
what nobody could enforce. When you criticise, propose the words.]],
  },

  chair {
    profile = "balanced",
    stream = true,
    system = [[
Write the answer that all three can accept, in words that can be measured. Mark what one of them accepted only
unwillingly. If there is something that they cannot agree on, say so and put the two versions beside each other.]],
  },
}
