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

  it("puts registered functions in place of their names", function()
    local router, until_ = function() end, function() end
    registry:register("router", "half", router)
    registry:register("function", "enough", until_)
    local module = { options = { ["until"] = { type = "function|string", ref = "function" } } }
    local round = { type = module, router = "half", ["until"] = "enough", timeout = "1s", rule = "borda" }
    local planned = rounds.bind(round, module, registry)
    assert.equal(router, planned.router)
    assert.equal(until_, planned["until"])
    assert.same({ 1000, "borda", module, module }, { planned.timeout_ms, planned.rule, planned.type, planned.module })
    assert.equal("half", round.router)
    assert.equal("first", rounds.bind({ tie_break = "first" }, {}, registry).tie_break)
    assert.equal("gone", rounds.bind({ ["until"] = "gone" }, module, registry)["until"])
  end)

  it("finds rules that cannot count a round's ballots", function()
    local module = { ballot = "choice" }
    assert.is_nil(rounds.fault({ rule = "plurality" }, module, registry, false))
    assert.is_nil(rounds.fault({ rule = print }, module, registry, false))
    assert.is_nil(rounds.fault({ rule = "mean" }, {}, registry, false))
    local field, message = rounds.fault({ rule = "mean" }, module, registry, false)
    assert.equal("rule", field)
    assert.matches("these can: plurality, majority", message)
    registry:register("rule", "mean", print)
    assert.is_nil(rounds.fault({ rule = "mean" }, module, registry, false))
  end)

  it("finds that there is no chair to break ties, and what a module finds itself", function()
    assert.equal("tie_break", (rounds.fault({ tie_break = "chair" }, {}, registry, false)))
    assert.is_nil(rounds.fault({ tie_break = "chair" }, {}, registry, true))
    local module = { check = function(round) return round.n and "n", "is odd" end }
    assert.same({ "n", "is odd" }, { rounds.fault({ n = 1 }, module, registry, true) })
    assert.is_nil(rounds.fault({}, module, registry, true))
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
