local curia = require "curia"

local function ranks(voter, ...)
  return { voter = voter, ordering = { ... } }
end

describe("agreement", function()
  it("compares voters two by two", function()
    local a = curia.agreement { ranks("x", "a", "b", "c"), ranks("y", "a", "b", "c"), ranks("z", "c", "b", "a") }
    assert.same({ "ordering", "ordinal", 3 }, { a.field, a.level, a.units })
    assert.same({ "x", "y", "z" }, { table.unpack(a.voters) })
    assert.same({ x = 1, y = 1, z = (0 + 1 + 0) / 3 }, a.matrix.x)
    assert.is_true(math.abs(a.mean - (1 + 1 / 3 + 1 / 3) / 3) < 1e-12)
    assert.is_true(a.alpha < 0.5)
  end)

  it("is about all decisions of a run, and those of a round", function()
    local first = curia.decide("plurality", { { voter = "x", choice = "a" }, { voter = "y", choice = "a" } })
    local second = curia.decide("plurality", { { voter = "x", choice = "b" }, { voter = "y", choice = "b" } })
    local run = { rounds = { { decision = first }, { results = {} }, { decision = second } } }
    local a = curia.agreement(run)
    assert.same({ "choice", 2, 1, 1 }, { a.field, a.units, a.alpha, a.matrix.x.y })
    assert.equal(1, curia.agreement(run.rounds[1]).units)
    assert.is_nil(curia.agreement(first).alpha)
  end)

  it("reads grades on the scale of their decision", function()
    local d = curia.decide("majority_judgment", { { voter = "x", grades = { a = "good", b = "poor" } },
      { voter = "y", grades = { a = "good", b = "reject" } } })
    local a = curia.agreement(d)
    assert.same({ "grades", "ordinal" }, { a.field, a.level })
    assert.is_true(a.matrix.x.y > 0.8 and a.matrix.x.y < 1)
  end)

  it("takes another field or level where it is told to", function()
    local ballots = { { voter = "x", choice = "a", scores = { a = 1, b = 2 } }, { voter = "y", choice = "a", scores = { a = 2, b = 1 } } }
    assert.equal(0, curia.agreement(ballots).matrix.x.y)
    assert.equal(1, curia.agreement(ballots, { field = "choice" }).matrix.x.y)
    assert.equal("nominal", curia.agreement(ballots, { level = "nominal" }).level)
    assert.error_matches(function() curia.agreement(ballots, { feild = "choice" }) end, "did you mean 'field'")
    assert.error_matches(function() curia.agreement "x" end, "bad argument #1")
  end)

  it("is empty without ballots", function()
    local a = curia.agreement {}
    assert.same({ 0, {}, nil }, { a.units, a.matrix, a.alpha })
  end)
end)
