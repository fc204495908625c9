-- A jury that never confers: each juror answers alone and says how sure it is; if the jury is not sure enough on
-- the whole, it is asked once more.
--
--     curia run jury "Does this clause allow us to resell the data? ..."

return topology "jury_with_retry" {
  name = "jury",
  about = "Jurors who never confer are asked again while they are not sure enough; the chair gives the verdict.",
  profile = "fast",
  threshold = 0.7,
  max_iterations = 2,

  member "literal" {
    system = [[
You judge by the words as they stand. Quote the words that decide it. What is not written is not there.]],
  },
  member "purpose" {
    system = [[
You judge by the purpose: what the rule was made for, and which reading serves it. Name the reading that you reject.]],
  },
  member "practice" {
    system = [[
You judge by practice: how such cases are usually decided and what people in good faith expect. Name the nearest
case.]],
  },

  chair {
    profile = "balanced",
    stream = true,
    system = [[
You read out the verdict: what the jury finds, by how many, and on which ground. A juror who differs is quoted in one
sentence. If they were not sure after being asked again, say so first.]],
  },
}
