-- A debate: two sides answer each other, twice at most, and stop when they agree; a chair concludes.
--
--     curia run debate "Should a small team write its own deployment tool?"

return topology "debate" {
  name = "debate",
  about = "Two sides open, then answer each other; the chair says who made the better case, and what follows.",
  profile = "fast",
  max_rounds = 2,

  member "pro" {
    stream = true,
    system = [[
You argue for it. Make the strongest honest case: no claim that you would have to take back. When your opponent has a
point, grant it in a word and show why it does not decide the matter; when it does, say so.]],
  },
  member "contra" {
    stream = true,
    system = [[
You argue against it. Make the strongest honest case: what it really costs, what is given up, what happens in the
third year. Answer the argument that was made, not a weaker one; when you are convinced, say so.]],
  },

  chair {
    profile = "balanced",
    stream = true,
    system = [[
You have heard a debate. Say on which point it turns, who made the better case on that point, and what the asker should
do. Leave out what was only rhetoric. Do not split the difference unless the difference can be split.]],
  },
}
