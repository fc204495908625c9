local T = require "spec.engine.support"

local function refused(body, opts)
  body.ids = { "a" }
  local result, err = T.ask(body, "Why?", opts)
  assert.is_nil(result)
  return err
end

describe("what this version cannot do yet", function()
  before_each(function() T.script "yes" end)

  it("is refused by name in councils", function()
    for field, value in pairs { durability = "sync", recovery = "resume" } do
      local err = refused { [field] = value }
      assert.equal("unsupported", err.kind, field)
      assert.matches(field, err.message)
    end
  end)

  it("is refused by name in options", function()
    for field, value in pairs { durability = "sync", recovery = "resume", stack = "s", env = "e",
      council_version = "1" } do
      local err = refused({}, { [field] = value })
      assert.equal("unsupported", err.kind, field)
      assert.matches("option " .. field, err.message, nil, true)
    end
  end)

  it("is named all at once", function()
    assert.equal(2, #refused({ durability = "sync", recovery = "resume" }).context.fields)
  end)

  it("does not hinder what says that it wants none of it", function()
    assert.equal("ok", T.ask({ durability = "none" }, "Why?", { recorder = false }).status)
  end)
end)
