local T = require "spec.rules.support"
local decide = require("curia.rules").decide

local function beats_or_ties(duels, a, b)
  return duels[a][b] >= duels[b][a]
end

describe("condorcet", function()
  T.neutral_properties(it, "condorcet", "ordering")

  it("takes the one that wins all duels", function()
    local d = decide("condorcet", T.orderings { { 42, "MNCK" }, { 26, "NCKM" }, { 15, "CKNM" }, { 17, "KCNM" } })
    assert.equal("N", d.winner)
    assert.is_nil(d.detail.cycle)
    assert.equal(0.16, d.margin) -- 58 to 42 against Memphis
  end)

  it("shows the cycle that leaves it without a winner", function()
    local d = decide("condorcet", T.orderings { { 23, "abc" }, { 17, "bca" }, { 2, "bac" }, { 10, "cab" }, { 8, "cba" } })
    assert.is_nil(d.winner)
    assert.is_false(d.tie)
    assert.equal(0, d.margin)
    assert.equal(3, #d.detail.cycle)
  end)

  it("gives a cycle in which each beats the next, or ties with it, whenever there is no winner", function()
    T.each_small("ordering", function(ballots, options)
      local d = decide("condorcet", ballots, { options = options })
      local cycle = d.detail.cycle
      assert.equal(d.winner == nil, cycle ~= nil)
      for i, id in ipairs(cycle or {}) do
        assert.is_true(beats_or_ties(d.detail.duels, id, cycle[i % #cycle + 1]))
      end
    end)
  end)
end)
