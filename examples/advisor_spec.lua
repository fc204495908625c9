--- The specs of a council: what a council of yours may have beside it.
--
--     curia test examples/advisor_spec.lua
local curia = require "curia"
local testing = require "curia.testing"

local function advisor()
  return curia.council "advisor" {
    profile = "fast",
    curia.member "optimist" { system = "You see what could go right." },
    curia.member "skeptic" { system = "You see what could go wrong." },
    curia.round "independent_analysis" {},
    curia.chair { system = "Decide." },
  }
end

describe("the advisor", function()
  it("is a council without a fault", function()
    assert.is_true(curia.validate(advisor()))
  end)

  it("asks both, then lets the chair decide", function()
    local council, script = testing.script(advisor(), {
      optimist = "Ship it.", skeptic = "Wait.", chair = "Ship on Monday.",
    })
    local capture = testing.capture()
    local result = curia.run(council, "Ship on Friday?", { subscribe = capture })
    testing.assert_round_completed(result, "independent_analysis", { members = { optimist = "ok", skeptic = "ok" } })
    testing.assert_no_failures(result)
    assert.equal("Ship on Monday.", result.final.content)
    assert.same({}, script:unused())
    assert.equal(3, #capture:requests())
  end)

  it("decides without the skeptic, and says so", function()
    local council = testing.script(advisor(), {
      optimist = "Ship it.", skeptic = { error = { status = 400, message = "no such model" } }, chair = "Ship.",
    })
    local result = curia.run(council, "Ship on Friday?")
    assert.equal("partial", result.status)
    testing.assert_member(result, "skeptic", "error")
    assert.equal("Ship.", result.final.content)
  end)
end)
