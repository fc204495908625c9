local S = require "spec.schema.support"

describe("schemas put together", function()
  it("hold all", function()
    assert.same({ " minimum", " maximum" }, S.faults('{"allOf": [{"minimum": 3}, {"maximum": 1}]}', "2"))
  end)

  it("hold at least one; the nearest is told", function()
    local schema = '{"anyOf": [{"type": "string"}, {"properties": {"a": {"type": "integer"}}, "required": ["a"]}]}'
    assert.same({}, S.faults(schema, '"x"'))
    assert.same({}, S.faults(schema, '{"a": 1}'))
    assert.matches('^fits none of the 2 alternatives; the nearest says: ', S.message(schema, '{"a": "x"}'))
    assert.matches("must be a string", S.message('{"anyOf": [{"type": "string"}, {"type": "null", "minimum": 3}]}', "1"))
  end)

  it("hold exactly one", function()
    local schema = '{"oneOf": [{"type": "integer"}, {"minimum": 2}]}'
    assert.same({}, S.faults(schema, "1"))
    assert.same({}, S.faults(schema, "2.5"))
    assert.equal("must fit exactly one of the 2 alternatives, and fits 2", S.message(schema, "3"))
    assert.matches("fits none of the 2", S.message(schema, "1.5"))
  end)

  it("do not hold", function()
    assert.same({ " not" }, S.faults('{"not": {"type": "string"}}', '"a"'))
    assert.same({}, S.faults('{"not": {"type": "string"}}', "1"))
  end)

  it("depend on another", function()
    local schema = '{"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"minimum": 2}}'
    assert.same({ " minLength" }, S.faults(schema, '"a"'))
    assert.same({ " minimum" }, S.faults(schema, "1"))
    assert.same({}, S.faults('{"if": {"type": "string"}}', "1"))
  end)

  it("are referred to, and may hold themselves", function()
    local schema = [[{"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "object", "properties": {"children":
      {"items": {"$ref": "#/$defs/tree"}}}, "required": ["children"]}}}]]
    assert.same({}, S.faults(schema, '{"children": [{"children": []}]}'))
    assert.same({ "/children/0 required" }, S.faults(schema, '{"children": [{}]}'))
    assert.same({ "/children/0/children/1 type" }, S.faults(schema, '{"children": [{"children": [{"children": []}, 1]}]}'))
    assert.same({ "/a type" }, S.faults('{"type": "object", "additionalProperties": {"$ref": "#"}}', '{"a": 1}'))
    assert.same({ " $ref" }, S.faults('{"$ref": "#/nowhere"}', "1"))
  end)

  it("may be true or false", function()
    assert.same({}, S.faults("true", "1"))
    assert.same({ " false" }, S.faults("false", "1"))
    assert.same({ "/a false" }, S.faults('{"properties": {"a": false, "b": true}}', '{"a": 1, "b": 1}'))
  end)
end)
