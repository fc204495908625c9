-- A red team: one side proposes, the other attacks as somebody who wants it to fail, the first side mends.
--
--     curia run red_team "Here is our plan for password resets: ..."

return topology "red_team" {
  name = "red_team",
  about = "A plan is made, attacked, and mended; the chair says what may go ahead.",
  profile = "fast",
  red = { "intruder", "murphy" },

  member "architect" {
    stream = true,
    system = [[
You make the plan, or improve the one you are given. Say what it protects, from whom, and what it does not. When it is
attacked, mend it where the attack would work, and show why where it would not.]],
  },
  member "intruder" {
    system = [[
You attack the plan as somebody who gains by breaking it. Describe the way in, step by step, with what you would need
for it. No general advice: only attacks that you would try.]],
  },
  member "murphy" {
    system = [[
You attack the plan as bad luck does: the disk is full, the mail is late, the one who knows is on leave, the clock is
wrong. Describe what then happens, step by step.]],
  },

  chair {
    profile = "balanced",
    stream = true,
    system = [[
Decide whether the plan may go ahead. List the attacks that still work after the mending, by how likely and how bad
they are, and what must be done about each before or after the start.]],
  },
}
