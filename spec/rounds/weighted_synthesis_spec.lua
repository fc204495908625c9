local R = require "spec.rounds.support"

local function chair_asked(options, body, answer)
  local round = { type = "weighted_synthesis" }
  for name, value in pairs(options or {}) do round[name] = value end
  body = body or {}
  body.chair = true
  local asked, result = R.prompts({ "independent_analysis", round }, answer or R.tell, body)
  return asked.weighted_synthesis.chair, result
end

describe("weighted_synthesis", function()
  it("is the chair's, with all rounds and the members' weights", function()
    local prompt, result = chair_asked({}, { members = { a = { weight = 2 }, b = { weight = 1 }, c = { weight = 1 } } })
    assert.is_true(R.holds(prompt, "- a: weight 0.50\n- b: weight 0.25\n- c: weight 0.25"))
    assert.is_true(R.holds(prompt, "independent_analysis by b"))
    assert.equal("<weighted_synthesis by chair>", result.final.content)
    assert.equal(2, #result.rounds)
  end)

  it("weighs by confidence where nothing else is known, and tells it", function()
    local function sure(round, member)
      return round == "independent_analysis" and ("yes\nConfidence: %d%%"):format(member == "a" and 90 or 45) or "the end"
    end
    local body = { members = {} }
    for _, id in ipairs { "a", "b", "c" } do body.members[id] = { confidence = "self_report" } end
    assert.is_true(R.holds(chair_asked({}, body, sure), "- a: weight 0.50, confidence 0.90\n- b: weight 0.25, confidence 0.45"))
    assert.is_false(R.holds(chair_asked({ expose_confidence = false }, body, sure), ", confidence"))
  end)

  it("counts those only that have answered", function()
    local prompt = chair_asked({}, { retry = { attempts = 1 } }, function(round, member)
      return member == "b" and { error = 401 } or R.tell(round, member)
    end)
    assert.is_true(R.holds(prompt, "- a: weight 0.50\n- c: weight 0.50"))
  end)

  it("does without weights where there are no answers to weigh", function()
    local asked = R.prompts({ { type = "vote", options = { "x", "y" } }, "weighted_synthesis" }, function(round, member)
      return round == "vote" and '{"choice": "x", "confidence": 0.5}' or R.tell(round, member)
    end, { chair = true })
    assert.is_false(R.holds(asked.weighted_synthesis.chair, "weight"))
  end)

  it("hides confidences where it is told to", function()
    local rounds = { "independent_analysis", { type = "vote" }, { type = "weighted_synthesis", expose_confidence = false } }
    local function answer(round, member)
      return round == "vote" and ('{"choice": "Response %s", "confidence": 0.5}'):format(member == "a" and "B" or "A")
        or R.tell(round, member)
    end
    local asked = R.prompts(rounds, answer, { chair = true })
    assert.is_true(R.holds(asked.weighted_synthesis.chair, "Votes for a."))
    assert.is_false(R.holds(asked.weighted_synthesis.chair, "confidence"))
    rounds[3].expose_confidence = nil
    asked = R.prompts(rounds, answer, { chair = true })
    assert.is_true(R.holds(asked.weighted_synthesis.chair, "Votes for a (confidence 0.50)."))
  end)
end)
