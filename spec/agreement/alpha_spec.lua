local alpha = require("curia.agreement.alpha").alpha

-- Each judge's values as a text, unit by unit; a dot is a value that is missing.
local function units_of(rows, read)
  local units = {}
  for judge, row in ipairs(rows) do
    local unit = 0
    for value in row:gmatch "%S" do
      unit = unit + 1
      units[unit] = units[unit] or {}
      units[unit]["judge " .. judge] = value ~= "." and read(value) or nil
    end
  end
  return units
end

local function assert_alpha(expected, units, level)
  assert.equal(expected, ("%.3f"):format(alpha(units, level)))
end

-- The examples of Krippendorff, Computing Krippendorff's Alpha-Reliability (2011).
describe("Krippendorff's alpha", function()
  it("agrees with example A: two judges, two values", function()
    assert_alpha("0.095", units_of({ "0 1 0 0 0 0 0 0 1 0", "1 1 1 0 0 1 0 0 0 0" }, tonumber), "nominal")
  end)

  it("agrees with example B: two judges, names", function()
    assert_alpha("0.692", units_of({ "a a b b d c c c e d d a", "b a b b b c c c e d d d" }, tostring), "nominal")
  end)

  it("agrees with examples C and D: four judges, missing values, three levels", function()
    local units = units_of({
      "1 2 3 3 2 1 4 1 2 . . .", "1 2 3 3 2 2 4 1 2 5 . 3", ". 3 3 3 2 3 4 2 2 5 1 .", "1 2 3 3 2 4 4 1 2 5 1 .",
    }, tonumber)
    assert_alpha("0.743", units, "nominal")
    assert_alpha("0.815", units, "ordinal")
    assert_alpha("0.849", units, "interval")
  end)

  it("is 1 for perfect agreement", function()
    assert.equal(1, alpha({ { x = 1, y = 1 }, { x = 2, y = 2 } }, "interval"))
  end)

  it("is nil where it says nothing", function()
    assert.is_nil(alpha {})
    assert.is_nil(alpha { { x = "a", y = "b" } })
    assert.is_nil(alpha { { x = "a", y = "a" }, { x = "a", y = "a" } })
    assert.is_nil(alpha { { x = "a" }, { y = "b" } })
  end)
end)
