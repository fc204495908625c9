local council = require "curia.council"
local dsl = require "curia.language.dsl"
local from_data = require "curia.language.from_data"
local json = require "curia.json"
local planning = require "curia.language.plan"
local support = dofile "spec/language/support.lua"
local validation = require "curia.language.validate"

local member, round, chair = dsl.member, dsl.round, dsl.chair

describe("curia.council_from", function()
  local config

  before_each(function() config = support.config() end)

  local function from(source)
    return from_data.council_from(source, config)
  end

  local function refused(source)
    local made, err = from(source)
    assert.is_nil(made)
    assert.equal("invalid_council", err.kind)
    assert.is_string(json.encode(err.context.faults))
    return support.codes(err.context.faults), err
  end

  local function written()
    return dsl.council "advisor" {
      about = "x", profile = "plain", quorum = "majority", router = "by_topic", tools = { "search" },
      metadata = { owner = "me", list = json.array(), nothing = json.null },
      member "a" { system = "s", stop = "END", timeout = "3s", schema = { type = "object", required = { "x" } },
        fallback = "two/n", transform = "shorten", reasoning = { budget_tokens = 10 } },
      member "b" { council = dsl.council "inner" { member "x" { profile = "plain" }, round "think" {}, chair {} } },
      member "c" { council = "registered", input_mapper = "narrow" },
      round "think" { members = { "a" }, depth = 2, pause = "1s", name = "first" },
      round "again" { round = round "think" { depth = 3, timeout = "5s" } },
      chair { profile = "plain" },
    }
  end

  it("is the other half of to_json: the same bytes come back", function()
    config.registry:register("round", "again", { build = print, options = { round = { type = "string|table" } } })
    local text = assert(written():to_json())
    local made = assert(from(text))
    assert.equal(text, made:to_json())
    assert.equal(text, assert(from(assert(json.decode(text)))):to_json())
    assert.equal("advisor", made.name)
    assert.same({ "inner", true }, { made:spec().members[2].council.name, council.is(made:spec().members[2].council) })
    assert.same({ type = "think", depth = 3, timeout = "5s" }, made:spec().rounds[2].round)
    assert.matches('"schema_version":1,', text)
    assert.equal(1, select(2, text:gsub("schema_version", "")))
  end)

  it("takes one execution path with councils in Lua", function()
    local made = assert(from {
      name = "c", members = { { id = "a", profile = "plain", timeout = "2s" } }, rounds = { "think", { type = "review" } },
      chair = { profile = "plain" },
    })
    local same = dsl.council "c" { member "a" { profile = "plain", timeout = "2s" }, round "think" {}, round "review" {},
      chair { profile = "plain" } }
    assert.same(same:spec(), made:spec())
    assert.is_true(validation.validate(made, config))
    assert.equal(3, #assert(planning.plan(made, config)).rounds)
  end)

  it("finds functions by the names that they are registered under", function()
    local called = function() end
    for _, entry in ipairs { { "function", "f" }, { "router", "r" }, { "input_mapper", "m" } } do
      config.registry:register(entry[1], entry[2], called)
    end
    config.registry:register("schema", "s", { type = "object" })
    config.registry:register("round", "until", { build = called, options = {
      ["until"] = { type = "function|string", ref = "function" } } })
    local made = assert(from {
      name = "c", input = "m", router = "r", members = {
        { id = "a", profile = "plain", transform = "f", validate = "f", schema = "s", system = { ["function"] = "f" },
          prompt = { ["function"] = "f" }, role = { ["function"] = "f" } },
        { id = "b", run = "f" },
      },
      rounds = { { type = "until", ["until"] = "f", router = "r", schema = "s" } },
    })
    local plan = assert(planning.plan(made, config))
    local a, first = plan.members[1], plan.rounds[1]
    for _, value in ipairs { plan.input, plan.router, a.transform, a.validate, a.system, a.prompt, a.role,
      plan.members[2].run, first["until"], first.router } do assert.equal(called, value) end
    assert.same({ { type = "object" }, { type = "object" } }, { a.schema, first.schema })
    local free = assert(from { name = "free", run = "f" })
    assert.equal(called, assert(planning.plan(free, config)).run)
  end)

  it("leaves to validate what is not registered, or is not there yet", function()
    local made = assert(from { name = "c", tools = { "x" }, router = "r",
      members = { { id = "a", profile = "p", schema = "s", council = "z" } }, rounds = { "thnik" } })
    local codes = support.codes(select(2, validation.validate(made, config)))
    assert.same({
      ["tools[1]"] = "unknown_tool", router = "unknown_router", ["members[1].profile"] = "unknown_profile",
      ["members[1].schema"] = "unknown_schema", ["members[1].council"] = "unknown_council", ["rounds[1].type"] = "unknown_round",
    }, codes)
    made = assert(from { name = "empty" })
    assert.same({ members = "empty", rounds = "empty" }, support.codes(select(2, validation.validate(made, config))))
  end)

  it("tells every fault at once, with what was meant", function()
    local codes, err = refused [[{
      "name": "c", "memebrs": [], "rounds": [{"type": "think", "members": ["b"]}, {"type": "thnik"}],
      "members": [
        {"id": "a", "temprature": 1, "profile": "plain"}, {"id": "a", "profile": "plain", "tools": [{"mcp": "npx x"}]},
        {"id": "d", "profile": "plain", "base_url": "http://x", "provider": {"adapter": "x"}, "temperature": 9}, 5
      ]
    }]]
    assert.same({
      memebrs = "unknown_field", ["rounds[1].members[1]"] = "unknown_member", ["rounds[2].type"] = "unknown_round",
      ["members[1].temprature"] = "unknown_field", ["members[2].id"] = "duplicate_id",
      ["members[2].tools[1]"] = "not_serializable", ["members[2].tools[1].mcp"] = "unknown_field",
      ["members[2].tools[1].name"] = "missing", ["members[2].tools[1].run"] = "missing", ["members[3].base_url"] = "unknown_field",
      ["members[3].provider"] = "wrong_type", ["members[3].temperature"] = "out_of_range", ["members[4]"] = "wrong_type",
    }, codes)
    local text = ""
    for _, fault in ipairs(err.context.faults) do text = text .. fault.message end
    for _, meant in ipairs { "members", "temperature", "think" } do assert.matches("did you mean '" .. meant, text) end
  end)

  it("refuses secrets and addresses", function()
    for _, field in ipairs { "api_key", "base_url", "headers", "env", "cmd", "file", "adapter" } do
      assert.same({ ["members[1]." .. field] = "unknown_field" },
        (refused { name = "c", members = { { id = "a", profile = "plain", [field] = "x" } }, rounds = { "think" } }))
    end
  end)

  it("stays quick and small with a stranger's worst", function()
    local fields = {}
    for i = 1, 15000 do fields[i] = ('"temperatur%d":1'):format(i) end
    local began = os.clock()
    local codes = refused('{"name":"c",' .. table.concat(fields, ",") .. "}")
    assert.equal("unknown_field", codes.temperatur1)
    assert.is_true(os.clock() - began < 20)
  end)

  it("never raises, and what it writes it reads again, whatever a council is made of", function()
    local fields = require "curia.language.fields"
    local values = { 1.5, 0 / 0, -0.0, 2 ^ 63, "", "plain", "30s", "one/m", true, false, print, {}, { 1, "x" }, { [3] = 1 },
      { provider = 7 }, { { model = {} } }, { 1, x = 2 }, json.null, json.array(), json.object(), coroutine.create(print),
      round "think" {}, member "z" {}, dsl.words.env "X", dsl.council "i" { member "x" {}, round "think" {} }, "\xff" }
    local function judge(source)
      local made, err = from(source)
      if not made then return assert.is_true(#err.context.faults > 0) end
      local text, problem = made:to_json()
      if not text then return assert.is_true(#problem.context.faults > 0) end
      assert.equal(text, assert(from(text)):to_json())
      assert.is_table(made:graph(config))
    end
    for _, group in ipairs { "member", "round", "council" } do
      for name in pairs(fields[group]) do
        for _, value in ipairs(values) do
          local source = { name = "c", members = { { id = "m", profile = "plain" } }, rounds = { { type = "think" } } }
          local target = group == "member" and source.members[1] or group == "round" and source.rounds[1] or source
          target[name] = value
          judge(source)
          local body = dsl.council "c" (source)
          local text = body:to_json()
          if text then judge(text) end
        end
      end
    end
  end)

  it("raises for what is neither JSON nor a table", function()
    assert.error_matches(function() from(7) end, "bad argument #1 to 'council_from'")
  end)
end)
