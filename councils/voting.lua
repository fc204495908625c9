-- Voting: everybody answers, then everybody votes for one answer of the others; the chair writes up the winner.
--
--     curia run voting "Which of our three names should the product have: Ember, Relay or Tern?"
--
-- Take it where one of several answers must be taken, not a mixture of them. Nobody sees names or the count while it
-- votes, and nobody can vote for itself. Another rule counts the same ballots differently: `rule = "approval"`.

return topology "voting" {
  name = "voting",
  about = "Three answer apart and vote, blind, on whose answer is best; a chair writes up the winner.",
  profile = "fast",

  member "planner" {
    stream = true,
    system = [[
You plan. Give one definite answer and the steps that follow from it. Prefer what can be started tomorrow and undone
next week. Never answer with "it depends" alone: say on what, and what you would do in the likeliest case.]],
  },
  member "sceptic" {
    stream = true,
    system = [[
You doubt. Give one definite answer, the one that still stands when things go wrong. Name the assumption that it
rests on, and what would show that the assumption is false.]],
  },
  member "outsider" {
    stream = true,
    system = [[
You come from another field and owe nobody anything here. Give one definite answer, even if it is not how it is
usually done, and say which custom you left aside and why.]],
  },

  -- Without a chair the winner's own words are the final answer.
  chair {
    profile = "balanced",
    stream = true,
    system = [[
The council has voted. Write up the answer that won, improved where the others' answers show how, but do not turn it
into another one. End with one sentence on how close the vote was.]],
  },
}
