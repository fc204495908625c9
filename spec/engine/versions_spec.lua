local curia = require "curia"
local helper = require "spec.helper"
local S = require "spec.durable.support"
local T = require "spec.engine.support"

local place

before_each(function()
  place = S.place()
  T.script "Yes."
end)

after_each(function() place.close() end)

local function council(about)
  return T.council { name = "versioned", ids = { "a" }, about = about }
end

local function run_as(made, version)
  return helper.run(function() return curia.run(made, "Why?", { council_version = version, durability = "sync" }) end)
end

describe("a council's version", function()
  it("is the hash of what it says", function()
    assert.matches("^%x+$", council():version())
    assert.equal(council "one":version(), council "one":version())
    assert.are_not.equal(council "one":version(), council "two":version())
    assert.is_nil(T.council { run = function() end }:version())
  end)

  it("may be asked for by its first digits", function()
    local made = council()
    assert.equal("ok", run_as(made, made:version()).status)
    assert.equal("ok", run_as(made, made:version():sub(1, 8)).status)
    assert.is_nil((run_as(made, made:version():sub(1, 7))))
  end)

  it("may be an earlier one that a durable run has stored", function()
    local before, now = council "before", council "now"
    assert(run_as(before, before:version()))
    local run = helper.run(function()
      local started = assert(curia.start(now, "Why?", { council_version = before:version() }))
      started:await()
      return started
    end)
    assert.equal("before", run.plan.spec.about)
  end)

  it("that nobody knows, or another council's, is an error", function()
    local made = council()
    local other = T.council { name = "other", ids = { "a" } }
    assert(run_as(other, other:version()))
    for _, wanted in ipairs { ("0"):rep(64), other:version() } do
      local result, err = run_as(made, wanted)
      assert.is_nil(result)
      assert.same({ "invalid_council", "unknown_version" }, { err.kind, err.code })
      assert.matches("^council versioned is version %x+; version %x+ is not in the store$", err.message)
    end
    local _, err = run_as(T.council { name = "versioned", run = function() end }, made:version())
    assert.matches("is no data, and has no version", err.message)
  end)
end)
