local fields = require "curia.language.fields"
local names = require "curia.language.names"
local registries = require "curia.registry"

describe("curia.language.names", function()
  local registry

  before_each(function()
    registry = registries.new()
    registry:register("function", "f", print)
    registry:register("router", "r", print)
    registry:register("schema", "s", { type = "object" })
    registry:register("rule", "borda", print)
  end)

  it("puts what is registered in the place of its name", function()
    local record = { transform = "f", schema = "s", system = { ["function"] = "f" }, role = "r", validate = "unknown" }
    names.resolve(fields.member, record, registry)
    assert.same({ transform = print, schema = { type = "object" }, system = print, role = "r", validate = "unknown" }, record)
  end)

  it("leaves what is no name, and names that say which rule decided", function()
    local record, fn = { router = "r", rule = "borda", schema = { type = "null" }, quorum = "majority" }, function() end
    names.resolve(fields.round, record, registry)
    assert.same({ router = print, rule = "borda", schema = { type = "null" }, quorum = "majority" }, record)
    assert.equal(fn, names.value(fields.round.router, fn, registry))
  end)
end)
