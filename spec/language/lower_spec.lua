local dsl = require "curia.language.dsl"
local lower = require "curia.language.lower"
local support = dofile "spec/language/support.lua"

local member, round, chair = dsl.member, dsl.round, dsl.chair

describe("curia.language.lower", function()
  it("keeps members and rounds in the order in which they stand", function()
    local spec, faults = lower.council("c", {
      round "think" {}, member "b" {}, round "review" { depth = 2 }, member "a" {}, chair {}, about = "x",
    })
    assert.equal(0, #faults)
    assert.same({
      schema_version = 1, name = "c", about = "x",
      members = { { id = "b" }, { id = "a" } },
      rounds = { { type = "think" }, { type = "review", depth = 2 } },
      chair = { id = "chair" },
    }, spec)
  end)

  it("makes the same spec from lists and plain tables", function()
    local positional = lower.council("c", {
      member "a" { model = "m" }, round "think" {}, chair "head" { model = "n" },
    })
    local listed = lower.council("c", {
      members = { { id = "a", model = "m" } }, rounds = { "think" }, chair = { id = "head", model = "n" },
    })
    local mixed = lower.council("c", {
      members = { member { id = "a", model = "m" } }, rounds = { { type = "think" } },
      chair = chair "head" { model = "n" },
    })
    assert.same(positional, listed)
    assert.same(positional, mixed)
  end)

  it("turns durations into milliseconds and whole floats into integers", function()
    local spec = lower.council("c", {
      member "a" { timeout = "30s", deadline_ms = "2m", max_tokens = 8192 / 2, retry = { base = "1s", max_ms = 5 } },
      round "think" { timeout = "45s", grace = 10 },
      grace = "5s",
    })
    assert.same({ id = "a", timeout_ms = 30000, deadline_ms = 120000, max_tokens = 4096,
      retry = { base_ms = 1000, max_ms = 5 } }, spec.members[1])
    assert.equal("integer", math.type(spec.members[1].max_tokens))
    assert.same({ type = "think", timeout_ms = 45000, grace_ms = 10 }, spec.rounds[1])
    assert.equal(5000, spec.grace_ms)
  end)

  it("leaves what is wrong for validation to find", function()
    local spec = lower.council("c", { member "a" { timeout = "soon", timeout_ms = 1, odd = true } })
    assert.same({ id = "a", timeout = "soon", timeout_ms = 1, odd = true }, spec.members[1])
  end)

  it("makes lists of single texts", function()
    local spec = lower.council("c", { member "a" { stop = "END", fallback = { "one/m", { model = "two/n" } } } })
    assert.same({ "END" }, spec.members[1].stop)
    assert.same({ { model = "one/m" }, { model = "two/n" } }, spec.members[1].fallback)
  end)

  it("ignores holes and items that a condition left out", function()
    local spec, faults = lower.council("c", { member "a" {}, nil, false, member "b" {} })
    assert.equal(0, #faults)
    assert.equal("b", spec.members[2].id)
    spec, faults = lower.council("c", { members = { false, { id = "a" }, nil, { id = "b" } } })
    assert.equal(0, #faults)
    assert.same({ { id = "a" }, { id = "b" } }, spec.members)
  end)

  it("takes a declaration without braces as one without fields", function()
    local spec = lower.council("c", { member "a", round "think" })
    assert.same({ { id = "a" } }, spec.members)
    assert.same({ { type = "think" } }, spec.rounds)
  end)

  it("keeps a round of the user's own as it is", function()
    local mine = { name = "mine", build = function() end }
    local spec = lower.council("c", { round(mine) { timeout = "1s" }, rounds = nil })
    assert.equal(mine, spec.rounds[1].type)
    assert.equal(1000, spec.rounds[1].timeout_ms)
    assert.equal(mine, lower.council("c", { rounds = { mine } }).rounds[1].type)
  end)

  it("copies what it is given", function()
    local body = { member "a" { metadata = { deep = { 1 } } }, metadata = { x = 1 } }
    local spec = lower.council("c", body)
    body[1].body.metadata.deep[1] = 2
    body.metadata.x = 2
    assert.equal(1, spec.members[1].metadata.deep[1])
    assert.equal(1, spec.metadata.x)
  end)

  it("copies cycles, marked tables and shared objects", function()
    local mark, object = {}, setmetatable({}, { __name = "an.object" })
    local data = { list = setmetatable({ 1 }, mark), object = object }
    data.self = data
    local copy = lower.copy(data)
    assert.equal(copy, copy.self)
    assert.equal(mark, getmetatable(copy.list))
    assert.not_equal(data.list, copy.list)
    assert.equal(object, copy.object)
  end)

  it("unfolds rounds that stand among a round's options", function()
    local spec = lower.council("c", { member "a" {}, round "again" { round = round "think" { timeout = "2s" } } })
    assert.same({ type = "again", round = { type = "think", timeout = "2s" } }, spec.rounds[1])
  end)

  it("puts another name's value under the name that counts", function()
    local rules = { ["until"] = { type = "string", doc = "x" }, stop_when = { type = "string", doc = "x", alias = "until" } }
    assert.same({ ["until"] = "x" }, lower.record(rules, { stop_when = "x" }))
    assert.same({ ["until"] = "x", stop_when = "y" }, lower.record(rules, { ["until"] = "x", stop_when = "y" }))
  end)

  it("reports what has no form", function()
    local function codes(body)
      local _, faults = lower.council("c", body)
      return support.codes(faults)
    end
    assert.same({ ["[2]"] = "wrong_type" }, codes { member "a" {}, "junk" })
    assert.same({ members = "wrong_type" }, codes { members = { a = {} } })
    assert.same({ members = "wrong_type" }, codes { members = "a" })
    assert.same({ members = "conflict" }, codes { member "a" {}, members = { { id = "b" } } })
    assert.same({ ["members[1]"] = "wrong_type" }, codes { members = { round "think" {} } })
    assert.same({ ["rounds[2]"] = "wrong_type" }, codes { rounds = { "think", 7 } })
    assert.same({ chair = "conflict" }, codes { chair {}, chair = {} })
    assert.same({ chair = "wrong_type" }, codes { chair = "head" })
    assert.same({ ["members[1].id"] = "conflict" }, codes { member "a" { id = "b" } })
    assert.same({ name = "conflict" }, codes { name = "d" })
    assert.same({}, codes { name = "c" })
  end)
end)
