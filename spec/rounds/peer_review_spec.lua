local R = require "spec.rounds.support"
local T = require "spec.engine.support"

describe("peer_review", function()
  it("shows the others' answers under their names, and not one's own", function()
    local asked = R.prompts({ "independent_analysis", "peer_review" }, R.tell)
    local prompt = asked.peer_review.a
    assert.is_true(R.holds(prompt, "Why?"))
    assert.is_true(R.holds(prompt, '<answer from="b">\n<independent_analysis by b>\n</answer>'))
    assert.is_true(R.holds(prompt, '<answer from="c">'))
    assert.is_false(R.holds(prompt, "by a>"))
  end)

  it("begins with what all share", function()
    local asked = R.prompts({ "independent_analysis", "peer_review" }, R.tell)
    local a, b, common = asked.peer_review.a, asked.peer_review.b, 0
    while a:byte(common + 1) == b:byte(common + 1) do common = common + 1 end
    assert.is_true(R.holds(a:sub(1, common), "Review each answer"))
  end)

  it("leaves out those that failed; they take part in the review all the same", function()
    local asked, result = R.prompts({ "independent_analysis", "peer_review" }, function(round, member)
      if round == "independent_analysis" and member == "b" then return { error = 401 } end
      return R.tell(round, member)
    end)
    assert.is_false(R.holds(asked.peer_review.a, 'from="b"'))
    assert.is_true(R.holds(asked.peer_review.b, 'from="a"'))
    assert.equal("ok", result.rounds[2].results.b.status)
  end)

  it("shows answers and critiques of the round before, but no ballots", function()
    local asked = R.prompts({ "independent_analysis", "anonymized_peer_review", "peer_review" }, R.tell)
    assert.is_true(R.holds(asked.peer_review.a, "independent_analysis by b"))
    asked = R.prompts({ "independent_analysis", "critique", "peer_review" }, R.tell)
    assert.is_true(R.holds(asked.peer_review.a, "critique by b"))
  end)

  it("asks nobody about nothing", function()
    local asked, result = R.prompts({ "independent_analysis", "peer_review" }, function(round, member)
      return member == "a" and R.tell(round, member) or { error = 401 }
    end)
    assert.is_nil(asked.peer_review.a)
    assert.same({ "validation", "nothing_to_review" }, { result.rounds[2].results.a.error.kind, result.rounds[2].results.a.error.code })
    assert.same({ a = "error", b = "error", c = "error" }, T.statuses(result, 2))
  end)
end)
