local rubric = require "curia.ballots.rubric"

describe("curia.ballots.rubric", function()
  it("takes criteria by name, or with weight and scale", function()
    local criteria = rubric.criteria { "clarity", { name = "truth", weight = 3, scale = { 0, 5 }, about = "is it so" } }
    assert.same({ name = "clarity", weight = 1, low = 1, high = 10 }, criteria[1])
    assert.same({ name = "truth", weight = 3, low = 0, high = 5, about = "is it so" }, criteria[2])
  end)

  it("has the usual criteria where none are named", function()
    assert.is_true(#rubric.criteria(nil) >= 2)
  end)

  it("adds up by weight, each criterion on its own scale", function()
    local criteria = rubric.criteria { { name = "x", scale = { 0, 10 } }, { name = "y", scale = { 0, 5 }, weight = 3 } }
    assert.near(0.25, rubric.total(criteria, { x = 10, y = 0 }), 1e-12)
    assert.near(0.75, rubric.total(criteria, { x = 0, y = 5 }), 1e-12)
    assert.equal(1, rubric.total(criteria, { x = 10, y = 5 }))
    assert.equal(0, rubric.total(criteria, { x = 0, y = 0 }))
    assert.equal(0.5, rubric.total(rubric.criteria { { name = "x", scale = { 0, 10 } } }, 5))
  end)

  it("is not undone by weights that are all zero", function()
    assert.equal(0, rubric.total(rubric.criteria { { name = "x", weight = 0 } }, { x = 5 }))
  end)

  it("says what is missing or out of range", function()
    local criteria = rubric.criteria { "x", "y" }
    for reason, scores in pairs {
      ["gives no score for 'y'"] = { x = 5 }, ["scores 'x' with 11, outside of 1 to 10"] = { x = 11, y = 5 },
      ["scores 'x' with 0, outside of 1 to 10"] = { x = 0, y = 5 },
    } do
      local total, why = rubric.total(criteria, scores)
      assert.is_nil(total)
      assert.equal(reason, why)
    end
    assert.equal("gives no score for 'x'", select(2, rubric.total(criteria, { x = "7", y = 1 })))
    assert.equal("scores 'x' with nan, outside of 1 to 10", (select(2, rubric.total(criteria, { x = 0 / 0, y = 1 })):gsub("-nan", "nan")))
    assert.equal("gives no score for 'y'", select(2, rubric.total(criteria, 7)))
  end)

  it("finds a scale that is none", function()
    assert.is_nil(rubric.fault { "x", { name = "y", scale = { 0, 1 } } })
    assert.is_nil(rubric.fault(nil))
    assert.matches("scale of 'y'", rubric.fault { { name = "y", scale = { 5, 5 } } })
    assert.matches("scale of 'y'", rubric.fault { { name = "y", scale = { 10 } } })
  end)
end)
