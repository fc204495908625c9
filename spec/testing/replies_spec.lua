local helper = require "spec.helper"
local replies = require "curia.testing.replies"

local SPEC = {
  members = { { id = "ann" }, { id = "bob" }, { id = "inner", council = "x" } },
  rounds = { { type = "independent_analysis" } },
}

describe("a council's part of a script", function()
  it("answers for all, by a function, or by member", function()
    for _, given in ipairs { "Yes.", function() return "Yes." end, { ann = "Yes." }, { ann = function() return "Yes." end } } do
      local made = replies.of(given, SPEC, "", {})
      assert.equal("Yes.", made:answer { member = "ann", round = "independent_analysis" })
    end
  end)

  it("notes and raises what has no answer", function()
    local missing = {}
    local made = replies.of({ bob = "x" }, SPEC, "", missing)
    local err = helper.fails(function() made:answer { member = "bobb", round = "vote" } end)
    assert.equal("member bobb, round vote: no answer is scripted for this member; did you mean 'bob'?", err.message)
    assert.same({ err.message }, missing)
  end)

  it("hands the part of a council inside of it on", function()
    assert.equal("text", replies.of("text", SPEC, "", {}):inside "inner")
    assert.same({ x = "y" }, replies.of({ inner = { x = "y" } }, SPEC, "", {}):inside "inner")
    assert.same({}, replies.of({}, SPEC, "", {}):inside "inner")
  end)
end)
