local T = require "spec.rules.support"
local decide = require("curia.rules").decide

describe("approval", function()
  T.neutral_properties(it, "approval", "approvals")

  it("counts who is approved of, by however many", function()
    local d = decide("approval", { { approvals = { "a", "b" } }, { approvals = { "b", "c" } }, { approvals = {} } },
      { options = { "a", "b", "c" } })
    assert.same({ "b", 2, 1 / 3, 3 }, { d.winner, d.scores.b, d.margin, d.effective_voters })
  end)

  it("takes a choice for the approval of one", function()
    assert.equal("b", decide("approval", { { choice = "b" }, { approvals = { "a", "b" } } }).winner)
  end)
end)
