local driver = require "spec.kill.driver"
local helper = require "spec.helper"

local KILLS = 25

describe("processes that are killed", function()
  it("pay for nothing twice, lose nothing, deliver nothing twice, and come to the same", function()
    local found = helper.run(function() return driver.campaign(KILLS) end, 900000)
    assert.is_true(found.kills >= KILLS)
    found.example = nil
    assert.same({ 0, 0, 0, 0 }, { found.repeated, found.lost, found.duplicates, found.different })
  end)
end)
