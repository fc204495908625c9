local council = require "curia.council"
local dsl = require "curia.language.dsl"
local support = dofile "spec/language/support.lua"

local member, round, chair = dsl.member, dsl.round, dsl.chair

describe("curia.council", function()
  it("knows its own kind", function()
    assert.is_true(council.is(council.new("a", {})))
    assert.is_false(council.is({ name = "a" }))
    assert.is_false(council.is(nil))
  end)

  it("prints its name and size", function()
    assert.equal("council 'a' (0 members, 0 rounds)", tostring(council.new("a", {})))
    assert.equal("council 'a' (2 members, 1 round, chair)",
      tostring(council.new("a", { member "x" {}, member "y" {}, round "think" {}, chair {} })))
  end)

  it("gives its spec as plain data of the caller's own", function()
    local made = council.new("a", { about = "x", member "m" { stop = { "s" } }, round "think" {} })
    local spec = made:spec()
    assert.is_nil(getmetatable(spec))
    assert.equal("a", spec.name)
    assert.equal(1, spec.schema_version)
    spec.members[1].stop[1] = "changed"
    spec.about = nil
    assert.equal("s", made:spec().members[1].stop[1])
    assert.equal("x", made:spec().about)
  end)

  it("names its providers, those of sub-councils included", function()
    local config = support.config()
    config.registry:register("council", "named", dsl.council "named" { member "n" { model = "two/m" } })
    local inner = dsl.council "inner" { member "i" { council = "named" }, member "j" { provider = "scripted" } }
    local made = council.new("a", {
      profile = "plain", member "m" {}, member "c" { council = inner }, member "l" { run = print }, chair {},
    })
    assert.same({ "one", "scripted", "two" }, made:providers(config))
    assert.same({}, council.new("b", { run = print }):providers(config))
  end)

  it("survives councils that contain themselves", function()
    local config = support.config()
    config.registry:register("council", "loop", dsl.council "loop" { member "x" { council = "loop" } })
    assert.same({}, config.registry:lookup("council", "loop"):providers(config))
  end)

  it("is not changed by assignment", function()
    local made = council.new("a", {})
    assert.error_matches(function() made.members = {} end, "field 'members' of council 'a' cannot be set")
  end)
end)
