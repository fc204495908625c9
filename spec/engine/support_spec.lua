local T = require "spec.engine.support"

describe("what this version cannot do yet", function()
  before_each(function() T.script "yes" end)

  it("is refused by name in options", function()
    local result, err = T.ask({ ids = { "a" } }, "Why?", { council_version = "1" })
    assert.is_nil(result)
    assert.equal("unsupported", err.kind)
    assert.matches("option council_version", err.message, nil, true)
  end)

  it("does not hinder what says that it wants none of it", function()
    assert.equal("ok", T.ask({ ids = { "a" } }, "Why?", { recorder = false }).status)
  end)
end)
