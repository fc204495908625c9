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

  it("opens councils that were registered as data, once, and names what is wrong with them", function()
    local registry = support.config().registry
    registry:register("council", "data", { members = { { id = "m", model = "one/m" } }, rounds = { "think" } })
    registry:register("sub_council", "bad", { members = { { id = "m", run = print } } })
    local made = council.named("data", registry)
    assert.same({ "data", 1 }, { made.name, #made:spec().members })
    assert.equal(made, council.named("data", registry))
    assert.is_nil((council.named("nowhere", registry)))
    assert.same({ ["members[1].run"] = "not_serializable" }, support.codes(select(2, council.named("bad", registry))))
  end)

  it("tells what has no data form", function()
    local made = council.new("a", { member "m" { system = print, run = print }, round { build = print }, router = print })
    local text, err = made:to_json()
    assert.is_nil(text)
    assert.same({ "invalid_council", "not_serializable" }, { err.kind, err.code })
    assert.same({
      ["members[1].system"] = "not_serializable", ["members[1].run"] = "not_serializable", router = "not_serializable",
      ["rounds[1].type"] = "not_serializable", ["rounds[1].type.build"] = "not_serializable",
    }, support.codes(err.context.faults))
    assert.equal("wrong_type", select(2, council.new("b", { members = 7 }):to_json()).code)
  end)

  describe("gives a new council", function()
    local made = council.new("a", {
      profile = "plain", member "x" { role = "first" }, member "y" {}, round "think" { members = { "x" } }, chair {},
    })

    local function ids(edited)
      local list = {}
      for i, item in ipairs(edited:spec().members) do list[i] = item and item.id end
      return list
    end

    local function codes(edited)
      return support.codes(select(2, require("curia.language.validate").validate(edited, support.config())))
    end

    it("and leaves the old one as it is", function()
      local before = made:spec()
      made:add_member(member "z" {}):remove_member("x"):clear_chair():set_metadata { a = 1 }
      assert.same(before, made:spec())
    end)

    it("with another member", function()
      assert.same({ "x", "y", "z" }, ids(made:add_member(member "z" {})))
      assert.same({ "x", "y", "z" }, ids(made:add_member { id = "z", timeout = "2s" }))
      assert.equal(2000, made:add_member { id = "z", timeout = "2s" }:spec().members[3].timeout_ms)
      assert.same({ ["members[3].id"] = "duplicate_id" }, codes(made:add_member(member "x" {})))
      assert.same({ ["members[3]"] = "wrong_type" }, codes(made:add_member(7)))
    end)

    it("with a member in another's place", function()
      local edited = made:upsert_member(member "x" { role = "second" })
      assert.same({ "x", "y" }, ids(edited))
      assert.equal("second", edited:spec().members[1].role)
      assert.same({ "x", "y", "z" }, ids(made:upsert_member { id = "z" }))
    end)

    it("without a member", function()
      assert.same({ "x" }, ids(made:remove_member "y"))
      assert.same({ "x", "y" }, ids(made:remove_member "nobody"))
      assert.same({ ["rounds[1].members[1]"] = "unknown_member" }, codes(made:remove_member "x"))
    end)

    it("with another round", function()
      local edited = made:add_round "review":add_round(round "think" { timeout = "1s" }):add_round { type = "review" }
      local types = {}
      for i, item in ipairs(edited:spec().rounds) do types[i] = item.type end
      assert.same({ "think", "review", "think", "review" }, types)
      assert.equal(1000, edited:spec().rounds[3].timeout_ms)
      assert.same({}, codes(edited))
    end)

    it("with another chair, or none", function()
      assert.equal("z", made:set_chair(chair "z" {}):spec().chair.id)
      assert.equal("chair", made:set_chair { role = "r" }:spec().chair.id)
      assert.is_nil(made:clear_chair():spec().chair)
      assert.same({ chair = "wrong_type" }, codes(made:set_chair(7)))
      assert.same({}, codes(made:set_chair(7):set_chair {}))
      assert.same({}, codes(made:set_chair(7):clear_chair()))
    end)

    it("with other fields, or without them", function()
      local edited = made:set_default_profile "other":set_router(print):set_metadata { a = 1 }:set_tools { "search" }
      local spec = edited:spec()
      assert.same({ "other", print, { a = 1 }, { "search" } }, { spec.profile, spec.router, spec.metadata, spec.tools })
      spec = edited:set_default_profile(nil):set_router(nil):set_metadata(nil):set_tools(nil):spec()
      assert.same({}, { spec.profile, spec.router, spec.metadata, spec.tools })
      assert.same({ router = "wrong_type" }, codes(made:set_router(7)))
    end)

    it("that has a data form again", function()
      local text = assert(made:add_member { id = "z" }:to_json())
      assert.equal(text, assert(made:upsert_member { id = "z" }:to_json()))
    end)
  end)

  it("is not changed by assignment", function()
    local made = council.new("a", {})
    assert.error_matches(function() made.members = {} end, "field 'members' of council 'a' cannot be set")
  end)
end)
