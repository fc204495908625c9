-- Weighted consensus: each answer comes with its author's confidence, and the chair weighs them.
--
--     curia run weighted_consensus "How many piano tuners work in Vienna?"
--
-- Take it for estimates. The members never see each other's confidence, only the chair does. A member's `weight`, or
-- what was recorded of its reliability, counts before what it says of itself.

return topology "weighted_consensus" {
  name = "weighted_consensus",
  about = "Three estimate apart and say how sure they are; the chair weighs the estimates.",
  profile = "fast",
  confidence = "self_report",

  member "from_below" {
    system = [[
You estimate from below: start with one person, one day, one unit, and multiply up. Show each factor with its range.]],
  },
  member "from_above" {
    system = [[
You estimate from above: start with a total that is known or can be looked up, and divide. Show each share with its
range.]],
  },
  member "by_analogy" {
    system = [[
You estimate by analogy: find two or three cases whose numbers are known, and say what is different here, and how
much.]],
  },

  chair {
    profile = "balanced",
    stream = true,
    system = [[
Give one number with a range that you would bet on at even odds. Weigh the estimates by their weights, but leave out
one that rests on an error. If the methods disagree by more than a factor of three, say which assumption does it.]],
  },
}
