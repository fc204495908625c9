local A = require "spec.auto.support"
local catalog = require "curia.auto.catalog"

describe("a catalog", function()
  it("takes from each council what its entry does not say", function()
    local law = A.named("law", "Questions of law.")
    local entries = catalog.entries { catalog = { { council = law }, { council = law, id = "x", desc = "y", tags = { "t" } } } }
    assert.same({ "law", "Questions of law." }, { entries[1].id, entries[1].desc })
    assert.same({ "x", "y", "t" }, { entries[2].id, entries[2].desc, entries[2].tags[1] })
  end)

  it("has no entry for a name that is not registered", function()
    assert.same({}, catalog.entries { catalog = { { council = "no such council" } } })
  end)
end)
