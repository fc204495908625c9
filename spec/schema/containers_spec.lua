local S = require "spec.schema.support"

describe("an array", function()
  it("has items, each by its place and the rest by one schema", function()
    local schema = '{"prefixItems": [{"type": "string"}, {"type": "integer"}], "items": {"type": "boolean"}}'
    assert.same({}, S.faults(schema, '["a", 1, true, false]'))
    assert.same({}, S.faults(schema, '["a"]'))
    assert.same({ "/0 type", "/1 type", "/3 type" }, S.faults(schema, '[1, "a", true, 2]'))
    assert.same({ "/1 false" }, S.faults('{"prefixItems": [true], "items": false}', "[1, 2]"))
  end)

  it("has a number of them", function()
    assert.equal("must have at least 2 items, and has 1", S.message('{"minItems": 2}', "[1]"))
    assert.equal("must have at most 1 item, and has 2", S.message('{"maxItems": 1}', "[1, 2]"))
    assert.same({}, S.faults('{"minItems": 2}', "{}"))
  end)

  it("has different ones", function()
    assert.same({}, S.faults('{"uniqueItems": true}', '[1, true, "1", [1], {"a": 1}, [], {}, null]'))
    assert.same({}, S.faults('{"uniqueItems": false}', "[1, 1]"))
    assert.equal("must have different items, and items 1 and 3 are equal",
      S.message('{"uniqueItems": true}', '[{"a": 1, "b": 2}, 1, {"b": 2.0, "a": 1}]'))
  end)

  it("contains some of a kind", function()
    local schema = '{"contains": {"type": "integer"}, "minContains": 2, "maxContains": 3}'
    assert.same({}, S.faults(schema, '[1, 2, "a"]'))
    assert.same({ " contains" }, S.faults(schema, '[1, "a"]'))
    assert.same({ " maxContains" }, S.faults(schema, "[1, 2, 3, 4]"))
  end)
end)

describe("an object", function()
  it("has what it needs", function()
    assert.same({ " required" }, S.faults('{"required": ["a", "b"]}', '{"a": null}'))
    assert.equal('misses the member "b"', S.message('{"required": ["a", "b"]}', '{"a": 1}'))
    assert.same({ " dependentRequired" }, S.faults('{"dependentRequired": {"a": ["b"]}}', '{"a": 1}'))
    assert.same({}, S.faults('{"dependentRequired": {"a": ["b"]}}', "{}"))
    assert.same({ " minProperties" }, S.faults('{"dependentSchemas": {"a": {"minProperties": 2}}}', '{"a": 1}'))
  end)

  it("has a number of members", function()
    assert.same({ " minProperties" }, S.faults('{"minProperties": 1}', "{}"))
    assert.same({ " maxProperties" }, S.faults('{"maxProperties": 1}', '{"a": 1, "b": 2}'))
  end)

  it("has members by name, by pattern, and others", function()
    local schema = [[{"properties": {"a": {"type": "string"}}, "patternProperties": {"^x": {"type": "integer"}},
      "additionalProperties": {"type": "boolean"}}]]
    assert.same({}, S.faults(schema, '{"a": "b", "x1": 1, "other": true}'))
    assert.same({ "/a type", "/x1 type", "/other type" }, S.faults(schema, '{"a": 1, "x1": "a", "other": 1}'))
  end)

  it("has no others where they are closed out; the nearest name is told", function()
    local schema = '{"properties": {"rationale": {}}, "additionalProperties": false}'
    assert.equal([[must not have the member "rationle"; did you mean 'rationale'?]], S.message(schema, '{"rationle": 1}'))
  end)

  it("has names of a form", function()
    assert.same({ " propertyNames" }, S.faults('{"propertyNames": {"maxLength": 1}}', '{"a": 1, "bb": 2}'))
  end)

  it("has paths with their escapes", function()
    assert.same({ "/a~1b/0/c~0d type" },
      S.faults('{"properties": {"a/b": {"items": {"properties": {"c~d": {"type": "null"}}}}}}', '{"a/b": [{"c~d": 1}]}'))
  end)
end)
