local votes = require "curia.rules.support.votes"

describe("adding up votes", function()
  it("gives each option the weight of its votes", function()
    assert.same({ a = 3, b = 4, c = 0 }, votes.sums { options = { "a", "b", "c" }, votes = { "a", "b", "a" }, weights = { 1, 4, 2 } })
  end)

  it("measures a lead as a share of all votes", function()
    assert.equal(0.25, votes.count({ a = 2, b = 1 }, 4).margin("a", "b"))
  end)

  it("finds those with more than a share, not those with just that", function()
    assert.same({ "a" }, votes.above({ a = 2.1, b = 2 }, 2))
    assert.same({}, votes.above({ a = 0.1 + 0.2 }, 0.3))
  end)
end)
