local duration = require "curia.duration"

describe("curia.duration", function()
  it("takes numbers as milliseconds", function()
    assert.equal(0, duration.parse(0))
    assert.equal(1500, duration.parse(1500))
    assert.equal("integer", math.type(duration.parse(1500.0)))
  end)

  it("reads texts with a unit", function()
    for text, ms in pairs { ["1500ms"] = 1500, ["30s"] = 30000, ["2m"] = 120000, ["1h"] = 3600000, ["1.5s"] = 1500,
      ["0s"] = 0, ["1.1s"] = 1100 } do
      assert.equal(ms, duration.parse(text), text)
      assert.equal("integer", math.type(duration.parse(text)))
    end
  end)

  it("refuses everything else with a reason", function()
    for _, wrong in ipairs { "30", "", "s", "30 s", " 30s", "30S", "-1s", "1e3s", "30sec", "1w", "0x10s", ".5s", true,
      {}, "30s\n" } do
      local ms, message = duration.parse(wrong)
      assert.is_nil(ms, tostring(wrong))
      assert.equal(duration.EXPECTED, message)
    end
  end)

  it("keeps to whole milliseconds in a sensible range", function()
    for _, wrong in ipairs { -1, 0.5, "0.5ms", math.huge, 0 / 0, 2 ^ 53, math.maxinteger, "99999999h",
      ("9"):rep(400) .. "s" } do
      local ms, message = duration.parse(wrong)
      assert.is_nil(ms, tostring(wrong))
      assert.matches("must be", message)
    end
  end)
end)
