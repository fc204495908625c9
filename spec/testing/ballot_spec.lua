local ballot = require "curia.testing.ballot"
local prompts = require "curia.prompts"

local function asked(...)
  local parts = {}
  for i, text in ipairs { ... } do parts[i] = prompts.fence("Response " .. ("ABC"):sub(i, i), text) end
  return { messages = { { role = "user", content = table.concat(parts, "\n\n") } } }
end

describe("scripted ballots", function()
  it("are known by their fields", function()
    assert.is_true(ballot.is { ordering = { "a" } })
    assert.is_false(ballot.is { content = "x" })
    assert.is_false(ballot.is "choice")
  end)

  it("name members by the labels of their texts", function()
    local said = { ann = { "old", "Ship it." }, bob = { "Wait." } }
    local request = asked("Wait.", "Ship it.")
    assert.same({ ordering = { "Response B", "Response A" }, rationale = "ann" },
      ballot.labelled({ ordering = { "ann", "bob" }, rationale = "ann" }, request, said))
    assert.same({ scores = { ["Response B"] = { clarity = 7 } } },
      ballot.labelled({ scores = { ann = { clarity = 7 } } }, request, said))
  end)

  it("give equal texts different labels, and leave what is no member", function()
    local said = { ann = { "Yes." }, bob = { "Yes." } }
    assert.same({ ordering = { "Response B", "Response A" } },
      ballot.labelled({ ordering = { "bob", "ann" } }, asked("Yes.", "Yes."), said))
    assert.same({ choice = "an option" }, ballot.labelled({ choice = "an option" }, asked "Yes.", said))
  end)
end)
