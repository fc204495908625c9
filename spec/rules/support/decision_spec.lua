local decision = require "curia.rules.support.decision"

local function electorate(weights)
  return { weights = weights, used = {}, discarded = {}, options = {} }
end

local function make(scores, weights, more)
  local count = { scores = scores, margin = function() return 0.5 end }
  for name, value in pairs(more or {}) do count[name] = value end
  return decision.make("spec", electorate(weights or { 1 }), count, function(tied) return tied[1], "first" end, {})
end

describe("the decision of a count", function()
  it("ranks by score, then by id", function()
    local d = make { b = 1, a = 1, c = 2 }
    assert.same({ "c", "a", "b" }, { table.unpack(d.ranking) })
    assert.same({ "c", 0.5, false }, { d.winner, d.margin, d.tie })
  end)

  it("takes scores for equal that differ only in their last bits", function()
    assert.is_true(make({ a = 0.1 + 0.2, b = 0.3 }).tie)
    assert.is_false(make({ a = 0.3001, b = 0.3 }).tie)
  end)

  it("puts the winner at the head, whatever its score", function()
    local d = make({ a = 1, b = 2, c = 3 }, nil, { heads = { "a" } })
    assert.same({ "a", "c", "b" }, { table.unpack(d.ranking) })
  end)

  it("orders by a second number where the first ties", function()
    local d = make({ a = 1, b = 1 }, nil, { compare = decision.greater({ a = 1, b = 1 }, { a = 0, b = 2 }) })
    assert.same({ "b", false }, { d.winner, d.tie })
  end)

  it("tells Kish's effective number of voters", function()
    assert.equal(4, make({ a = 1 }, { 1, 1, 1, 1 }).effective_voters)
    assert.equal(1, make({ a = 1 }, { 1, 0, 0 }).effective_voters)
    assert.equal(1.8, make({ a = 1 }, { 2, 1 }).effective_voters)
  end)

  it("keeps shares within 0 and 1", function()
    assert.same({ 0, 0.5, 1, 0 }, { decision.share(-1, 2), decision.share(1, 2), decision.share(3, 2), decision.share(1, 0) })
  end)
end)
