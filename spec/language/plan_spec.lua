local dsl = require "curia.language.dsl"
local planning = require "curia.language.plan"
local secrets = require "curia.language.secrets"
local support = dofile "spec/language/support.lua"

local council, member, round, chair = dsl.council, dsl.member, dsl.round, dsl.chair

describe("curia.language.plan", function()
  local config

  before_each(function() config = support.config() end)

  local function plan(body, opts)
    return assert(planning.plan(council "c" (body), config, opts))
  end

  it("resolves members, their providers and adapters", function()
    local made = plan {
      profile = "plain",
      member "a" { system = "s", temperature = 0, timeout = "5s" },
      member "b" { model = "two/large" },
      round "think" {},
    }
    local a, b = made.members[1], made.members[2]
    assert.same({ "a", "s", "one", "small", 0, 5000 },
      { a.id, a.system, a.provider_name, a.model, a.temperature, a.timeout_ms })
    assert.equal("http://one.test", a.provider.base_url)
    assert.equal("one", a.adapter.name)
    assert.same({ "two", "large" }, { b.provider_name, b.model })
    assert.equal(a, made.by_id.a)
    assert.is_false(made.offline)
    assert.is_nil(made.metadata)
    assert.equal("c", made.spec.name)
  end)

  it("resolves rounds and appends the chair's", function()
    local made = plan {
      profile = "plain", member "a" {},
      round "think" { timeout = "2s" }, round "review" { name = "again", depth = 3.0, pause = "1s" }, chair {},
    }
    assert.equal(3, #made.rounds)
    assert.same({ 1, "think", "think", 2000 },
      { made.rounds[1].idx, made.rounds[1].name, made.rounds[1].module.name, made.rounds[1].timeout_ms })
    assert.same({ 2, "again", "review", 3, 1000 }, { made.rounds[2].idx, made.rounds[2].name, made.rounds[2].type,
      made.rounds[2].depth, made.rounds[2].pause })
    assert.same({ 3, "synthesis" }, { made.rounds[3].idx, made.rounds[3].name })
    assert.equal("chair", made.chair.id)
    assert.equal(made.chair, made.by_id.chair)
  end)

  it("appends nothing where the council ends with the chair, has none, or runs free Lua", function()
    local ends = plan { profile = "plain", member "a" {}, round "think" {}, round "synthesis" {}, chair {} }
    assert.equal(2, #ends.rounds)
    assert.equal(1, #plan({ profile = "plain", member "a" {}, round "think" {} }).rounds)
    local free = plan { profile = "plain", member "a" {}, run = print, chair {} }
    assert.equal(0, #free.rounds)
    assert.equal(print, free.run)
    assert.equal("small", free.chair.model)
  end)

  it("names a round of the user's own", function()
    local made = plan { profile = "plain", member "a" {}, round { name = "mine", build = print } {} }
    assert.equal("mine", made.rounds[1].name)
    assert.equal(print, made.rounds[1].module.build)
  end)

  it("asks no provider for members without a model", function()
    local inner = council "inner" { run = print }
    local made = plan {
      profile = "plain", member "a" { run = print }, member "b" { council = inner }, round "think" {},
    }
    assert.is_nil(made.members[1].provider)
    assert.equal(print, made.members[1].run)
    assert.is_nil(made.members[2].adapter)
    assert.equal(inner, made.members[2].council)
  end)

  it("resolves names of functions and schemas", function()
    local schema = { type = "object" }
    config.registry:register("schema", "answer", schema)
    config.registry:register("function", "shout", string.upper)
    config.registry:register("input_mapper", "map", string.lower)
    config.registry:register("router", "first", string.len)
    local made = plan { profile = "plain", input = "map", router = "first", member "a" { transform = "shout", schema = "answer" },
      round "think" { router = "first", schema = "answer" } }
    assert.equal(schema, made.members[1].schema)
    assert.equal(schema, made.rounds[1].schema)
    assert.equal(string.upper, made.members[1].transform)
    assert.equal(string.lower, made.input)
    assert.equal(string.len, made.router)
    assert.equal(string.len, made.rounds[1].router)
  end)

  it("gives the council's tools and confidence to every member", function()
    for _, name in ipairs { "x", "y" } do config.registry:register("tool", name, { run = print }) end
    local made = plan { profile = "plain", tools = { "x" }, confidence = "self_report",
      member "a" { tools = { "x", "y" } }, member "b" { confidence = "logprob" }, round "think" {}, chair {} }
    assert.same({ { name = "x", run = print }, { name = "y", run = print } }, made.members[1].tools)
    assert.same({ { name = "x", run = print } }, made.members[2].tools)
    assert.same({ { name = "x", run = print } }, made.chair.tools)
    assert.equal("self_report", made.members[1].confidence)
    assert.equal("logprob", made.members[2].confidence)
    assert.is_nil(made.chair.confidence)
  end)

  it("gives the council's confidence to nobody who has no model, or says false", function()
    local made = plan { profile = "plain", confidence = "self_report", member "a" { run = math.abs },
      member "b" { confidence = false }, member "c" { run = math.abs, confidence = math.abs }, round "think" {},
      chair { confidence = "logprob" } }
    assert.is_nil(made.members[1].confidence)
    assert.is_nil(made.members[2].confidence)
    assert.equal(math.abs, made.members[3].confidence)
    assert.equal("logprob", made.chair.confidence)
  end)

  it("resolves fallbacks", function()
    local made = plan {
      member "a" { model = "one/m", temperature = 1, fallback = { "two/n", { model = "o", seed = 1 } } },
      round "think" {},
    }
    local first, second = made.members[1].fallback[1], made.members[1].fallback[2]
    assert.same({ "two", "n", 1 }, { first.provider_name, first.model, first.temperature })
    assert.equal("two", first.adapter.name)
    assert.same({ "one", "o", 1 }, { second.provider_name, second.model, second.seed })
  end)

  it("asks only the scripted provider when offline, and says so", function()
    local made = plan({ profile = "plain", member "a" { fallback = { "two/m" } }, member "b" { run = print },
      round "think" {}, chair {} }, { offline = true })
    for _, planned in ipairs { made.members[1], made.chair } do
      assert.same({ "scripted", "scripted" }, { planned.provider_name, planned.model })
      assert.equal("scripted", planned.adapter.name)
      assert.is_nil(planned.fallback)
    end
    assert.equal(print, made.members[2].run)
    assert.is_true(made.offline)
    assert.same({ offline = true }, made.metadata)
  end)

  it("replaces models by member", function()
    local body = {
      profile = "plain", member "a" { provider = "one", model = "m" }, member "b" {}, round "think" {}, chair {},
    }
    local made = plan(body, { models = { a = "two/x", chair = "y" } })
    assert.same({ "two", "x" }, { made.members[1].provider_name, made.members[1].model })
    assert.same({ "one", "small" }, { made.members[2].provider_name, made.members[2].model })
    assert.same({ "one", "y" }, { made.chair.provider_name, made.chair.model })
  end)

  it("refuses models for nobody and from nobody", function()
    local made = council "c" { profile = "plain", member "anna" {}, round "think" {} }
    local _, err = planning.plan(made, config, { models = { ana = "one/m" } })
    assert.equal("validation: no member has the id 'ana'; did you mean 'anna'?", tostring(err))
    _, err = planning.plan(council "c" { member "a" { model = "one/m" }, round "think" {} }, config,
      { models = { a = "onne/m" } })
    assert.equal("validation", err.kind)
    assert.matches("did you mean 'one'", err.message)
  end)

  it("answers invalid councils with their faults", function()
    local made, err = planning.plan(council "c" { profile = "plain", member "a" {}, round "thnik" {} }, config)
    assert.is_nil(made)
    assert.equal("invalid_council", err.kind)
    assert.equal("unknown_round", err.context.faults[1].code)
  end)

  it("is the same table until something is configured or registered", function()
    local made = council "c" { profile = "plain", member "a" {}, round "think" {} }
    local first = planning.plan(made, config)
    assert.equal(first, planning.plan(made, config))
    local offline = planning.plan(made, config, { offline = true })
    assert.not_equal(first, offline)
    assert.equal(offline, planning.plan(made, config, { offline = true }))
    assert(config:set("call", { profiles = { plain = { model = "two/other" } } }))
    assert.equal("other", planning.plan(made, config).members[1].model)
    assert.equal("small", planning.plan(made, support.config()).members[1].model)
  end)

  it("names all the variables that would do where no profile has a key", function()
    assert(config:set("call", {
      providers = {
        one = { api_key = secrets.env "CURIA_SPEC_ONE" }, two = { api_key = secrets.env "CURIA_SPEC_TWO" },
      },
      profiles = { a = { model = "one/m" }, b = { model = "two/m" }, any = { first_of = { "a", "b" } } },
    }))
    local made = plan { profile = "any", member "m" {}, member "own" { model = "one/x" }, round "think" {} }
    local _, err = secrets.resolve(made.members[1].provider)
    assert.matches("CURIA_SPEC_ONE is not set, nor is any of CURIA_SPEC_TWO", err.message, 1, true)
    _, err = secrets.resolve(made.members[2].provider)
    assert.is_nil(err.message:find("CURIA_SPEC_TWO", 1, true))
    support.with_env({ CURIA_SPEC_TWO = "key-of-two" }, function()
      config.registry:touch()
      local chosen = plan { profile = "any", member "m" {}, round "think" {} }
      assert.equal("two", chosen.members[1].provider_name)
      assert.equal("key-of-two", secrets.resolve(chosen.members[1].provider))
    end)
  end)

  it("costs a table look-up the second time #slow", function()
    local made = council "c" { profile = "plain", member "a" {}, member "b" {}, round "think" {}, chair {} }
    planning.plan(made, config)
    local before = os.clock()
    for _ = 1, 10000 do planning.plan(made, config) end
    assert.is_true(os.clock() - before < 2)
  end)
end)
