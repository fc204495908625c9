local json = require "curia.json"
local R = require "spec.rounds.support"
local T = require "spec.engine.support"

local CHOICES = { a = "Response B", b = "Response A", c = "Response B" }

local function ballot(member)
  return json.encode { choice = CHOICES[member], rationale = "because", confidence = 0.5 }
end

local function on_options(answers, options)
  options = options or {}
  options.type, options.options = "vote", options.options or { "ship", "hold" }
  return R.prompts({ options }, function(_, member) return answers[member] end)
end

describe("vote", function()
  it("counts the members' choices among the others' answers by plurality", function()
    local round, asked, result = R.judge("vote", ballot)
    assert.same({ "b", "plurality", 3 }, { round.decision.winner, round.decision.rule, round.decision.effective_voters })
    assert.equal("<independent_analysis by b>", result.final.content)
    assert.same({ ["Response A"] = "a", ["Response B"] = "b", ["Response C"] = "c" }, round.decision.detail.label_to_id)
    assert.is_true(R.holds(asked.a, 'The labels are: "Response B", "Response C".'))
    assert.same({ voter = "a", choice = "b", rationale = "because", confidence = 0.5 }, round.decision.ballots_used[1])
  end)

  it("has dissent of those that could have chosen the winner", function()
    local _, _, result = R.judge("vote", function(member)
      return json.encode { choice = ({ a = "Response B", b = "Response A", c = "Response A" })[member], rationale = member }
    end)
    assert.equal("a", result.decision.winner)
    assert.is_nil(result.dissent) -- b is a's choice, and a could not choose itself
    _, _, result = R.judge("vote", function(member)
      return json.encode { choice = member == "c" and "Response C" or "Response A", rationale = member }
    end, { include_self = true })
    assert.same({ { member = "c", round = "vote", choice = "c", rationale = "c" } }, result.dissent)
  end)

  it("takes other rules, with weights and confidences", function()
    local round = R.judge("vote", ballot, { rule = "majority" })
    assert.equal("b", round.decision.winner)
    round = R.judge("vote", ballot, { rule = "unanimous" })
    assert.is_nil(round.decision.winner)
    round = R.judge("vote", function(member)
      return json.encode { choice = CHOICES[member], confidence = member == "b" and "90%" or 0.2 }
    end, { rule = "weighted" })
    assert.equal("a", round.decision.winner)
    round = R.judge("vote", ballot, {}, { members = { b = { weight = 5 } } })
    assert.equal("a", round.decision.winner)
    for _, rule in ipairs { "borda", "mean", "majority_judgment" } do
      local _, _, _, err = R.judge("vote", ballot, { rule = rule })
      assert.equal("conflict", err.context.faults[1].code, rule)
    end
  end)

  it("may be on options, which all see", function()
    local asked, result = on_options { a = '{"choice": "ship"}', b = "FINAL VOTE: Ship.", c = '{"choice": "hold", "rationale": "no"}' }
    assert.equal(asked.vote.a, asked.vote.b)
    assert.is_true(R.holds(asked.vote.a, "- ship\n- hold"))
    assert.equal("ship", result.decision.winner)
    assert.equal("ship", result.final.content)
    assert.same({ { member = "c", round = "vote", choice = "hold", rationale = "no" } }, result.dissent)
    assert.is_nil(result.decision.detail.label_to_id)
  end)

  it("takes no option for a member of the same name", function()
    local _, result = R.prompts({ "independent_analysis", { type = "vote", options = { "a", "b" } } }, function(round, member)
      return round == "vote" and '{"choice": "a"}' or R.tell(round, member)
    end)
    assert.equal("a", result.final.content)
    assert.equal(3, result.decision.effective_voters)
  end)

  it("counts what cannot be read as discarded, and lets nobody win by it", function()
    for text, reason in pairs {
      ["I cannot decide."] = "no choice could be read", ['{"choice": "Response A"}'] = "judges its own answer",
      ['{"choice": "Response Q"}'] = "names no answer: Response Q", ['{"choice": 2}'] = "names no answer: 2",
    } do
      local round = R.judge("vote", function(member) return member == "a" and text or ballot(member) end)
      assert.same({ { voter = "a", reason = reason } }, { table.unpack(round.decision.discarded) })
    end
    local _, result = on_options { a = "?", b = "?", c = "?" }
    assert.is_nil(result.decision.winner)
    assert.is_nil(result.final)
    assert.equal("ok", result.status)
    assert.equal(3, #result.decision.discarded)
  end)

  it("breaks a tie by the chair, which sees the answers under the judges' labels", function()
    local asked
    T.script(function(request)
      local prompt = request.messages[#request.messages].content
      if request.member == "chair" and request.round == "vote" then
        asked = prompt
        return '{"choice": "Response C"}'
      end
      if request.round ~= "vote" then return R.tell(request.round, request.member) end
      return json.encode { choice = ({ a = "Response B", b = "Response C", c = "Response A" })[request.member] }
    end)
    local result = T.ask { chair = true, rounds = { { type = "independent_analysis" }, { type = "vote", tie_break = "chair" } } }
    assert.is_true(R.holds(asked, '<answer from="Response C">\n<independent_analysis by c>'))
    assert.equal("c", result.decision.winner)
    assert.equal("<synthesis by chair>", result.final.content)
  end)

  it("needs options that are texts, and can be told apart", function()
    for _, options in ipairs { {}, { 1 }, { "" }, "ship", { "ship", "ship" }, { "Ship.", "*ship*" } } do
      local _, _, err = on_options({}, { options = options })
      assert.equal("invalid_council", err.kind)
    end
  end)
end)
