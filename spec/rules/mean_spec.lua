local T = require "spec.rules.support"
local decide = require("curia.rules").decide

local function ballot(voter, scores)
  return { voter = voter, scores = scores }
end

describe("mean", function()
  T.neutral_properties(it, "mean", "scores")

  it("is over those that scored the option", function()
    local d = decide("mean", { ballot("x", { a = 8, b = 4 }), ballot("y", { b = 6 }) }, { options = { "a", "b", "c" } })
    assert.same({ "a", 8, 5, nil }, { d.winner, d.scores.a, d.scores.b, d.scores.c })
    assert.same({ a = 1, b = 2 }, d.detail.weights)
    assert.equal(3 / 4, d.margin)
  end)

  it("measures the margin on the scale, where there is one", function()
    local d = decide("mean", { ballot("x", { a = 8, b = 4 }) }, { scale = { least = 0, greatest = 10 } })
    assert.equal(0.4, d.margin)
  end)

  it("can make the scores of reviewers comparable", function()
    local ballots = { ballot("generous", { a = 9, b = 10 }), ballot("strict", { a = 1, b = 2 }), ballot("wild", { a = 10, b = 0 }) }
    assert.equal("a", decide("mean", ballots).winner)
    local d = decide("mean", ballots, { normalise = "range" })
    assert.same({ "b", 2 / 3, 1 / 3 }, { d.winner, d.scores.b, d.scores.a })
    d = decide("mean", ballots, { normalise = "standard" })
    assert.equal("b", d.winner)
    assert.is_true(math.abs(d.scores.b - 1 / 3) < 1e-12)
  end)

  it("has no opinion from a reviewer with one score for all", function()
    local d = decide("mean", { ballot("x", { a = 5, b = 5 }) }, { normalise = "range" })
    assert.same({ 0.5, 0.5, true }, { d.scores.a, d.scores.b, d.tie })
    assert.equal(0, decide("mean", { ballot("x", { a = 5, b = 5 }) }, { normalise = "standard" }).scores.a)
  end)

  it("discards scores that are no finite numbers", function()
    local d = decide("mean", { ballot("x", { a = 0 / 0 }), ballot("y", { a = math.huge }), ballot("z", { a = "9" }), ballot("w", {}),
      ballot("v", { a = 3 }) })
    assert.equal(4, #d.discarded)
    assert.equal("its score of a is no number within 1e12 of 0", d.discarded[1].reason)
    assert.equal(3, d.scores.a)
  end)
end)
