local curia = require "curia"
local support = require "spec.telemetry.support"
local T = require "spec.engine.support"

local heard

after_each(function()
  if heard then heard:stop() end
  heard = nil
end)

describe("telemetry of auto", function()
  it("tells of auto's choices", function()
    T.script "yes"
    local auto = curia.auto "choice" {
      strategy = { "cascade", "rules", function() return nil, "none" end },
      catalog = { { council = T.council { name = "code" }, match = "code" }, { council = T.council { name = "law" } } },
      on_no_match = T.council { name = "else" },
    }
    heard = support.listen { "auto.decision", "auto.cascade_step", "auto.catalog_filtered" }
    curia.run(auto, "Write code")
    assert.same({ "rules", "code" }, { heard:of("auto.decision")[1].metadata.strategy,
      heard:of("auto.decision")[1].metadata.catalog_id })
    assert.same({ 1, true }, { #heard:of "auto.cascade_step", heard:of("auto.cascade_step")[1].metadata.chosen })
    assert.same({ total = 2, kept = 2 }, heard:of("auto.catalog_filtered")[1].measurements)
  end)
end)
