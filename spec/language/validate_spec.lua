local dsl = require "curia.language.dsl"
local support = dofile "spec/language/support.lua"
local validation = require "curia.language.validate"

local council, member, round, chair = dsl.council, dsl.member, dsl.round, dsl.chair

describe("curia.language.validate", function()
  local config

  before_each(function() config = support.config() end)

  local function validate(body)
    return validation.validate(council "c" (body), config)
  end

  local function codes(body)
    local ok, faults = validate(body)
    return ok and {} or support.codes(faults)
  end

  -- The faults of a council that is good but for one member, one round, or the chair.
  local function with_member(fields)
    fields.profile = fields.profile or "plain"
    return codes { member "a" (fields), round "think" {} }
  end

  local function with_round(fields, kind)
    return codes { member "a" { profile = "plain" }, round(kind or "think")(fields) }
  end

  it("finds nothing wrong with a good council", function()
    assert.same({}, codes {
      about = "x", profile = "plain", failure_mode = "fail_fast", quorum = "majority", grace = "2s",
      budget = { tokens = 100000, wall = "5m" }, metadata = { any = { "thing" } }, input = function(input) return input end,
      member "a" { role = "r", system = function() end, temperature = 0, stop = { "x" }, reasoning = "low",
        cache = "1h", retry = { attempts = 3, base = "1s" }, timeout = "30s", weight = 0.5, validate = print,
        schema = { type = "object" }, metadata = {},
        confidence = "self_report", fallback = { "two/m", { provider = "two", model = "n" } } },
      member "b" { model = "two/x", reasoning = { budget_tokens = 1000 }, cache = true },
      member "c" { run = function() end },
      round "think" { members = { "a", "b" }, timeout = "45s", rule = "borda", quorum = 1 },
      round "review" { depth = 2, name = "second look" },
      chair { model = "two/y" },
    })
  end)

  it("wants a price for every model under a budget of money", function()
    local body = {
      budget = { usd = 1 }, member "a" { profile = "plain", fallback = { "two/m" } }, member "b" { run = print },
      round "think" {}, chair { model = "two/gpt-5", elect = true },
    }
    assert.same({ ["members[1].model"] = "missing", ["members[1].fallback[1].model"] = "missing" }, codes(body))
    config:set("call", { prices = { small = { input = 1, output = 2 }, ["two/m"] = { input = 0, output = 0 } } })
    assert.same({}, codes(body))
  end)

  it("finds nothing wrong with free Lua instead of rounds", function()
    assert.same({}, codes { run = function() end })
    assert.same({}, codes { member "a" { profile = "plain" }, run = function() end })
  end)

  it("answers true, or nil and plain faults in a stable order", function()
    assert.is_true((validate { member "a" { profile = "plain" }, round "think" {} }))
    local body = { zz = 1, aa = 1, member "x" {}, round "thnik" {}, chair { temprature = 1, profile = "plain" } }
    local ok, faults = validate(body)
    assert.is_nil(ok)
    local _, again = validate(body)
    assert.same(faults, again)
    assert.is_nil(getmetatable(faults))
    local paths = {}
    for i, fault in ipairs(faults) do
      paths[i] = fault.path
      assert.is_string(fault.code)
      assert.is_string(fault.message)
    end
    assert.same({ "aa", "zz", "members[1].provider", "chair.temprature", "rounds[1].type" }, paths)
  end)

  it("names the nearest field", function()
    local _, faults = validate { member "a" { profile = "plain", temprature = 1 }, round "think" { dept = 1 } }
    assert.equal("unknown field 'temprature' of member 'a'; did you mean 'temperature'?", faults[1].message)
    assert.equal("unknown field 'dept' of round 'think'; did you mean 'depth'?", faults[2].message)
  end)

  it("checks types and ranges of a member's fields", function()
    for field, values in pairs {
      temperature = { "hot", -1, 2.1, 0 / 0 }, top_p = { 1.1, {} }, max_tokens = { 0, 1.5, "10" }, seed = { 1.5 },
      stop = { 7, {} }, reasoning = { "hard", 5, { budget_tokens = -1 }, {} }, stream = { "yes" }, cache = { "2h", 1 },
      retry = { 3, { attempts = 0 }, { attempts = 101 } }, timeout = { "soon", -1, {} }, deadline_ms = { "x" },
      weight = { -1 }, repair = { -1, 11 }, tools = { "x", { 7 } }, tool_errors = { "ignore" }, system = { 7 },
      transform = { 7 }, metadata = { "x", { 1 } }, run = { 7 }, model = { "", 7 }, provider = { "", {} },
      fallback = { 7, { 7 } }, max_tool_rounds = { -1 }, tool_concurrency = { 0 }, schema = { 7 }, extra = { 7 },
    } do
      for _, value in ipairs(values) do
        local found = with_member { [field] = value }
        assert.is_not_nil(next(found), field .. " = " .. tostring(value))
        for _, code in pairs(found) do assert.is_truthy(code:find("^%l[%l_]+$"), field) end
      end
    end
  end)

  it("checks types and ranges of a round's options", function()
    for field, values in pairs {
      members = { "a", {}, { 7 } }, timeout = { "x" }, failure_mode = { "stop" }, quorum = { 0, "most", 1.5 },
      grace = { {} }, rule = { 7 }, name = { "", "a/b" }, retry = { true }, depth = { 0, "x" }, stagger = { 1 },
    } do
      for _, value in ipairs(values) do
        assert.is_not_nil(next(with_round { [field] = value }), field .. " = " .. tostring(value))
      end
    end
  end)

  describe("codes", function()
    it("missing", function()
      assert.same({ ["members[1].provider"] = "missing" }, codes { member "a" {}, round "think" {} })
      assert.same({ ["members[1].model"] = "missing" }, codes { member "a" { provider = "one" }, round "think" {} })
      assert.same({ ["members[1].id"] = "missing" }, codes { member { profile = "plain" }, round "think" {} })
      assert.same({ ["rounds[1].type"] = "missing" }, codes { member "a" { profile = "plain" }, round {} })
      assert.same({ ["members[1].transform"] = "missing" }, with_member { transform = "no_such_function" })
    end)

    it("empty", function()
      assert.same({ members = "empty", rounds = "empty" }, codes {})
      assert.same({ rounds = "empty" }, codes { member "a" { profile = "plain" } })
    end)

    it("unknown_field, wrong_type, out_of_range", function()
      assert.same({ abuot = "unknown_field" }, codes { abuot = 1, run = print })
      assert.same({ about = "wrong_type" }, codes { about = 1, run = print })
      assert.same({ failure_mode = "out_of_range" }, codes { failure_mode = "stop", run = print })
    end)

    it("duplicate_id", function()
      assert.same({ ["members[2].id"] = "duplicate_id", ["chair.id"] = "duplicate_id" }, codes {
        profile = "plain", member "a" {}, member "a" {}, round "think" {}, chair "a" {},
      })
    end)

    it("unknown_member", function()
      local _, faults = validate {
        profile = "plain", member "anna" {}, round "think" { members = { "ana" } }, chair {},
      }
      assert.same({ ["rounds[1].members[1]"] = "unknown_member" }, support.codes(faults))
      assert.matches("did you mean 'anna'", faults[1].message)
      assert.same({ ["rounds[1].members[1]"] = "unknown_member" },
        codes { profile = "plain", member "a" {}, chair {}, round "think" { members = { "chair" } } })
    end)

    it("unknown_member, named by an option of a round's own", function()
      local mine = { name = "mine", run = print, options = { judge = { type = "string|function", doc = "x", member = true } } }
      local function judged_by(judge)
        return codes { profile = "plain", member "a" {}, chair {}, round(mine) { judge = judge } }
      end
      assert.same({ ["rounds[1].judge"] = "unknown_member" }, judged_by "b")
      assert.same({}, judged_by "a")
      assert.same({}, judged_by "chair")
      assert.same({}, judged_by(print))
    end)

    it("of rounds among a round's options", function()
      local mine = { name = "mine", run = print, options = { round = { type = "string|table", doc = "x", round = true } } }
      local function inner(wrapped) return codes { profile = "plain", member "a" {}, round(mine) { round = wrapped } } end
      assert.same({ ["rounds[1].round.type"] = "unknown_round" }, inner "thikn")
      assert.same({ ["rounds[1].round.timout"] = "unknown_field" }, inner(round "think" { timout = 1 }))
      assert.same({ ["rounds[1].round.members[1]"] = "unknown_member" }, inner { type = "think", members = { "b" } })
      assert.same({ ["rounds[1].round"] = "wrong_type" }, inner(7))
      assert.same({}, inner "think")
      assert.same({}, inner { name = "mine", build = print })
    end)

    it("unknown_profile, alone and with the nearest name", function()
      local _, faults = validate { member "a" { profile = "plian" }, round "think" {} }
      assert.same({ ["members[1].profile"] = "unknown_profile" }, support.codes(faults))
      assert.matches("did you mean 'plain'", faults[1].message)
      assert.same({ profile = "unknown_profile" }, codes { profile = "x", member "a" {}, round "think" {} })
      assert(config:set("call", { default_profile = "gone" }))
      assert.same({ default_profile = "unknown_profile" }, codes { member "a" {}, round "think" {} })
    end)

    it("unknown_provider", function()
      assert.same({ ["members[1].provider"] = "unknown_provider" }, with_member { provider = "oen", model = "m" })
      assert.same({ ["members[1].fallback[1].provider"] = "unknown_provider" },
        with_member { fallback = { { provider = "oen", model = "m" } } })
      config.registry:register("provider", "odd", { adapter = "no_such_adapter" })
      assert.same({ ["members[1].provider"] = "unknown_provider" }, with_member { model = "odd/m" })
    end)

    it("unknown_round", function()
      assert.same({ ["rounds[1].type"] = "unknown_round" }, with_round({ whatever = 1 }, "thnik"))
      assert.same({ ["rounds[1].type"] = "unknown_round", ["rounds[1].quorum"] = "out_of_range" },
        with_round({ quorum = 0 }, "thnik"))
    end)

    it("unknown_tool, unknown_schema, unknown_router, unknown_council", function()
      assert.same({ ["members[1].tools[1]"] = "unknown_tool" }, with_member { tools = { "serach" } })
      assert.same({ ["tools[1]"] = "unknown_tool" }, codes { tools = { "x" }, run = print })
      assert.same({ ["members[1].schema"] = "unknown_schema" }, with_member { schema = "answer" })
      assert.same({ ["rounds[1].router"] = "unknown_router" }, with_round { router = "x" })
      assert.same({ ["members[1].council"] = "unknown_council" }, with_member { council = "x" })
      config.registry:register("tool", "search", { run = print })
      config.registry:register("schema", "answer", {})
      config.registry:register("router", "x", print)
      config.registry:register("sub_council", "x", council "x" { run = print })
      assert.same({}, with_member { tools = { "search" }, schema = "answer", council = "x" })
      assert.same({}, with_round { router = "x", schema = "answer" })
    end)

    it("of schemas: what is none, with the place in it", function()
      local wrong = { type = "objct", properties = { n = { minimun = 1 } } }
      local expected = { ["%s#/properties/n"] = "unknown_field", ["%s"] = "out_of_range" }
      local function at(path)
        local made = {}
        for place, code in pairs(expected) do made[place:format(path)] = code end
        return made
      end
      assert.same(at "members[1].schema", with_member { schema = wrong })
      assert.same(at "rounds[1].schema", with_round { schema = wrong })
      config.registry:register("schema", "wrong", wrong)
      assert.same(at "members[1].schema", with_member { schema = "wrong" })
      assert.same({}, with_member { schema = { type = "object" } })
    end)

    it("conflict", function()
      assert.same({ run = "conflict" }, codes { run = print, member "a" { profile = "plain" }, round "think" {} })
      assert.same({ ["members[1]"] = "conflict" },
        with_member { run = print, council = council "inner" { run = print } })
      assert.same({ ["members[1].model"] = "conflict" }, with_member { run = print, model = "one/m" })
      assert.same({ ["members[1].timeout"] = "conflict" }, with_member { timeout = "1s", timeout_ms = 1 })
    end)

    it("cycle", function()
      config.registry:register("council", "outer", council "outer" {
        member "inner" { council = "outer" }, round "think" {},
      })
      local _, faults = validation.validate(config.registry:lookup("council", "outer"), config)
      assert.same({ ["members[1].council"] = "cycle" }, support.codes(faults))
    end)

    it("cycle through the names of several councils, data among them", function()
      config.registry:register("council", "first", council "first" { member "m" { council = "second" }, round "think" {} })
      config.registry:register("council", "second", { members = { { id = "n", council = "first" } }, rounds = { "think" } })
      assert.same({ ["members[1].council.members[1].council.members[1].council"] = "cycle" }, with_member { council = "second" })
      assert.same({ ["members[1].council.members[1].council"] = "cycle" },
        support.codes(select(2, validation.validate(config.registry:lookup("council", "first"), config))))
    end)

    it("not_serializable", function()
      local circle = {}
      circle.x = circle
      assert.same({ ["members[1].metadata.a.b"] = "not_serializable", ["members[1].metadata.n"] = "not_serializable" },
        with_member { metadata = { a = { b = print }, n = 0 / 0, good = { 1, "x", true } } })
      assert.same({ ["members[1].metadata.c"] = "not_serializable" }, with_member { metadata = { c = council "x" {} } })
      assert.same({ "not_serializable" }, { select(2, next(codes { metadata = { circle = circle }, run = print })) })
      config.registry:register("council", "code", { members = { { id = "m", run = print } } })
      assert.same({ ["members[1].council.members[1].run"] = "not_serializable" }, with_member { council = "code" })
    end)

    it("what a module that cannot be loaded says", function()
      config.registry:register("tool", "gone", { module = "no.such.module", name = "x" })
      local _, faults = validate { member "a" { profile = "plain", tools = { "gone" } }, round "think" {} }
      assert.equal("unknown_tool", faults[1].code)
      assert.matches("the tool 'gone' cannot be loaded: module 'no.such.module' not found", faults[1].message)
    end)

    it("cycle for councils that stand too deep", function()
      local inner = council "deepest" { run = print }
      for i = 1, validation.MAX_DEPTH do
        inner = council("c" .. i) { member "m" { council = inner }, round "think" {} }
      end
      assert.is_true((validation.validate(inner, config)))
      local _, faults = validation.validate(council "top" { member "m" { council = inner }, round "think" {} }, config)
      assert.equal("cycle", faults[1].code)
    end)
  end)

  it("tells each of ten faults in one go", function()
    local _, faults = validate {
      profile = "fsat", quroum = 2, tools = { "serach" }, router = "by_topic", metadata = { f = print },
      member "a" { profile = "plain", temperature = 9, council = "nowhere" },
      member "a" { profile = "plain", schema = "answer" },
      member "b" { model = "nobody/x", retry = { attempts = 0 } },
      round "think" { members = { "c" }, timeout = "soon" },
      round "thnik" {},
      round "review" { members = {} },
    }
    assert.same({
      profile = "unknown_profile", quroum = "unknown_field", ["tools[1]"] = "unknown_tool", router = "unknown_router",
      ["metadata.f"] = "not_serializable", ["members[1].temperature"] = "out_of_range",
      ["members[1].council"] = "unknown_council", ["members[2].id"] = "duplicate_id",
      ["members[2].schema"] = "unknown_schema", ["members[3].provider"] = "unknown_provider",
      ["members[3].retry.attempts"] = "out_of_range", ["rounds[1].members[1]"] = "unknown_member",
      ["rounds[1].timeout"] = "wrong_type", ["rounds[2].type"] = "unknown_round", ["rounds[3].members"] = "empty",
    }, support.codes(faults))
    assert.equal(15, #faults)
  end)

  it("looks into sub-councils", function()
    local inner = council "inner" { member "x" { profile = "plian" }, round "think" {}, "junk" }
    assert.same({
      ["members[1].council.members[1].profile"] = "unknown_profile", ["members[1].council[3]"] = "wrong_type",
    }, codes { member "a" { council = inner }, round "think" {} })
  end)

  it("judges what was registered at run time where it is used", function()
    config.registry:register("profile", "odd", { provider = "one", model = "m", temprature = 1 })
    assert.same({ ["members[1].profile.temprature"] = "unknown_field" }, with_member { profile = "odd" })
  end)

  it("takes a round of the user's own", function()
    assert.same({}, with_round({ timeout = "1s" }, { name = "mine", build = print }))
    assert.same({ ["rounds[1].tmeout"] = "unknown_field" }, with_round({ tmeout = 1 }, { name = "mine", run = print }))
  end)

  it("counts an elected chair as one that needs no model", function()
    assert.same({}, codes { member "a" { profile = "plain" }, round "think" {}, chair { elect = true } })
  end)

  it("forgets that a council was good when something is registered", function()
    local made = council "c" { member "a" { profile = "mine" }, round "think" {} }
    config.registry:register("profile", "mine", { model = "one/m" })
    assert.is_true((validation.validate(made, config)))
    config.registry:unregister("profile", "mine")
    assert.is_nil((validation.validate(made, config)))
  end)

  it("raises for what is no council", function()
    assert.error_matches(function() validation.validate({}, config) end, "a council expected, not a table")
  end)

  it("never raises, whatever a council is made of #slow", function()
    local fields = require "curia.language.fields"
    local values = { 1.5, 0 / 0, "", "plain", "30s", "one/m", true, false, print, {}, { 1, "x" }, { provider = 7 },
      { { model = {} } }, member "z" {}, round "think" {}, dsl.words.env "X", coroutine.create(print), council "i" {} }
    for _, group in ipairs { "member", "round", "council" } do
      for name in pairs(fields[group]) do
        for _, value in ipairs(values) do
          local body = { member "m" { profile = "plain" }, round "think" {} }
          if group == "council" then body[name] = value end
          if group == "member" then body[1] = member "m" { [name] = value } end
          if group == "round" then body[2] = round "think" { [name] = value } end
          local made = council "c" (body)
          local ok, faults = validation.validate(made, config)
          assert.is_true(ok or #faults > 0, name)
          assert.is_table(made:providers(config))
        end
      end
    end
  end)

  it("makes an error of the faults", function()
    local made = council "c" { odd = 1 }
    local _, faults = validation.validate(made, config)
    local err = validation.error(made, faults)
    assert.equal("invalid_council", err.kind)
    assert.equal("council 'c': odd: unknown field 'odd' of council 'c' (and 2 more)", err.message)
    assert.equal(faults, err.context.faults)
  end)

  describe("options", function()
    it("lowers good ones", function()
      assert.same({ deadline_ms = 300000, await_timeout = 1000, retry = { base_ms = 5 }, seed = 7 },
        validation.options { deadline = "5m", await_timeout = "1s", retry = { base_ms = 5 }, seed = 7.0 })
      assert.same({}, validation.options(nil))
    end)

    it("finds every fault of bad ones", function()
      local opts, faults = validation.options { deadlin_ms = 1, seed = "x", failure_mode = "stop" }
      assert.is_nil(opts)
      assert.same({ deadlin_ms = "unknown_field", seed = "wrong_type", failure_mode = "out_of_range" },
        support.codes(faults))
    end)
  end)
end)
