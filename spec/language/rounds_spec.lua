local registries = require "curia.registry"
local rounds = require "curia.language.rounds"

describe("curia.language.rounds", function()
  local registry

  before_each(function()
    registry = registries.new()
    package.preload["curia.rounds.spec_round"] = function()
      return { name = "spec_round", options = { n = { type = "integer", doc = "n" } } }
    end
  end)

  after_each(function()
    for _, name in ipairs { "spec_round", "spec_broken" } do
      package.preload["curia.rounds." .. name], package.loaded["curia.rounds." .. name] = nil, nil
    end
  end)

  it("finds a module by its type", function()
    assert.equal("spec_round", rounds.resolve("spec_round", registry).name)
    assert.is_nil(rounds.resolve("spec_none", registry))
    assert.is_nil(rounds.resolve("../spec_round", registry))
    assert.is_nil(rounds.resolve(nil, registry))
  end)

  it("prefers what is registered, and takes a table as it is", function()
    local mine = { name = "mine" }
    registry:register("round", "spec_round", mine)
    assert.equal(mine, rounds.resolve("spec_round", registry))
    assert.equal(mine, rounds.resolve(mine, registry))
  end)

  it("shows an error inside a round's module", function()
    package.preload["curia.rounds.spec_broken"] = function() error("broken on purpose", 0) end
    assert.error_matches(function() rounds.resolve("spec_broken", registry) end, "broken on purpose")
  end)

  it("adds a module's options to those of every round", function()
    local module = rounds.resolve("spec_round", registry)
    local rules = rounds.fields(module)
    assert.is_table(rules.n)
    assert.is_table(rules.timeout_ms)
    assert.equal(rules, rounds.fields(module))
    assert.is_nil(rounds.fields({}).n)
  end)

  it("counts the calls of a round: its module's word, else one for each member that asks a model", function()
    local a, b, c = { id = "a" }, { id = "b" }, { id = "c", run = print }
    local plan = { members = { a, b, c }, by_id = { a = a, b = b, c = c } }
    local function calls(round)
      round.module = round.module or {}
      return { rounds.calls(round, plan) }
    end
    assert.same({ 2, 2 }, calls {})
    assert.same({ 1, 1 }, calls { members = { "b", "c" } })
    assert.same({ 1, 2 }, calls { router = print })
    assert.same({ 0, 0 }, calls { members = { "c" }, router = print })
    assert.same({ 1, 1 }, calls { module = { chair = true } })
    assert.same({ 2, 9 }, calls { n = 3, module = { calls = function(round, whole) return 2, round.n * #whole.members end } })
  end)

  it("knows which rounds are the chair's", function()
    assert.is_true(rounds.is_chairs("synthesis", {}))
    assert.is_true(rounds.is_chairs("mine", { chair = true }))
    assert.is_false(rounds.is_chairs("think", {}))
  end)

  it("names what is registered and what is shipped", function()
    registry:register("round", "mine", {})
    assert.equal("mine", rounds.names(registry)[1])
  end)
end)
