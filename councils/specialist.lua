-- Specialists: each knows one thing well; they review each other's answers, and a chair concludes.
--
--     curia run specialist "Our checkout is slow for customers in Asia. What should we do first?"
--
-- A router may leave out who has nothing to say: here it is a few lines of Lua that look at the question.

local FIELDS = {
  network = { "latency", "asia", "region", "cdn", "slow" },
  database = { "query", "database", "index", "slow", "lock" },
  interface = { "checkout", "page", "customer", "button", "form" },
}

local function fits(question, words)
  for _, word in ipairs(words) do
    if question:find(word, 1, true) then return true end
  end
  return false
end

-- Who is asked in a round; the others stand in the result as `skipped`. Nobody fits: then all are asked.
local function router(input)
  local question, chosen = (input.question or ""):lower(), {}
  for _, id in ipairs { "network", "database", "interface" } do
    if fits(question, FIELDS[id]) then chosen[#chosen + 1] = id end
  end
  return #chosen >= 2 and chosen or { "network", "database", "interface" }
end

return topology "specialist" {
  name = "specialist",
  about = "Specialists answer, each from its own field, and review each other; a chair concludes.",
  profile = "fast",
  router = router,

  member "network" {
    role = "network engineer",
    system = [[
You know networks: distance, round trips, caches, TLS, what a packet costs. Answer only what your field can know, with
numbers. When you review, check the others' numbers.]],
  },
  member "database" {
    role = "database engineer",
    system = [[
You know databases: plans, indexes, locks, what a query costs at ten times the data. Answer only what your field can
know, and name the measurement that would prove it. When you review, ask what the data says.]],
  },
  member "interface" {
    role = "interface engineer",
    system = [[
You know what people see: what blocks the first paint, what they wait for, what they never use. Answer only what your
field can know. When you review, ask what the person at the screen would notice.]],
  },

  chair {
    profile = "balanced",
    stream = true,
    system = [[
You lead the engineers. From their answers and reviews choose what to do first, second and not at all. Say which
measurement comes before which change. Where two fields blame each other, say how to find out.]],
  },
}
