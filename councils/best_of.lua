-- Best of n: one model answers four times, a judge scores the answers by a rubric, and the best one is the answer.
--
--     curia run best_of "Write a commit message for this change" -i change.diff

return topology "best_of" {
  name = "best_of",
  about = "Four attempts by one model; a judge scores them, and the best one counts as it stands.",
  n = 4,

  member "writer" {
    profile = "fast",
    temperature = 1.0,
    system = [[
Write what is asked for, in a form that can be used as it stands: no introduction, no explanation, no alternatives.]],
  },

  judge = {
    profile = "balanced",
    system = [[
You score texts by the criteria that you are given, each for itself. Use the whole scale: texts that differ get
different scores.]],
  },
}
