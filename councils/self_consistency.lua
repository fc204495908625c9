-- Self-consistency: one model answers several times, and the answer that comes most often counts.
--
--     curia run self_consistency "A bat and a ball cost 1.10 together; the bat costs 1 more. What does the ball cost?"
--
-- Take it for questions with a short answer that can be compared: numbers, choices, yes or no. It stops as soon as no
-- answer that is still to come could change the winner.

return topology "self_consistency" {
  name = "self_consistency",
  about = "One model answers up to seven times; the answer that comes most often counts.",
  profile = "fast",
  samples = 7,
  ["until"] = "unassailable",

  member "solver" {
    temperature = 0.8,
    system = [[
Work the problem out step by step. End with one line of the form "Answer: X", where X is the bare answer: a number with
its unit, a name, or yes or no.]],
  },
}
