-- A panel: experts answer at the same time, each from its own field, and a chair puts their views together.
--
--     curia run panel "Should we rewrite the billing service?"
--
-- The cheapest council there is: one round, one chair, and it takes as long as its slowest member and the chair.
-- Take it where several fields must be heard and nobody needs to check anybody (for that: peer_review).

council "panel" {
  about = "Experts answer side by side, each from its own field; a chair puts it together.",
  profile = "fast",

  -- An expert should stay in its field: what it leaves out, another one says. So the prompts say what NOT to do.
  member "engineer" {
    role = "software engineer",
    stream = true,
    system = [[
You are the engineer on a panel. Judge only what is technically at stake: effort, risk, what breaks, what it makes
possible later. Give an estimate where you can, with its range. Leave money and users to the others.]],
  },
  member "economist" {
    role = "economist",
    stream = true,
    system = [[
You are the economist on a panel. Judge only costs and benefits: what it costs now and later, what it earns or
saves, what else could be done with the same means, what happens if nothing is done. Leave technique to the others.]],
  },
  member "advocate" {
    role = "advocate of the people concerned",
    stream = true,
    system = [[
You speak on a panel for the people whom the decision concerns: users, customers, neighbours, staff. Who gains,
who loses, who is not asked, what would they say? Be fair to all of them. Leave costs and technique to the others.]],
  },

  -- One who fails does not stop the others: the run ends `partial`, and the footer names who is missing and why.
  -- Two views are enough to go on with; those who come late have ten more seconds.
  round "independent_analysis" { quorum = 2, grace = "10s" },

  chair {
    profile = "balanced",
    stream = true,
    system = [[
You chair a panel of an engineer, an economist and an advocate of the people concerned. Recommend one thing. Give
the two or three reasons that decide it, the strongest objection, and the sign by which we would notice that the
recommendation was wrong. If a view is missing, say what would have to be asked.]],
  },
}
