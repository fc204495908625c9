local T = require "spec.rules.support"
local decide = require("curia.rules").decide

describe("schulze", function()
  T.neutral_properties(it, "schulze", "ordering")

  it("agrees with Schulze's example of 45 voters and five options", function()
    local d = decide("schulze", T.orderings { { 5, "ACBED" }, { 5, "ADECB" }, { 8, "BEDAC" }, { 3, "CABED" }, { 7, "CAEBD" },
      { 2, "CBADE" }, { 7, "DCEBA" }, { 8, "EBADC" } })
    assert.same({ "E", "A", "C", "B", "D" }, T.plain(d.ranking))
    assert.same({
      A = { B = 28, C = 28, D = 30, E = 24 }, B = { A = 25, C = 28, D = 33, E = 24 }, C = { A = 25, B = 29, D = 29, E = 24 },
      D = { A = 25, B = 28, C = 28, E = 24 }, E = { A = 25, B = 28, C = 28, D = 31 },
    }, d.detail.paths)
    assert.equal(20, d.detail.duels.A.B)
    assert.equal(1 / 45, d.margin)
  end)

  it("agrees with the paper's first example, of 21 voters", function()
    local d = decide("schulze", T.orderings { { 8, "acdb" }, { 2, "badc" }, { 4, "cdba" }, { 4, "dbac" }, { 3, "dcba" } })
    assert.equal("d", d.winner)
    assert.is_false(d.tie)
  end)

  it("lists those that none is better than", function()
    local d = decide("schulze", T.orderings { { 1, "abc" }, { 1, "bca" }, { 1, "cab" } })
    assert.same({ "a", true }, { d.winner, d.tie })
    assert.same({ "a", "b", "c" }, T.plain(d.tied))
  end)
end)
