local ballots = require "curia.rules.support.ballots"

local function reason(kind, ballot, opts)
  return ballots.read(kind, { ballot }, opts or { options = { "a", "b" } }).discarded[1].reason
end

describe("reading ballots", function()
  it("takes the options from the ballots, sorted, where they are not given", function()
    local read = ballots.read("ordering", { { ordering = { "c", "a" } }, { ordering = { "b" } }, { ordering = { "z", "z" } } }, {})
    assert.same({ "a", "b", "c" }, read.options)
    assert.same({ { "c", "a" }, { "b" } }, read.votes)
    assert.same({ "a", "b" }, ballots.read("scores", { { scores = { b = 1, a = 2 } } }, {}).options)
    assert.same({ "x" }, ballots.read("confidence", { { choice = "x", confidence = 1 } }, {}).options)
  end)

  it("reads a choice as an ordering or an approval of one, and the head of an ordering as a choice", function()
    assert.same({ { "a" } }, ballots.read("ordering", { { choice = "a" } }, {}).votes)
    assert.same({ { "a" } }, ballots.read("approvals", { { choice = "a" } }, {}).votes)
    assert.same({ "a" }, ballots.read("choice", { { ordering = { "a", "b" } } }, {}).votes)
  end)

  it("says why a ballot cannot be read", function()
    assert.equal("no ordering", reason("ordering", { ordering = {} }))
    assert.equal("ranks an option twice: a", reason("ordering", { ordering = { "a", "b", "a" } }))
    assert.equal("ranks an unknown option: c", reason("ordering", { ordering = { "a", "c" } }))
    assert.equal("ranks what is no text", reason("ordering", { ordering = { 0 / 0 } }))
    assert.equal("ranks an option twice: a", reason("choice", { ordering = { "a", "a" } }))
    assert.equal("chooses what is no text", reason("choice", { choice = 3 }, {}))
    assert.equal("no approvals", reason("approvals", { approvals = "a" }))
    assert.equal("scores nothing", reason("scores", { scores = {} }))
    assert.equal("scores an unknown option: c", reason("scores", { scores = { c = 1, d = 2, a = 1 } }))
    assert.equal("no confidence", reason("confidence", { choice = "a" }))
    assert.equal("its confidence is not between 0 and 1", reason("confidence", { choice = "a", confidence = "high" }))
    assert.equal("its weight is no number from 0 to 1e12", reason("choice", { choice = "a", weight = -1 }))
    assert.equal("its voter is no text", reason("choice", { voter = 0 / 0, choice = "a" }))
  end)

  it("quotes no more of a name than fits a line", function()
    assert.is_true(#reason("choice", { choice = ("x"):rep(10000) .. "\0" }) < 120)
  end)

  it("counts a voter's first readable ballot", function()
    local read = ballots.read("choice", { { voter = "x" }, { voter = "x", choice = "a" }, { voter = "x", choice = "b" }, { choice = "b" },
      { choice = "b" } }, {})
    assert.same({ "a", "b", "b" }, read.votes)
    assert.equal(2, #read.discarded)
  end)

  it("weighs by the option before the ballot", function()
    local read = ballots.read("choice", { { voter = "x", choice = "a", weight = 2 }, { voter = "y", choice = "a", weight = 3 },
      { voter = "z", choice = "a" } }, { weights = { x = 5 } })
    assert.same({ 5, 3, 1 }, read.weights)
    assert.equal(9, read.total)
  end)

  it("does not take one list for the repetition of another", function()
    local shared = { "a", "b" }
    assert.equal(2, #ballots.read("ordering", { { ordering = shared }, { ordering = shared } }, {}).votes)
  end)
end)
