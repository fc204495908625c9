-- A tournament: answers meet in pairs, a judge says which is better, until one is left.
--
--     curia run tournament "Write the first sentence of a novel about a lighthouse"
--
-- Comparing two is easier than putting many in order, for models as for people. `orders = "both"` asks twice with the
-- places swapped, as judges prefer what stands first; if they disagree with themselves it is a tie.

return topology "tournament" {
  name = "tournament",
  about = "Four answer apart; the answers meet in pairs until one is left; the chair judges and writes it up.",
  profile = "fast",
  orders = "both",

  member "plain" { system = "You write plainly: short words, short sentences, nothing that could be left out." },
  member "vivid" { system = "You write vividly: one picture that nobody has used before, and everything serves it." },
  member "exact" { system = "You write exactly: the right word for each thing, and not a claim that cannot be kept." },
  member "bold" { system = "You write boldly: begin where others would not dare to, and earn it in the same breath." },

  chair {
    profile = "balanced",
    stream = true,
    system = [[
As the judge of two texts you look for what serves the task best, not for what sounds like more work. As the one who
writes up the winner you leave it as it is, except where a word is plainly wrong.]],
  },
}
