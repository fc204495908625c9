local T = require "spec.rules.support"
local decide = require("curia.rules").decide

local function vote(choice, confidence, weight)
  return { choice = choice, confidence = confidence, weight = weight }
end

describe("median", function()
  T.neutral_properties(it, "median", "choice")

  it("takes the highest median, however many voters are behind it", function()
    local d = decide("median", { vote("a", 0.9), vote("b", 0.2), vote("b", 0.8), vote("b", 0.7) }, { options = { "a", "b", "c" } })
    assert.same({ "a", 0.9, 0.7 }, { d.winner, d.scores.a, d.scores.b })
    assert.is_true(math.abs(d.margin - 0.2) < 1e-12)
    assert.same({ "a", "b" }, T.plain(d.ranking))
    assert.equal(3, d.detail.voters.b)
  end)

  it("is the mean of the two in the middle, and heeds weights", function()
    assert.equal(0.5, decide("median", { vote("a", 0.25), vote("a", 0.75) }).scores.a)
    assert.equal(0.75, decide("median", { vote("a", 0.25), vote("a", 0.75, 2) }).scores.a)
  end)
end)
