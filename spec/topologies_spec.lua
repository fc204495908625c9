local T = require "spec.engine.support"
local curia = require "curia"
local helper = require "spec.helper"
local topologies = require "curia.topologies"

local function seat(more)
  local fields = { provider = "test", model = "m" }
  for name, value in pairs(more or {}) do fields[name] = value end
  return fields
end

local function body(more)
  local made = { curia.member "a" (seat()), curia.member "b" (seat()), curia.member "c" (seat()), curia.chair(seat()) }
  for name, value in pairs(more or {}) do made[name] = value end
  return made
end

local function without_chair(more)
  local made = body(more)
  made[4] = nil
  return made
end

-- Each with the least that it takes, and the names of the rounds that it makes.
local CASES = {
  parallel_panel = { body(), { "independent_analysis", "synthesis" } },
  peer_review = { body(), { "draft", "critique", "review", "synthesis" } },
  voting = { body(), { "independent_analysis", "vote", "synthesis" } },
  specialist = { body(), { "independent_analysis", "peer_review", "synthesis" } },
  tournament = { body(), { "independent_analysis", "iterate", "synthesis" } },
  consensus = { body(), { "independent_analysis", "iterate", "synthesis" } },
  weighted_consensus = { body(), { "independent_analysis", "weighted_synthesis" } },
  jury_with_retry = { body(), { "iterate", "synthesis" } },
  debate = { body(), { "opening", "debate", "synthesis" } },
  red_team = { body { red = { "c" } }, { "draft", "attack", "defence", "synthesis" } },
  self_consistency = { without_chair(), { "sample" } },
  mixture_of_agents = { body { layers = 3 }, { "layer_1", "layer_2", "layer_3", "synthesis" } },
  best_of = { { curia.member "w" (seat()), n = 3 }, { "candidates", "scoring" } },
  llm_council = { body(), { "independent_analysis", "anonymized_peer_review", "synthesis" } },
}

-- The rounds as the council has them, the chair's included.
local function planned(council)
  local names = {}
  for i, round in ipairs(require("curia.language").plan(council).rounds) do names[i] = round.name end
  return names
end

describe("the topologies", function()
  it("are fourteen", function()
    local names = {}
    for name in pairs(CASES) do names[#names + 1] = name end
    table.sort(names)
    assert.same(names, topologies.names)
  end)

  for name, case in pairs(CASES) do
    it(name .. " is a valid council with the rounds that its name says", function()
      T.script "x"
      local council = topologies[name](case[1])
      local ok, faults = curia.validate(council)
      assert.same(nil, faults)
      assert.is_true(ok)
      assert.equal(name, council.name)
      assert.is_string(council:spec().about)
      assert.same(case[2], planned(council))
    end)

    it(name .. " leads to an answer", function()
      local council = topologies[name](case[1])
      local result = helper.virtual(function() return curia.run(council, "Why?", { offline = true, seed = 1 }) end)
      assert.equal("ok", result.status)
      assert.truthy(#result.final.content > 0)
    end)
  end

  it("take what a council takes, and a name", function()
    local council = topologies.voting(body { name = "board", about = "x", rule = "approval" })
    assert.same({ "board", "x", "approval" }, { council.name, council:spec().about, council:spec().rounds[2].rule })
  end)

  it("name what is wrong", function()
    assert.error_matches(function() topologies.debate(without_chair()) end, "topology 'debate': it needs a chair", 1, true)
    assert.error_matches(function() topologies.self_consistency(body()) end, "it has no chair", 1, true)
    assert.error_matches(function() topologies.voting(body { rounds = {} }) end, "it brings its rounds", 1, true)
    assert.error_matches(function() topologies.debate(body { max_rounds = 0 }) end, "max_rounds", 1, true)
    assert.error_matches(function() topologies.voting "x" end, "must be followed by { ... }", 1, true)
    assert.error_matches(function() topologies.word "votin" end, "did you mean 'voting'", 1, true)
  end)

  it("are there as a word", function()
    assert.equal("llm_council", topologies.word "llm_council"(body()).name)
  end)
end)
