local T = require "spec.rules.support"
local decide = require("curia.rules").decide

local function graded(groups)
  local ballots = {}
  for _, group in ipairs(groups) do
    for _ = 1, group[1] do ballots[#ballots + 1] = { grades = group[2] } end
  end
  return ballots
end

describe("majority judgment", function()
  T.neutral_properties(it, "majority_judgment", "grades", { grades = T.GRADES })

  it("finds the capital of Tennessee in the middle", function()
    local near = { memphis = "poor", nashville = "excellent", chattanooga = "good", knoxville = "good" }
    local d = decide("majority_judgment", graded {
      { 42, { memphis = "excellent", nashville = "good", chattanooga = "poor", knoxville = "poor" } }, { 26, near },
      { 15, { memphis = "poor", nashville = "good", chattanooga = "excellent", knoxville = "good" } },
      { 17, { memphis = "poor", nashville = "good", chattanooga = "good", knoxville = "excellent" } },
    })
    assert.equal("nashville", d.winner)
    assert.same({ grade = "good", above = 0.26, below = 0 }, d.detail.gauges.nashville)
    assert.equal("poor", d.detail.gauges.memphis.grade)
    -- 42 poor, 41 good and 17 excellent: the fiftieth from below is good.
    assert.equal("good", d.detail.gauges.knoxville.grade)
  end)

  it("tells equal medians apart by taking medians out", function()
    local d = decide("majority_judgment", graded {
      { 1, { a = "good", b = "excellent" } }, { 1, { a = "good", b = "good" } }, { 1, { a = "poor", b = "reject" } },
    })
    assert.same({ d.scores.a, "a" }, { d.scores.b, d.winner })
    assert.is_false(d.tie)
    -- One step of five, with a third of the voters taken out.
    assert.is_true(math.abs(d.margin - 1 / 5 * 2 / 3) < 1e-12)
  end)

  it("takes a missing grade for the worst", function()
    local d = decide("majority_judgment", { { grades = { a = "good" } }, { grades = { a = "good", b = "excellent" } } })
    assert.same({ "a", 1 }, { d.winner, d.scores.b })
  end)

  it("discards grades that are not on the scale", function()
    local d = decide("majority_judgment", { { voter = "x", grades = { a = "superb" } }, { voter = "y", grades = { a = "ok" } } },
      { grades = { "no", "ok" } })
    assert.same({ { voter = "x", reason = "its grade of a is not on the scale" } }, T.plain(d.discarded))
    assert.equal("a", d.winner)
  end)
end)
