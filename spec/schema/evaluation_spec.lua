local S = require "spec.schema.support"
local json = require "curia.json"
local schema = require "curia.schema"

local function costly(made, value)
  local began = os.clock()
  local ok, faults = schema.validate(made, value)
  assert.is_nil(ok)
  assert.is_true(os.clock() - began < 5)
  assert.equal("takes more work to judge than is allowed", faults[#faults].message)
end

describe("the work of judging", function()
  it("ends where alternatives multiply", function()
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
