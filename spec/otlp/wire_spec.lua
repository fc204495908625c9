local json = require "curia.json"
local wire = require "curia.otlp.wire"

describe("the wire forms of OTLP", function()
  it("have ids of as many bytes as are asked for, none like another", function()
    assert.matches("^%x+$", wire.id(16))
    assert.equal(32, #wire.id(16))
    assert.equal(16, #wire.id(8))
    assert.are_not.equal(wire.id(8), wire.id(8))
  end)

  it("write 64-bit integers as texts", function()
    assert.equal("9223372036854775807", wire.int64(math.maxinteger))
    assert.equal("3", wire.int64(3.0))
  end)

  it("tell the type of each attribute, in the order of their names", function()
    assert.same({
      { key = "a", value = { stringValue = "x" } }, { key = "b", value = { boolValue = false } },
      { key = "c", value = { intValue = "1" } }, { key = "d", value = { doubleValue = 1.0 } },
      { key = "e", value = { arrayValue = { values = { { stringValue = "y" } } } } },
    }, wire.attributes { e = { "y" }, d = 1.0, c = 1, b = false, a = "x" })
  end)

  it("write no attributes as an empty list", function()
    assert.equal("[]", json.encode(wire.attributes {}))
    assert.equal('{"arrayValue":{"values":[]}}', json.encode(wire.attributes { a = {} }[1].value))
  end)
end)
