local T = require "spec.rules.support"
local decide = require("curia.rules").decide

describe("borda", function()
  T.neutral_properties(it, "borda", "ordering")

  it("may pass over the Condorcet winner", function()
    local ballots = T.orderings { { 3, "abc" }, { 2, "bca" } }
    local d = decide("borda", ballots)
    assert.same({ "b", 7, 6, 2, 0.1 }, { d.winner, d.scores.b, d.scores.a, d.scores.c, d.margin })
    assert.equal("a", decide("condorcet", ballots).winner)
  end)

  it("gives what is not ranked the mean of the places left", function()
    local d = decide("borda", T.orderings { { 1, "a" } }, { options = { "a", "b", "c", "d" } })
    assert.same({ a = 3, b = 1, c = 1, d = 1 }, d.scores)
  end)
end)
