local T = require "spec.rules.support"
local decide = require("curia.rules").decide

local function vote(choice, confidence)
  return { choice = choice, confidence = confidence }
end

describe("weighted", function()
  T.neutral_properties(it, "weighted", "choice")

  it("sums the confidences: one that is sure outweighs two that are not", function()
    local d = decide("weighted", { vote("a", 0.3), vote("a", 0.2), vote("b", 0.9) })
    assert.equal("b", d.winner)
    assert.is_true(math.abs(d.margin - 0.4 / 1.4) < 1e-12)
    assert.is_true(math.abs(d.effective_voters - 1.4 ^ 2 / (0.09 + 0.04 + 0.81)) < 1e-12)
  end)

  it("discards a vote without a confidence, unless it is told what that is worth", function()
    local ballots = { vote("a"), vote("b", 0.4), vote("b", 1.5), vote("b", 0 / 0) }
    assert.equal("b", decide("weighted", ballots).winner)
    assert.equal(3, #decide("weighted", ballots).discarded)
    assert.equal("a", decide("weighted", ballots, { default_confidence = 0.5 }).winner)
  end)

  it("ties where the sums are equal but for the last bits", function()
    local d = decide("weighted", { vote("a", 0.1), vote("a", 0.2), vote("b", 0.3) })
    assert.same({ "a", true, 0 }, { d.winner, d.tie, d.margin })
  end)
end)
