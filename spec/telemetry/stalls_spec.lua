local curia = require "curia"
local helper = require "spec.helper"
local support = require "spec.telemetry.support"
local task = require "curia.task"

local heard

after_each(function()
  if heard then heard:stop() end
  heard = nil
end)

describe("telemetry of stalls", function()
  it("tells of turns that held the loop", function()
    local before = require("curia.config").shared():get "loop_stall_ms"
    curia.config { loop_stall_ms = 20 }
    heard = support.listen "loop.stall"
    helper.run(function()
      local till = os.clock() + 0.05
      while os.clock() < till do end
      for _ = 1, 3 do task.sleep(1) end
    end)
    curia.config { loop_stall_ms = before }
    local longest_us = 0
    for _, event in ipairs(heard) do longest_us = math.max(longest_us, event.measurements.duration_us) end
    assert.is_true(longest_us >= 40000)
  end)
end)
