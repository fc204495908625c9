local json = require "curia.json"
local schema = require "curia.schema"

-- "path keyword code" of each fault.
local function faults(value)
  local _, found = schema.check(value)
  local list = {}
  for i, fault in ipairs(found or {}) do list[i] = ("%s %s %s"):format(fault.path, fault.keyword, fault.code) end
  return list, found
end

local function message(value)
  local _, found = faults(value)
  assert.equal(1, #found)
  return found[1].message
end

describe("a schema", function()
  it("is good where it says what is known", function()
    assert.is_true(schema.check(true))
    assert.is_true(schema.check {})
    assert.is_true(schema.check {
      ["$schema"] = "https://json-schema.org/draft/2020-12/schema", ["$id"] = "https://example.com/s", title = "t",
      description = "d", ["x-own"] = 1, type = { "object", "null" }, required = {}, examples = { 1 }, default = json.null,
      properties = {
        a = { type = "string", minLength = 1, pattern = [[^\w+$]], format = "date" }, b = { enum = { 1, json.null } },
        c = { type = "array", items = { ["$ref"] = "#/$defs/d" }, minItems = 1.0, uniqueItems = true },
        e = { const = json.null }, f = { ["if"] = true, ["then"] = {}, ["else"] = false }, g = { format = "int32" },
      },
      additionalProperties = false, ["$defs"] = { d = { anyOf = { { minimum = 1 }, { ["$ref"] = "#" } } } },
    })
  end)

  it("has a fault for each keyword that is wrong, with its place", function()
    assert.same({
      "/properties/a maxLength out_of_range", "/properties/a minLength wrong_type", "/properties/a type out_of_range",
      "/properties/b/items minimum wrong_type", "/properties/c anyOf empty", "/properties/c enum empty",
      "/properties/c multipleOf out_of_range", "/properties/d  wrong_type", "/properties/e pattern out_of_range",
      " propertis unknown_field", " required wrong_type",
    }, (faults {
      propertis = {}, required = "a",
      properties = {
        a = { type = "strng", minLength = 1.5, maxLength = -1 }, b = { items = { minimum = "1" } },
        c = { enum = {}, anyOf = {}, multipleOf = 0 }, d = "string",
        e = { pattern = "(" },
      },
    }))
  end)

  it("names what was probably meant", function()
    assert.equal("unknown keyword 'propertis'; did you mean 'properties'?", message { propertis = {} })
    assert.equal("unknown type 'strng'; did you mean 'string'?", message { type = "strng" })
    assert.equal("unknown format 'datetime'; did you mean 'date-time'?", message { format = "datetime" })
    assert.matches("'%(' is no regular expression: .* at byte 2$", message { pattern = "(" })
    assert.matches("'x%*%*' is no regular expression", message { patternProperties = { ["x**"] = true } })
  end)

  it("refers to what is in it", function()
    assert.same({ " $ref missing" }, (faults { ["$ref"] = "#/$defs/x" }))
    assert.same({ " $ref out_of_range" }, (faults { ["$ref"] = "https://example.com/other.json" }))
    assert.same({ " $ref wrong_type" }, (faults { ["$ref"] = 1 }))
    assert.same({ " $ref cycle" }, (faults { ["$ref"] = "#" }))
    assert.same({ "/$defs/a $ref cycle", "/$defs/b $ref cycle" },
      (faults { ["$defs"] = { a = { ["$ref"] = "#/$defs/b" }, b = { ["$ref"] = "#/$defs/a" } } }))
    assert.same({ "/$defs/a $id unknown_field" }, (faults { ["$defs"] = { a = { ["$id"] = "a" } } }))
  end)

  it("is checked in bounded time and to bounded length", function()
    local circle = { type = "object" }
    circle.properties = { a = circle }
    assert.matches("schemas stand deeper than 64", message(circle))
    local wide, many = { properties = {} }, os.getenv "CURIA_GC_STRESS" and 2000 or 20000
    for i = 1, many do wide.properties["p" .. i] = { typo = 1 } end
    assert.equal(50, #faults(wide))
    wide.properties = {}
    for i = 1, many do wide.properties["p" .. i] = true end
    assert.is_true(schema.check(wide))
  end)

  it("is no list, no text, no number", function()
    for _, value in ipairs { "string", 1, json.array { 1 }, json.null } do
      assert.same({ "  wrong_type" }, (faults(value)))
    end
  end)
end)
