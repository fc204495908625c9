--- The councils of the kill campaign: one of every topology, and what depends on order and time.
local curia = require "curia"

local IDS = { "ann", "bob", "cat", "dan" }

local function seats(more)
  local list = {}
  for i, id in ipairs(IDS) do
    list[i] = { id = id, provider = "mock", model = id }
    for name, value in pairs(more or {}) do list[i][name] = value end
  end
  return list
end

local CHAIR = { provider = "mock", model = "chair" }

local function council(name, body)
  body.members = body.members or seats()
  return curia.council(name)(body)
end

local look = curia.tool "look" {
  about = "looks", idempotent = true, parameters = { type = "object" }, run = function() return "seen" end,
}

local function free(ctx)
  local first = ctx:ask("ann").response.content
  local all = ctx:all {
    function() return ctx:ask("bob", "after " .. first).response.content end,
    function() return ctx:ask("cat", "beside " .. first).response.content end,
  }
  local step = ctx:step("sum", function() return #all[1] + #all[2] end)
  ctx:sleep(5)
  return ("%d %s"):format(step, ctx:ask("dan", table.concat(all, "\n"):rep(40)).response.content)
end

-- Asks others at the same time, and from within a step.
local consult = curia.tool "consult" {
  about = "asks others", idempotent = true, parameters = { type = "object" }, run = function(_, ctx)
    local function ask(id, about) return ctx:ask(id, about .. ctx.run_id, { keep = false }).response.content end
    local both = ctx:all { function() return ask("cat", "first of ") end, function() return ask("dan", "second of ") end }
    local third = ctx:step("third", function() return ask("cat", both[2]) end)
    return ("%s %s %s"):format(both[1], third, ctx:random())
  end,
}

local function consulting()
  local members = seats()
  members[1].tools, members[2].tools = { consult }, { consult }
  return members
end

local inner = council("inner", { rounds = { "independent_analysis", "synthesis" }, chair = CHAIR })

--- The councils by name.
return {
  panel = council("panel", { rounds = { "independent_analysis", "critique", "synthesis" }, chair = CHAIR }),
  review = council("review", { rounds = { "independent_analysis", "anonymized_peer_review", "synthesis" }, chair = CHAIR }),
  vote = council("vote", { rounds = { "independent_analysis", { type = "vote", rule = "plurality" } } }),
  debate = council("debate", { rounds = { "independent_analysis", { type = "debate", max_rounds = 2 } } }),
  mixture = council("mixture", { rounds = { "independent_analysis", "mixture" }, chair = CHAIR }),
  sample = council("sample", { members = { seats()[1] }, rounds = { { type = "sample", samples = 5 } } }),
  bracket = council("bracket", { rounds = { "independent_analysis", "pairwise_elimination" }, chair = CHAIR }),
  quorum = council("quorum", { rounds = { { type = "independent_analysis", quorum = 3, grace_ms = 20 }, "critique" } }),
  stagger = council("stagger", { members = seats { stream = true },
    rounds = { { type = "independent_analysis", stagger = true } } }),
  budget = council("budget", { rounds = { "independent_analysis", "critique" }, budget = { calls = 6 } }),
  nested = council("nested", { members = { { id = "inside", council = inner }, seats()[1] },
    rounds = { "independent_analysis", "critique" } }),
  tools = council("tools", { members = seats { tools = { look } }, rounds = { "independent_analysis" } }),
  consult = council("consult", { members = consulting(),
    rounds = { { type = "independent_analysis", members = { "ann", "bob" } } } }),
  free = council("free", { run = free }),
}
