local driver = require "spec.kill.driver"
local helper = require "spec.helper"
local rivals = require "spec.kill.rivals"

local KILLS, LONG_MS = 25, 900000

local function check(campaign)
  local found = helper.run(function() return campaign(KILLS) end, LONG_MS)
  assert.is_true(found.kills >= KILLS)
  assert.same({ 0, 0, 0, 0 }, { found.repeated, found.lost, found.duplicates, found.different })
end

describe("processes that are killed", function()
  it("pay for nothing twice, lose nothing, deliver nothing twice, and come to the same", function()
    check(driver.campaign)
  end)

  it("do so with rivals on the same store, that take them for dead too early besides", function()
    check(rivals.campaign)
  end)
end)
