local helper = require "spec.helper"
local support = require "spec.telemetry.support"
local T = require "spec.engine.support"

local heard

after_each(function()
  if heard then heard:stop() end
  heard = nil
end)

describe("telemetry of attempts", function()
  it("tells of each attempt", function()
    helper.virtual(function()
      T.answers { a = { { error = { status = 503 } }, "good" } }
      heard = support.listen "provider.request.stop"
      T.ask { ids = { "a" } }
      assert.same({ 1, 2 }, { heard[1].metadata.attempt, heard[2].metadata.attempt })
      assert.equal(2, #heard)
    end)
  end)
end)
