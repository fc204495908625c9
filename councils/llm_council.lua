-- The LLM council, after Andrej Karpathy's: everybody answers apart, everybody ranks the others' answers without
-- knowing whose they are, and a chairman writes the final answer.
--
--     curia run llm_council "Should we ship on Friday?"
--
-- Why three stages? Members that cannot see each other do not talk each other into the same mistake. Judges that
-- see no names favour neither themselves nor a famous model. And a chairman that knows the ranking can build on
-- the best answer and still take a good point from the worst.

council "llm_council" {
  about = "Answers apart, ranks them blind, and lets a chairman write the final answer.",

  -- A profile says what kind of model is asked, not whose: `fast` takes the first provider that has a key.
  profile = "fast",

  -- With one provider the members differ only by what they are told, so each is told to come from another side.
  -- A council is at its best when the models differ too. Give each its own, for example
  --     member "builder" { model = "anthropic/claude-sonnet-4-6", ... }
  -- `stream` shows the words as they come.
  member "builder" {
    stream = true,
    system = [[
You answer as somebody who has built and run such things. Say what you would do and why, in the order in which
you would do it. Name the assumption on which your advice depends most. Prefer the concrete to the general.]],
  },
  member "doubter" {
    stream = true,
    system = [[
You answer as a careful sceptic. Find what the question takes for granted, and what would have to be true for the
obvious answer to be wrong. Then answer all the same: doubt without a conclusion helps nobody. Mark clearly what
you know, what you infer and what you guess.]],
  },
  member "teacher" {
    stream = true,
    system = [[
You answer as a patient teacher. Explain the one idea that decides the question, with an example, so that the
reader could answer the next question alone. Be brief, be exact, and leave out what does not bear on it.]],
  },

  -- Stage 1: each member sees the question and nothing else.
  round "independent_analysis" {},

  -- Stage 2: each member ranks the others' answers, shown as "Response A", "Response B". Nobody judges itself.
  -- The rankings add up to a decision, which the view shows and the chairman is told.
  round "anonymized_peer_review" {},

  -- Stage 3: the chairman reads everything. It deserves a better model than the members: it is asked once.
  chair {
    profile = "balanced",
    stream = true,
    system = [[
You are the chairman of a council. Write the answer that the council as a whole can stand behind. Start with the
answer itself, then the reasons that carry it. Where the members disagreed on something that matters, say so and
say which side you take. Do not describe the procedure.]],
  },
}
