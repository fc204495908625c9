local json = require "curia.json"
local values = require "curia.schema.values"

describe("a JSON value", function()
  it("is of one kind", function()
    local kinds = { null = json.null, boolean = false, number = 1.5, string = "", array = json.array(), object = {} }
    for kind, value in pairs(kinds) do assert.equal(kind, values.kind(value)) end
    assert.equal("null", values.kind(nil))
    assert.equal("array", values.kind { 1, 2 })
    assert.equal("object", values.kind { [1] = 1, x = 2 })
    assert.equal("function", values.kind(print))
  end)

  it("is whole where its fraction is zero", function()
    for _, value in ipairs { 1, 1.0, -0.0, 1e300, math.mininteger } do assert.is_true(values.is_integer(value), value) end
    for _, value in ipairs { 1.5, math.huge, -math.huge, 0 / 0, "1", true } do
      assert.is_false(values.is_integer(value), tostring(value))
    end
  end)

  it("equals another of the same content", function()
    local d = json.decode
    for _, pair in ipairs { { "1", "1.0" }, { "null", "null" }, { '{"a":[1,{"b":null}]}', '{"a":[1.0,{"b":null}]}' },
      { "[]", "[]" }, { "{}", "{}" }, { '"é"', '"\\u00e9"' } } do
      assert.is_true(values.same(d(pair[1]), d(pair[2])), pair[1])
      assert.equal(values.key(d(pair[1])), values.key(d(pair[2])))
    end
    for _, pair in ipairs { { "1", "true" }, { "0", "false" }, { "[]", "{}" }, { "null", "false" }, { "[1]", "[1,2]" },
      { '{"a":1}', '{"a":1,"b":2}' }, { '"1"', "1" }, { "[1,2]", "[2,1]" } } do
      assert.is_false(values.same(d(pair[1]), d(pair[2])), pair[1])
      assert.is_false(values.same(d(pair[2]), d(pair[1])), pair[1])
      assert.are_not.equal(values.key(d(pair[1])), values.key(d(pair[2])))
    end
  end)

  it("has no key where it goes round in a circle, or is none", function()
    local circle = {}
    circle.a = circle
    assert.is_nil(values.key(circle))
    assert.is_nil(values.key(print))
  end)

  it("is shown short", function()
    assert.equal('"a\\nb"', values.show "a\nb")
    assert.equal("null", values.show(nil))
    assert.equal("1", values.show(1.0))
    assert.equal("an array of 1 item", values.show { 1 })
    assert.equal("an object", values.show { a = 1 })
    assert.equal("a function", values.show(print))
    local long = values.show(("é"):rep(100))
    assert.is_true(#long < 70 and utf8.len(long) ~= nil)
    assert.matches('%.%.%."$', long)
  end)
end)
