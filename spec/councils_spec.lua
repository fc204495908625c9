local curia = require "curia"
local helper = require "spec.helper"
local mock = require "curia.mock"
local profiles = require "spec.councils"

local NAMES = {
  "best_of", "consensus", "critic", "debate", "free_form", "jury", "llm_council", "mixture_of_agents", "panel",
  "peer_review", "red_team", "self_consistency", "specialist", "tournament", "voting", "weighted_consensus",
}

local ROUNDS = {
  best_of = { "candidates", "scoring" },
  consensus = { "independent_analysis", "iterate", "synthesis" },
  debate = { "opening", "debate", "synthesis" },
  jury = { "iterate", "synthesis" },
  mixture_of_agents = { "layer_1", "layer_2", "synthesis" },
  red_team = { "draft", "attack", "defence", "synthesis" },
  self_consistency = { "sample" },
  specialist = { "independent_analysis", "peer_review", "synthesis" },
  tournament = { "independent_analysis", "iterate", "synthesis" },
  voting = { "independent_analysis", "vote", "synthesis" },
  weighted_consensus = { "independent_analysis", "weighted_synthesis" },
  critic = { "draft", "critique", "synthesis" },
  free_form = { "opening", "rejoinder", "conclusion" },
  llm_council = { "independent_analysis", "anonymized_peer_review", "synthesis" },
  panel = { "independent_analysis", "synthesis" },
  peer_review = { "draft", "critique", "review", "synthesis" },
}

local function load(name)
  return assert(curia.load("councils/" .. name .. ".lua"))
end

local function run(name)
  return helper.run(function()
    return curia.run(load(name), "Should we ship on Friday?", { offline = true, seed = 1 })
  end)
end

local function names_of(rounds)
  local names = {}
  for i, round in ipairs(rounds) do names[i] = round.name end
  return names
end

describe("councils/", function()
  for _, name in ipairs(NAMES) do
    it(name .. " is valid, says what it is, and leads to an answer", function()
      local council = load(name)
      assert.is_true(curia.validate(council))
      assert.equal(name, council.name)
      assert.is_string(council:spec().about)
      local result = assert(run(name))
      assert.equal("ok", result.status)
      assert.same(ROUNDS[name], names_of(result.rounds))
      assert.truthy(#result.final.content > 0)
      assert.is_true(result.metadata.offline)
    end)

    it(name .. " leads to an answer over HTTP", function()
      local server = assert(mock.start {})
      curia.config { providers = { councils_mock = { adapter = "openai_chat", base_url = server.url .. "/v1" } } }
      local result = profiles.on("councils_mock", function()
        return helper.run(function() return curia.run(load(name), "Should we ship on Friday?", { seed = 1 }) end)
      end)
      local requests = #server:requests()
      server:close()
      assert.equal("ok", result.status)
      assert.truthy(#result.final.content > 0 and requests > 0)
    end)

    it(name .. " gives everybody a voice of its own", function()
      local seen = {}
      for _, member in ipairs(load(name):spec().members) do
        assert.is_true(#member.system > 40)
        assert.is_true(seen[member.system] == nil or name == "best_of") -- which asks one several times
        seen[member.system] = true
      end
    end)
  end

  it("llm_council ranks blind", function()
    local decision = run("llm_council").rounds[2].decision
    assert.equal(3, #decision.ranking)
    assert.equal(3, decision.effective_voters)
    assert.truthy(decision.detail.label_to_id["Response A"])
  end)

  it("critic lets only the drafter draft, and only the critics criticise", function()
    local result = run("critic")
    assert.is_nil(result.rounds[1].results.logician)
    assert.is_nil(result.rounds[2].results.drafter)
  end)

  it("free_form lets two answer each other", function()
    local result = run("free_form")
    local count = 0
    for _ in pairs(result.rounds[2].results) do count = count + 1 end
    assert.equal(2, count)
  end)
end)
