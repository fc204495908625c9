local T = require "spec.rules.support"
local decide = require("curia.rules").decide

describe("majority", function()
  T.neutral_properties(it, "majority", "choice")

  it("needs more than half of the votes", function()
    assert.equal("a", decide("majority", T.choices "aab").winner)
    local d = decide("majority", T.choices "aabc")
    assert.is_nil(d.winner)
    assert.same({ 0.25, false }, { d.margin, d.tie })
    assert.same({ "a", "b", "c" }, T.plain(d.ranking))
  end)

  it("has no winner in a tie, and none to break", function()
    local d = decide("majority", T.choices "ab")
    assert.same({ nil, false, 0 }, { d.winner, d.tie, d.margin })
  end)

  it("takes a higher threshold", function()
    assert.is_nil(decide("majority", T.choices "aab", { threshold = 2 / 3 }).winner)
    assert.equal("a", decide("majority", T.choices "aaab", { threshold = 2 / 3 }).winner)
    assert.error_matches(function() decide("majority", {}, { threshold = 0.2 }) end, "threshold must be between")
  end)
end)
