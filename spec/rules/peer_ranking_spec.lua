local T = require "spec.rules.support"
local decide = require("curia.rules").decide

local function ballot(voter, ...)
  return { voter = voter, ordering = { ... } }
end

local function rank(ballots, opts)
  return decide("peer_ranking", ballots, opts)
end

describe("peer ranking", function()
  it("is Borda's count, scaled for each judge", function()
    local d = rank { ballot("a", "b", "c", "d"), ballot("b", "a", "c", "d"), ballot("c", "a", "b", "d"), ballot("d", "a", "b", "c") }
    assert.same({ "a", "b", "c", "d" }, { table.unpack(d.ranking) })
    assert.equal("a", d.winner)
    assert.equal(1, d.scores.a)
    assert.equal((1 + 0.5 + 0.5) / 3, d.scores.b)
    assert.equal(0, d.scores.d)
    assert.equal(1, d.detail.avg_position.a)
    assert.equal(3, d.detail.judges.a)
    assert.equal(4, d.effective_voters)
    assert.is_false(d.tie)
    assert.equal(d.scores.a - d.scores.b, d.margin)
    assert.equal("peer_ranking", d.rule)
  end)

  T.neutral_properties(it, "peer_ranking", "ordering")

  it("does not depend on the order of the ballots, nor on the judges' names", function()
    local one = rank { ballot("a", "b", "c"), ballot("b", "a", "c"), ballot("c", "b", "a") }
    local two = rank { ballot("z", "b", "a"), ballot("y", "a", "c"), ballot("x", "b", "c") }
    assert.same({ table.unpack(one.ranking) }, { table.unpack(two.ranking) })
    assert.same(one.scores, two.scores)
  end)

  it("breaks ties by the mean position, then by the id, and says when it is a tie", function()
    local d = rank { ballot("a", "b", "c"), ballot("b", "c", "a"), ballot("c", "a", "b") }
    assert.same({ "a", "b", "c" }, { table.unpack(d.ranking) })
    assert.is_true(d.tie)
    assert.equal(0, d.margin)
    d = rank { ballot("x", "b"), ballot("y", "a", "c"), ballot("z", "b") }
    assert.same({ "a", "b", "c" }, { table.unpack(d.ranking) })
    assert.is_true(d.tie)
  end)

  it("counts and names ballots that cannot be read", function()
    local d = rank({
      ballot("a", "b", "c"), { voter = "b", discarded = "no ordering could be read" }, { voter = "c" }, ballot("d"),
      ballot("e", "b", "b"), ballot("f", "x"), { voter = "g", ordering = "b" },
    }, { options = { "a", "b", "c" } })
    assert.same({
      { voter = "b", reason = "no ordering could be read" }, { voter = "c", reason = "no ordering" }, { voter = "d", reason = "no ordering" },
      { voter = "e", reason = "ranks an option twice: b" }, { voter = "f", reason = "ranks an unknown option: x" },
      { voter = "g", reason = "no ordering" },
    }, { table.unpack(d.discarded) })
    assert.equal(1, d.effective_voters)
    assert.equal("b", d.winner)
  end)

  it("has no winner without ballots", function()
    local d = rank({}, { options = { "a", "b" } })
    assert.is_nil(d.winner)
    assert.same({}, { table.unpack(d.ranking) })
    assert.is_false(d.tie)
    assert.equal(0, d.margin)
  end)

  it("gives the sole option of a sole judge full marks", function()
    local d = rank { ballot("a", "b") }
    assert.same({ "b", 1, 1 }, { d.winner, d.scores.b, d.margin })
  end)
end)
