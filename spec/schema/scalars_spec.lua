local S = require "spec.schema.support"

describe("a value by itself", function()
  it("has one of the types", function()
    assert.same({}, S.faults('{"type": "integer"}', "1.0"))
    assert.same({}, S.faults('{"type": ["string", "null"]}', "null"))
    assert.same({ " type" }, S.faults('{"type": "integer"}', "1.5"))
    assert.same({ " type" }, S.faults('{"type": "array"}', "{}"))
    assert.equal("must be a string or null, not 3", S.message('{"type": ["string", "null"]}', "3"))
    assert.equal("must be an array, not an object", S.message('{"type": "array"}', "{}"))
  end)

  it("is the one that is asked for, or one of them", function()
    assert.same({}, S.faults('{"const": {"a": [1]}}', '{"a": [1.0]}'))
    assert.equal('must be {"a":[1]}, not an object', S.message('{"const": {"a": [1]}}', '{"a": [2]}'))
    assert.same({}, S.faults('{"enum": ["a", null]}', "null"))
    assert.equal('must be one of "a", "b", not "c"', S.message('{"enum": ["a", "b"]}', '"c"'))
    assert.matches("12, %.%.%.", S.message('{"enum": [1,2,3,4,5,6,7,8,9,10,11,12,13]}', "0"))
  end)

  it("is a number within bounds", function()
    assert.same({}, S.faults('{"minimum": 1, "maximum": 2}', "1"))
    assert.same({ " minimum" }, S.faults('{"minimum": 1}', "0.5"))
    assert.same({ " exclusiveMinimum" }, S.faults('{"exclusiveMinimum": 1}', "1"))
    assert.same({ " exclusiveMaximum" }, S.faults('{"exclusiveMaximum": 1}', "1"))
    assert.equal("must be at most 2, not 2.5", S.message('{"maximum": 2}', "2.5"))
    assert.same({}, S.faults('{"minimum": 1}', '"no number"'))
  end)

  it("is a multiple, also of decimal fractions", function()
    for _, pair in ipairs { { "0.01", "19.99" }, { "0.1", "0.3" }, { "2", "-4" }, { "1e-8", "12391239123" }, { "0.5", "1e308" } } do
      assert.same({}, S.faults(('{"multipleOf": %s}'):format(pair[1]), pair[2]))
    end
    for _, pair in ipairs { { "0.01", "19.995" }, { "2", "3" }, { "0.123456789", "1e308" }, { "3", "9007199254740993" .. "1" } } do
      assert.same({ " multipleOf" }, S.faults(('{"multipleOf": %s}'):format(pair[1]), pair[2]))
    end
  end)

  it("is a text of a length, in characters", function()
    assert.same({}, S.faults('{"minLength": 2, "maxLength": 2}', '"éé"'))
    assert.equal("must have at least 1 character, and has 0", S.message('{"minLength": 1}', '""'))
    assert.equal("must have at most 2 characters, and has 3", S.message('{"maxLength": 2.0}', '"abc"'))
  end)

  it("is a text of a form", function()
    assert.same({}, S.faults('{"pattern": "^a", "format": "date"}', "1"))
    assert.equal('must match the pattern ^b, unlike "abc"', S.message('{"pattern": "^b"}', '"abc"'))
    assert.equal('must have the format date, unlike "soon"', S.message('{"format": "date"}', '"soon"'))
    assert.same({}, S.faults('{"format": "hostname"}', '"no host!"'))
  end)

  it("that costs too much to compare is a fault", function()
    local faults = S.faults('{"items": {"pattern": "^(a+)+$"}}', ('["%s!"]'):format(("a"):rep(100)))
    assert.same({ "/0 pattern", " " }, faults)
  end)
end)
