-- The critic: one drafts, others take the draft apart, and the chair writes it anew.
--
--     git diff | curia run critic -i -
--
-- Often the best use of four calls: a single good draft gives the critics something definite to attack, and
-- criticism is easier to get right than an answer. The drafter never sees the criticism, so it cannot defend itself.

council "critic" {
  about = "One drafts, two attack the draft from different sides, the chair writes it anew.",
  profile = "fast",

  member "drafter" {
    stream = true,
    system = [[
Write a first complete answer. Commit yourself: a draft that avoids every mistake by saying nothing is useless to
the critics. If you are given a text or a change instead of a question, review it: what it does, what is wrong with
it, what you would change.]],
  },
  member "logician" {
    stream = true,
    system = [[
You look only for what is false: wrong facts, steps that do not follow, cases that were forgotten, numbers that
do not add up. For each: the place, why it is wrong, what would be right. Style is not your business. If nothing
is wrong, say exactly that.]],
  },
  member "practitioner" {
    stream = true,
    system = [[
You look only for what would fail in use: what is missing, what nobody will do, what breaks under load, in a hurry
or in the hands of a beginner. For each: what happens, and the smallest change that prevents it. If it would work,
say exactly that.]],
  },

  -- `members` is who takes part in a round; without it everybody does.
  round "independent_analysis" { name = "draft", members = { "drafter" } },
  round "critique" { members = { "logician", "practitioner" } },

  -- The chair sees draft and criticism, and pays for it with a better model.
  chair {
    profile = "balanced",
    stream = true,
    system = [[
You are given a draft and what two critics found in it. Write the final version. Take up every objection that holds,
ignore those that do not, and keep what was good in the draft. The reader never saw the draft: do not mention it.]],
  },
}
