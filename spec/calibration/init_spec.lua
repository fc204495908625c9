local calibration = require "curia.calibration"

local function record(count, confidence, correct)
  for _ = 1, count do calibration.record({ member = "a", confidence = confidence }, correct) end
end

describe("calibration", function()
  before_each(function() calibration.forget() end)
  after_each(function() calibration.forget() end)

  it("leaves numbers as they are below twenty outcomes", function()
    assert.equal(0.9, calibration.apply("a", 0.9))
    record(19, 0.9, false)
    assert.equal(0.9, calibration.apply("a", 0.9))
    record(1, 0.9, false)
    assert.equal(0, calibration.apply("a", 0.9))
  end)

  it("maps numbers to how often they were right, for each member alone", function()
    record(5, 0.5, true)
    record(5, 0.5, false)
    record(8, 0.9, true)
    record(2, 0.9, false)
    assert.equal(0.5, calibration.apply("a", 0.5))
    assert.equal(0.8, calibration.apply("a", 0.9))
    assert.equal(0.8, calibration.apply("a", 1))
    assert.is_true(math.abs(calibration.apply("a", 0.7) - 0.65) < 1e-9)
    assert.equal(0.9, calibration.apply("b", 0.9))
    calibration.forget "a"
    assert.equal(0.9, calibration.apply("a", 0.9))
  end)

  it("learns from what was said before it was calibrated", function()
    for _ = 1, 20 do
      assert.is_true(calibration.record({ member = "a", confidence = 0.2, metadata = { raw_confidence = 0.9 } }, true))
    end
    assert.equal(1, calibration.apply("a", 0.9))
    assert.is_false(calibration.record({ member = "a", metadata = {} }, true))
  end)

  it("makes curves of outcomes that are kept elsewhere", function()
    local outcomes = {}
    for i = 1, 20 do outcomes[i] = { confidence = 0.9, correct = i % 2 == 0 } end
    assert.equal(0.5, calibration.curve(outcomes)(0.9))
    outcomes[20] = nil
    assert.equal(0.9, calibration.curve(outcomes)(0.9))
  end)

  it("raises where it is misused", function()
    assert.error_matches(function() calibration.record("a", true) end, "bad argument #1 to 'record'")
    assert.error_matches(function() calibration.record({ member = "a", confidence = 2 }, true) end, "bad argument #1")
    assert.error_matches(function() calibration.record({ member = "a", confidence = 1 }, 1) end, "bad argument #2")
    assert.error_matches(function() calibration.curve { { 1 } } end, "outcome 1 is not")
    assert.error_matches(function() calibration.curve() end, "bad argument #1")
  end)
end)
