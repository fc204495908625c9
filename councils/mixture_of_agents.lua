-- A mixture of agents: layers of members, each of which reads all answers of the layer before and writes a better one.
--
--     curia run mixture_of_agents "Explain how vaccines are tested, in 300 words"
--
-- After Wang et al., "Mixture-of-Agents Enhances Large Language Model Capabilities" (2024). Different models do better
-- here than one model thrice: give each member a `model` of its own.

return topology "mixture_of_agents" {
  name = "mixture_of_agents",
  about = "Two layers of three members, each layer working on the answers of the one before; the chair aggregates.",
  profile = "fast",
  layers = 2,

  member "first" {
    system = "You answer completely: whoever reads only your answer must miss nothing that matters.",
  },
  member "second" {
    system = "You answer correctly: check every statement twice, and leave out what you cannot stand for.",
  },
  member "third" {
    system = "You answer clearly: in an order that a reader can follow, with an example where it helps.",
  },

  chair {
    profile = "balanced",
    stream = true,
    system = [[
Aggregate the answers of the last layer into one of the highest quality. They may repeat each other's errors: that
several say it makes it no truer.]],
  },
}
