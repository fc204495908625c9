local S = require "spec.schema.support"
local json = require "curia.json"
local schema = require "curia.schema"

local function costly(made, value)
  local began = os.clock()
  local ok, faults = schema.validate(made, value)
  assert.is_nil(ok)
  assert.is_true(os.clock() - began < 60) -- below 1; a stressed collector takes many times as long
  assert.equal("takes more work to judge than is allowed", faults[#faults].message)
end

describe("the work of judging", function()
  it("ends where alternatives multiply", function()
    if os.getenv "CURIA_GC_STRESS" then return pending("the collector goes through the deep stack at each step") end
    local made = { ["$ref"] = "#/$defs/d1", ["$defs"] = { d61 = { type = "string" } } }
    for i = 1, 60 do
      local next_one = { ["$ref"] = "#/$defs/d" .. i + 1 }
      made["$defs"]["d" .. i] = { anyOf = { next_one, next_one } }
    end
    assert.is_true(schema.check(made))
    costly(made, 1)
    costly({ ["not"] = made, ["$defs"] = made["$defs"] }, 1)
  end)

  it("ends where references lead round in a circle", function()
    costly({ ["$ref"] = "#/$defs/a", ["$defs"] = { a = { allOf = { { ["$ref"] = "#/$defs/b" } } },
      b = { allOf = { { ["$ref"] = "#/$defs/a" } } } } }, 1)
  end)

  it("ends where a value is too deep", function()
    local value = {}
    for _ = 1, 1000 do value = { a = value } end
    costly({ additionalProperties = { ["$ref"] = "#" } }, value)
  end)

  it("ends where patterns cost much, each and all together", function()
    costly({ items = { pattern = "^(a+)+$" } }, { ("a"):rep(100) .. "!" })
    local texts = {}
    for i = 1, 100000 do texts[i] = ("a"):rep(12) .. "!" end
    costly({ items = { pattern = "^(a+)+$" } }, texts)
  end)

  it("is enough for a large answer", function()
    local list = {}
    for i = 1, 5000 do list[i] = { id = i, name = "n" .. i, tags = { "a", "b" }, score = 0.5 } end
    assert.is_true(schema.validate({ items = { type = "object", additionalProperties = false,
      required = { "id", "name" }, properties = { id = { type = "integer" }, name = { type = "string", pattern = "^n" },
        tags = { items = { enum = { "a", "b" } } }, score = { minimum = 0, maximum = 1 } } } }, list))
  end)
end)

describe("the faults", function()
  it("are told all at once, in the order of the value, but not without end", function()
    assert.same({ "/a type", "/b minimum", "/b multipleOf", "/c/0 enum" }, S.faults(
      '{"properties": {"a": {"type": "string"}, "b": {"minimum": 5, "multipleOf": 2}, "c": {"items": {"enum": [1]}}}}',
      '{"c": [2], "a": 1, "b": 3}'))
    local list = {}
    for i = 1, 1000 do list[i] = i end
    assert.equal(20, #S.faults('{"items": {"type": "string"}}', (json.encode(list))))
  end)

  it("tell of what is no JSON too", function()
    local _, faults = schema.validate({ type = "string" }, print)
    assert.equal("must be a string, not a function", faults[1].message)
  end)
end)

-- Schemas and values of anything: what matters is that judging ends without a raise.
describe("a schema that is none", function()
  local KEYWORDS = { "type", "const", "enum", "minimum", "maximum", "exclusiveMinimum", "multipleOf", "minLength", "maxLength",
    "pattern", "format", "minItems", "maxItems", "uniqueItems", "items", "prefixItems", "contains", "minContains", "maxContains",
    "minProperties", "maxProperties", "required", "dependentRequired", "properties", "patternProperties", "propertyNames",
    "additionalProperties", "dependentSchemas", "allOf", "anyOf", "oneOf", "not", "if", "then", "else", "$ref", "a" }

  local anything

  local function made(depth)
    local value = {}
    for _ = 1, math.random(0, 4) do value[KEYWORDS[math.random(#KEYWORDS)]] = anything(depth - 1) end
    return value
  end

  local function list(depth)
    local value = json.array()
    for i = 1, math.random(0, 3) do value[i] = anything(depth - 1) end
    return value
  end

  local PLAIN = { true, false, json.null, 0, 1, -1, 1.5, 0 / 0, "", "a", "a+", "(", "#/a", "string", "date", print }

  function anything(depth)
    local choice = depth > 0 and math.random(3) or 1
    if choice == 1 then return PLAIN[math.random(#PLAIN)] end
    return choice == 2 and made(depth) or list(depth)
  end

  it("does not raise, nor does what is no value", function()
    math.randomseed(7)
    for _ = 1, os.getenv "CURIA_GC_STRESS" and 300 or 5000 do
      local s, value = made(4), anything(3)
      local ok, err = pcall(schema.validate, s, value)
      assert.is_true(ok, err)
      ok, err = pcall(schema.check, s)
      assert.is_true(ok, err)
    end
  end)
end)
