local T = require "spec.rules.support"
local decide = require("curia.rules").decide

describe("plurality", function()
  T.neutral_properties(it, "plurality", "choice")

  it("takes the most votes, not more than half", function()
    local d = decide("plurality", T.choices "aaabbcc", { options = { "a", "b", "c", "d" } })
    assert.same({ "a", 3, 0, 1 / 7 }, { d.winner, d.scores.a, d.scores.d, d.margin })
    assert.same({ "a", "b", "c", "d" }, T.plain(d.ranking))
  end)

  it("counts the head of an ordering", function()
    assert.equal("a", decide("plurality", T.orderings { { 2, "abc" }, { 1, "bca" } }).winner)
  end)

  it("holds a sole option for the winner by all votes", function()
    local d = decide("plurality", T.choices "a")
    assert.same({ "a", 1, false }, { d.winner, d.margin, d.tie })
  end)
end)
