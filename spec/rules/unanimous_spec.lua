local T = require "spec.rules.support"
local decide = require("curia.rules").decide

describe("unanimous", function()
  T.neutral_properties(it, "unanimous", "choice")

  it("needs all votes", function()
    local d = decide("unanimous", T.choices "aaa", { options = { "a", "b" } })
    assert.same({ "a", 1 }, { d.winner, d.margin })
    assert.is_nil(decide("unanimous", T.choices "aab").winner)
  end)

  it("is not held up by what cannot be read, nor by a voter without weight", function()
    local d = decide("unanimous", { { voter = "x", choice = "a" }, { voter = "y" }, { voter = "z", choice = "b", weight = 0 } })
    assert.equal("a", d.winner)
    assert.same({ { voter = "y", reason = "no choice" } }, T.plain(d.discarded))
  end)
end)
