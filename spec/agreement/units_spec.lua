local units = require "curia.agreement.units"

describe("the units of agreement", function()
  it("are the options, with a place, a score, an approval or a grade by each voter", function()
    local ballots = { { voter = "x", ordering = { "b", "a" }, scores = { a = 1, b = 0 / 0 }, approvals = { "a" }, grades = { a = "ok", b = "?" } },
      { voter = "y", ordering = { "a" }, scores = { a = 3 }, approvals = { "b" }, grades = { a = "no" } } }
    local read, voters = units.read({ ballots }, "scores")
    assert.same({ { { x = 1, y = 3 } }, { "x", "y" } }, { read, voters })
    assert.same({ { x = 2, y = 1 } }, (units.read({ { { voter = "x", grades = { a = "ok" } }, ballots[2] } }, "grades", { "no", "ok" })))
    local approvals = units.read({ ballots }, "approvals")
    assert.same({ { x = 1, y = 0 }, { x = 0, y = 1 } }, approvals)
    assert.equal(2, #units.read({ ballots }, "ordering"))
  end)

  it("are a decision each for choices", function()
    local read = units.read({ { { voter = "x", choice = "a" }, { voter = "y", choice = "b" } }, { { voter = "x", choice = "b" } } }, "choice")
    assert.same({ { x = "a", y = "b" }, { x = "b" } }, read)
  end)

  it("leave out ballots without the field", function()
    local read, voters = units.read({ { { voter = "x" }, { voter = "y", discarded = "?", ordering = { "a" } }, { ordering = { "a" } } } }, "ordering")
    assert.same({ { { ["ballot 3"] = 1 } }, { "ballot 3" } }, { read, voters })
  end)

  it("leave out what is no ballot, no name and no voter", function()
    local nan = 0 / 0
    local read, voters = units.read({ { "x", { voter = nan, ordering = { nan, "a" } } } }, "ordering")
    assert.same({ { { ["ballot 2"] = 2 } }, { "ballot 2" } }, { read, voters })
    assert.same({ { ["ballot 1"] = 1 } }, (units.read({ { { approvals = { nan, "a" } } } }, "approvals")))
    assert.is_nil(units.field_of "x")
  end)

  it("find the field that tells most of a ballot", function()
    assert.equal("ordering", units.field_of { choice = "a", ordering = { "a" } })
    assert.equal("choice", units.field_of { choice = "a" })
    assert.is_nil(units.field_of {})
  end)
end)
