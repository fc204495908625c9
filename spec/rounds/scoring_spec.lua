local json = require "curia.json"
local R = require "spec.rounds.support"

local RUBRIC = { { name = "truth", weight = 3, scale = { 0, 10 } }, { name = "style", scale = { 0, 10 } } }

local function scores(of)
  local by_label = json.object()
  for id, pair in pairs(of) do by_label["Response " .. id:upper()] = { truth = pair[1], style = pair[2] } end
  return json.encode { scores = by_label, rationale = "because" }
end

local GIVEN = {
  a = { b = { 9, 9 }, c = { 8, 8 } }, b = { a = { 2, 2 }, c = { 1, 1 } }, c = { a = { 5, 9 }, b = { 6, 6 } },
}

local function score(options, judge, body)
  options = options or {}
  options.rubric = options.rubric or RUBRIC
  return R.judge("scoring", judge or function(member) return scores(GIVEN[member]) end, options, body)
end

describe("scoring", function()
  it("asks for each criterion of the rubric", function()
    local _, asked = score { rubric = { { name = "truth", about = "is it so", scale = { 0, 5 } }, "style" } }
    assert.is_true(R.holds(asked.a, "- truth (0 to 5): is it so\n- style (1 to 10)"))
    assert.is_true(R.holds(asked.a, '{"scores": {"<label>": {"truth": <score>, "style": <score>}'))
    _, asked = R.judge("scoring", function() return "?" end)
    assert.is_true(R.holds(asked.a, "- correctness (1 to 10)"))
  end)

  it("counts the means of standard scores, so that mild and strict reviewers weigh the same", function()
    local round, _, result = score()
    local decision = round.decision
    assert.same({ "a", "mean" }, { decision.winner, decision.rule })
    -- a: b over c; b: a over c; c: a (5 * 3 + 9) / 4 = 6 ties with b at 6
    assert.near(0.5, decision.scores.a, 1e-9)
    assert.near(0.5, decision.scores.b, 1e-9)
    assert.near(-1, decision.scores.c, 1e-9)
    assert.is_true(decision.tie)
    assert.near(0.4, decision.detail.totals.a, 1e-9)
    assert.near(0.75, decision.detail.totals.b, 1e-9)
    assert.equal("<independent_analysis by a>", result.final.content)
  end)

  it("counts totals as they are, or by range, where it is told to", function()
    local round = score { normalise = "none" }
    assert.equal("b", round.decision.winner)
    assert.near(0.75, round.decision.scores.b, 1e-9)
    round = score { normalise = "range" }
    assert.near(0.75, round.decision.scores.a, 1e-9)
    assert.equal("invalid_council", select(4, score { normalise = "z" }).kind)
  end)

  it("divides by nothing where a reviewer gives all the same, or has one answer to score", function()
    local round = score({}, function(member)
      local same = {}
      for _, id in ipairs { "a", "b", "c" } do same[id] = id ~= member and { 7, 7 } or nil end
      return scores(same)
    end)
    assert.same({ a = 0, b = 0, c = 0 }, round.decision.scores)
    assert.same({ true, "a" }, { round.decision.tie, round.decision.winner })
    round = score({}, function(member) return scores { [member == "a" and "b" or "a"] = { 9, 3 } } end, { ids = { "a", "b" } })
    assert.same({ a = 0, b = 0 }, round.decision.scores)
  end)

  it("keeps what each reviewer gave", function()
    local parsed = score().results.a.response.parsed
    assert.same({ truth = 9, style = 9 }, { truth = parsed.criteria["Response B"].truth, style = parsed.criteria["Response B"].style })
    assert.near(0.9, parsed.scores.b, 1e-9)
    assert.equal("because", parsed.rationale)
  end)

  it("knows who would have had it otherwise", function()
    local _, _, result = score({ normalise = "none" }, function(member)
      return scores(({ a = { b = { 9, 9 }, c = { 1, 1 } }, b = { a = { 3, 3 }, c = { 2, 2 } }, c = { a = { 9, 9 }, b = { 8, 8 } } })[member])
    end)
    assert.equal("b", result.decision.winner)
    assert.same({ { member = "c", round = "scoring", choice = "a", rationale = "because" } }, result.dissent)
  end)

  it("counts what cannot be read as discarded, with its reason", function()
    for text, reason in pairs {
      ["Both are good."] = "no scores could be read",
      ['{"scores": {}}'] = "no scores could be read",
      ['{"scores": {"Response B": {"truth": 5, "style": 5}}}'] = "leaves out Response C",
      [scores { b = { 11, 5 }, c = { 5, 5 } }] = "Response B: scores 'truth' with 11, outside of 0 to 10",
      ['{"scores": {"Response B": {"truth": 5}, "Response C": {"truth": 5, "style": 5}}}'] = "Response B: gives no score for 'style'",
      ['{"scores": {"Response B": "good", "Response C": 5}}'] = "Response B: gives no score for 'truth'",
      [scores { a = { 10, 10 }, b = { 5, 5 }, c = { 5, 5 } }] = "judges its own answer",
      [scores { x = { 10, 10 } }] = "names no answer: Response X",
      ['{"scores": {"B": {"truth": 5, "style": 5}, "Response B": {"truth": 5, "style": 5}}}'] = "scores an answer twice: b",
    } do
      local round = score({}, function(member) return member == "a" and text or scores(GIVEN[member]) end)
      assert.same({ { voter = "a", reason = reason } }, { table.unpack(round.decision.discarded) })
      assert.equal(2, round.decision.effective_voters)
    end
  end)

  it("reads the lines that some models write", function()
    local round = score({}, function(member)
      return member == "a" and "FINAL SCORES:\nResponse B: truth 9, style 9\nResponse C: truth 8, style 8" or scores(GIVEN[member])
    end)
    assert.near(0.9, round.results.a.response.parsed.scores.b, 1e-9)
  end)

  it("refuses a rubric and rules that cannot be", function()
    for _, rubric in ipairs { {}, { "" }, { { weight = 1 } }, { { name = "x", scale = { 3, 1 } } }, { { name = "x", weight = -1 } } } do
      assert.equal("invalid_council", select(4, score { rubric = rubric }).kind)
    end
    local fault = select(4, score { rule = "plurality" }).context.faults[1]
    assert.matches("(scores); these can: mean", fault.message, nil, true)
  end)
end)
