local curia = require "curia"
local T = require "spec.engine.support"

local function refused(body, fields)
  body.ids = { "a" }
  body.members = { a = fields }
  local result, err = T.ask(body)
  assert.is_nil(result)
  return err
end

describe("what this version cannot do yet", function()
  before_each(function() T.script "yes" end)

  it("is refused by name in members and chair", function()
    for field, value in pairs { schema = { type = "object" }, confidence = "self_report" } do
      local err = refused({}, { [field] = value })
      assert.equal("unsupported", err.kind, field)
      assert.matches("members.a." .. field, err.message, nil, true)
      assert.same({ "members.a." .. field }, err.context.fields)
      assert.equal("unsupported", refused({ chair = { provider = "test", model = "m", [field] = value } }).kind)
    end
    local inner = T.council {}
    assert.equal("unsupported", select(2, curia.run(curia.council "outer" {
      members = { { id = "a", council = inner } }, rounds = { { type = "independent_analysis" } } }, "x")).kind)
  end)

  it("is refused by name in councils and rounds", function()
    for field, value in pairs { durability = "sync", recovery = "resume" } do
      local err = refused { [field] = value }
      assert.equal("unsupported", err.kind, field)
      assert.matches(field, err.message)
    end
    for field, value in pairs { schema = { type = "object" }, rule = "borda" } do
      local err = refused { rounds = { { type = "independent_analysis", [field] = value } } }
      assert.equal("unsupported", err.kind, field)
      assert.matches("rounds[1]." .. field, err.message, nil, true)
    end
  end)

  it("is named all at once", function()
    local err = refused({ recovery = "resume" }, { schema = { type = "object" } })
    assert.equal(2, #err.context.fields)
  end)

  it("does not hinder what says that it wants none of it", function()
    assert.equal("ok", T.ask({ durability = "none" }, "Why?", { recorder = false }).status)
  end)
end)
