local R = require "spec.rounds.support"
local T = require "spec.engine.support"

local function chair_asked(rounds, answer, body)
  body = body or {}
  body.chair = true
  local asked, result = R.prompts(rounds, answer or R.tell, body)
  return asked.synthesis.chair, result
end

describe("synthesis", function()
  it("is appended for a chair, which sees all rounds before, with names", function()
    local prompt, result = chair_asked { "independent_analysis", "critique" }
    assert.same({ "independent_analysis", "critique", "synthesis" }, { result.rounds[1].name, result.rounds[2].name,
      result.rounds[3].name })
    assert.is_true(R.holds(prompt, "Question:\nWhy?"))
    for _, part in ipairs { "independent_analysis by a", "independent_analysis by c", "critique by b", '<answer from="a">' } do
      assert.is_true(R.holds(prompt, part), part)
    end
    assert.equal("<synthesis by chair>", result.final.content)
  end)

  it("is not appended where the council ends with it", function()
    local _, result = chair_asked { "independent_analysis", { type = "synthesis" } }
    assert.equal(2, #result.rounds)
  end)

  it("leaves out what failed", function()
    local prompt, result = chair_asked({ "independent_analysis" }, function(round, member)
      return member == "b" and { error = 401 } or R.tell(round, member)
    end)
    assert.is_false(R.holds(prompt, 'from="b"'))
    assert.equal("partial", result.status)
  end)

  it("tells ballots in words, with names instead of labels, and the ranking", function()
    local prompt = chair_asked({ "independent_analysis", "anonymized_peer_review" }, function(round, member)
      if round ~= "anonymized_peer_review" then return R.tell(round, member) end
      return 'Response B is deep. {"ordering": ["Response ' .. (member == "b" and "A" or "B") .. '", "Response '
        .. (member == "c" and "A" or "C") .. '"], "rationale": "Response B wins"}'
    end)
    assert.is_true(R.holds(prompt, "Ranks b before c."))
    assert.is_true(R.holds(prompt, "b wins"))
    assert.is_true(R.holds(prompt, "b is deep."))
    assert.is_false(R.holds(prompt, "Response B"))
    assert.is_true(R.holds(prompt, "Ranking by the members, best first:\n1. b"))
  end)

  it("is asked of the chair alone", function()
    T.script "yes"
    local result = T.ask { chair = true }
    assert.same({ chair = "ok" }, T.statuses(result, 2))
  end)
end)
