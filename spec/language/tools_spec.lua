local S = require "spec.language.support"
local curia = require "curia"
local planning = require "curia.language.plan"
local validation = require "curia.language.validate"

local function noop() end

local function council(tools, fields, body)
  local member = { id = "a", profile = "plain", tools = tools }
  for name, value in pairs(fields or {}) do member[name] = value end
  local made = { members = { member }, rounds = { { type = "think" } } }
  for name, value in pairs(body or {}) do made[name] = value end
  return curia.council "spec"(made)
end

local function codes(tools, fields, body, config)
  local _, faults = validation.validate(council(tools, fields, body), config or S.config())
  return S.codes(faults), faults
end

describe("the word tool", function()
  it("makes a plain table with its name", function()
    assert.same({ name = "search", about = "finds", run = noop }, curia.tool "search" { about = "finds", run = noop })
  end)

  it("wants a name and braces", function()
    assert.error_matches(function() curia.tool {} end, "bad argument #1 to 'tool'")
    assert.error_matches(function() curia.tool "x" "y" end, "tool 'x' must be followed by { ... }, not by a string")
    assert.same({ ["members[1].tools[1].run"] = "missing" }, codes { curia.tool "x" })
  end)
end)

describe("tools", function()
  it("are checked field by field, every fault with its path", function()
    assert.same({}, (codes { curia.tool "ok" { run = noop, timeout = "5s", idempotent = true, approval = true,
      parameters = { type = "object" }, about = "x" } }))
    assert.same({
      ["members[1].tools[1].abuot"] = "unknown_field", ["members[1].tools[1].run"] = "missing",
      ["members[1].tools[2].name"] = "missing", ["members[1].tools[3].name"] = "out_of_range",
      ["members[1].tools[4].run"] = "wrong_type", ["members[1].tools[4].timeout"] = "wrong_type",
      ["members[1].tools[5]"] = "wrong_type", ["members[1].tools[6]"] = "conflict",
    }, (codes { { name = "a", abuot = "x" }, { run = noop }, { name = "two words", run = noop },
      { name = "d", run = 1, timeout = {} }, 5, { run = noop, list = noop } }))
  end)

  it("take an object, by a schema that can be judged", function()
    local function parameters(of) return codes { { name = "a", run = noop, parameters = of } } end
    assert.same({}, parameters {})
    assert.same({ ["members[1].tools[1].parameters"] = "wrong_type" }, parameters { type = "string" })
    local found, faults = codes { { name = "a", run = noop, parameters = { type = "object",
      properties = { n = { type = "interger" } } } } }
    assert.same("members[1].tools[1].parameters#/properties/n", (next(found)))
    assert.matches("^parameters of item 1 of tools of ", faults[1].message)
  end)

  it("have names of their own", function()
    local other = function() end
    assert.same({ ["members[1].tools[2]"] = "duplicate_id" },
      (codes { { name = "a", run = noop }, { name = "a", run = other } }))
    assert.same({ ["members[1].tools[1]"] = "duplicate_id" },
      (codes({ { name = "a", run = noop } }, nil, { tools = { { name = "a", run = other } } })))
    assert.same({}, (codes({ { name = "a", run = noop } }, nil, { tools = { { name = "a", run = noop } } })))
  end)

  it("are found by registered names, and judged where they are used", function()
    local config = S.config()
    config.registry:register("tool", "search", { run = noop })
    config.registry:register("tool", "faulty", { rnu = noop })
    local found, faults = codes({ "search", "serach", "faulty" }, nil, nil, config)
    assert.same({ ["members[1].tools[2]"] = "unknown_tool", ["members[1].tools[3].rnu"] = "unknown_field",
      ["members[1].tools[3].run"] = "missing" }, found)
    assert.matches("did you mean 'search'", faults[1].message)
  end)

  it("are what tool_choice may name", function()
    local tools = { { name = "search", run = noop } }
    assert.same({ ["members[1].tool_choice"] = "unknown_tool" }, (codes(tools, { tool_choice = "serach" })))
    for _, choice in ipairs { "search", "auto", "required", "none" } do
      assert.same({}, (codes(tools, { tool_choice = choice })))
    end
    assert.same({}, (codes({ { list = noop } }, { tool_choice = "later" })))
  end)

  it("are planned with what they refer to, the council's before the member's, each once", function()
    local config = S.config()
    config.registry:register("schema", "query", { type = "object" })
    config.registry:register("function", "do_it", noop)
    config.registry:register("tool", "search", { run = "do_it", parameters = "query", timeout = "2s" })
    local extra = { name = "extra", run = noop }
    local plan = assert(planning.plan(council({ "search", extra }, nil, { tools = { "search" } }), config))
    local tools = plan.members[1].tools
    assert.same({ "search", "extra" }, { tools[1].name, tools[2].name })
    assert.same({ noop, "object", 2000 }, { tools[1].run, tools[1].parameters.type, tools[1].timeout_ms })
    assert.equal(1, #plan.tools)
  end)

  it("come from profiles too, and reach the chair", function()
    local config = S.config()
    config.registry:register("tool", "search", { run = noop })
    config.registry:register("profile", "armed", { provider = "one", model = "m", tools = { "search" } })
    local made = council(nil, { profile = "armed" }, { chair = { profile = "armed" } })
    local plan = assert(planning.plan(made, config))
    assert.equal("search", plan.members[1].tools[1].name)
    assert.equal("search", plan.chair.tools[1].name)
    assert.is_nil(assert(planning.plan(council(nil), config)).members[1].tools)
  end)
end)
