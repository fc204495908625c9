local T = require "spec.rules.support"
local decide = require("curia.rules").decide

describe("copeland", function()
  T.neutral_properties(it, "copeland", "ordering")

  it("counts duels won", function()
    local d = decide("copeland", T.orderings { { 42, "MNCK" }, { 26, "NCKM" }, { 15, "CKNM" }, { 17, "KCNM" } })
    assert.same({ "N", "C", "K", "M" }, T.plain(d.ranking))
    assert.same({ N = 3, C = 2, K = 1, M = 0 }, d.scores)
    assert.equal(1 / 3, d.margin)
    assert.equal(58, d.detail.duels.N.M)
  end)

  it("ties in a cycle", function()
    local d = decide("copeland", T.orderings { { 1, "abc" }, { 1, "bca" }, { 1, "cab" } })
    assert.same({ "a", "b", "c" }, T.plain(d.tied))
  end)
end)
