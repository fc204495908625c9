local T = require "spec.rules.support"
local decide = require("curia.rules").decide

describe("knockout", function()
  T.properties(it, "knockout", "ordering")

  it("plays duels in a bracket, seeded by Borda's count", function()
    local d = decide("knockout", T.orderings { { 42, "MNCK" }, { 26, "NCKM" }, { 15, "CKNM" }, { 17, "KCNM" } })
    assert.same({ "N", "C", "M", "K" }, d.detail.seeds)
    assert.equal("N", d.winner)
    local first, last = d.detail.levels[1], d.detail.levels[2]
    assert.same({ a = "N", b = "K", votes = { 68, 32 }, winner = "N", tie = false }, first[1])
    assert.same({ a = "C", b = "M", votes = { 58, 42 }, winner = "C", tie = false }, first[2])
    assert.same({ "N", "C" }, { last[1].a, last[1].b })
    assert.same({ N = 2, C = 1, M = 0, K = 0 }, d.scores)
    assert.is_true(math.abs(d.margin - 0.36) < 1e-12)
  end)

  it("lets the best go on without a duel where their number is odd", function()
    local d = decide("knockout", T.orderings { { 2, "abc" }, { 1, "bca" } })
    assert.equal(1, #d.detail.levels[1])
    assert.same({ "b", "c" }, { d.detail.levels[1][1].a, d.detail.levels[1][1].b })
    assert.equal("a", d.winner)
  end)

  it("ties when the last duel is tied", function()
    local d = decide("knockout", T.orderings { { 1, "abc" }, { 1, "bac" } }, { tie_break = function() return "b" end })
    assert.same({ "b", true }, { d.winner, d.tie })
    assert.same({ "a", "b" }, T.plain(d.tied))
    assert.equal(d.scores.a, d.scores.b)
  end)
end)
