local curia = require "curia"
local calibration = require "curia.calibration"
local shared = require "curia.store.shared"
local support = require "spec.recorder.support"

local folder

before_each(function()
  folder = support.open()
  curia.config { reliability = "sqlite" }
end)

after_each(function()
  curia.config { reliability = false }
  support.close(folder)
end)

local function record(count, correct)
  for _ = 1, count do assert.is_true(calibration.record({ member = "ada", confidence = 0.9 }, correct)) end
end

describe("outcomes in a database", function()
  it("make a curve as those in memory do, and outlive the process", function()
    record(10, true)
    record(9, false)
    assert.equal(0.9, calibration.apply("ada", 0.9))
    shared.close()
    record(1, false)
    assert.equal(0.5, calibration.apply("ada", 0.9))
    record(20, true)
    assert.equal(0.75, calibration.apply("ada", 0.9))
    assert.equal(0.9, calibration.apply("bob", 0.9))
  end)

  it("are those of their namespace", function()
    record(20, false)
    curia.config { namespace = "other" }
    assert.equal(0.9, calibration.apply("ada", 0.9))
    curia.config { namespace = "default" }
    assert.equal(0, calibration.apply("ada", 0.9))
  end)

  it("are forgotten there", function()
    record(20, false)
    assert.is_true(calibration.forget "bob")
    assert.equal(0, calibration.apply("ada", 0.9))
    assert.is_true(calibration.forget "ada")
    assert.equal(0.9, calibration.apply("ada", 0.9))
    record(20, false)
    assert.is_true(calibration.forget())
    assert.equal(0.9, calibration.apply("ada", 0.9))
  end)

  it("may stand in a store of their own; one that is down leaves numbers as they are, and is told", function()
    curia.config { reliability = { backend = "sqlite", store = folder.url "own.db" } }
    record(20, false)
    assert.equal(0, calibration.apply("ada", 0.9))
    curia.config { reliability = { backend = "sqlite", store = folder.url "none/a.db" } }
    local value, err = calibration.apply("ada", 0.9)
    assert.same({ 0.9, "storage" }, { value, err.kind })
    assert.equal("storage", select(2, calibration.record({ member = "ada", confidence = 1 }, true)).kind)
  end)
end)
