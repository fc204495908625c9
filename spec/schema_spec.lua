local schema = require "curia.schema"

describe("the schema module", function()
  it("judges a value", function()
    local made = { type = "object", properties = { score = { type = "number", maximum = 1 } }, required = { "score" } }
    assert.is_true(schema.validate(made, { score = 0.5 }))
    local ok, faults = schema.validate(made, { score = 2 })
    assert.is_nil(ok)
    assert.same({ { path = "/score", keyword = "maximum", message = "must be at most 1, not 2" } }, faults)
  end)

  it("writes faults as a text", function()
    local _, faults = schema.validate({ required = { "a" }, properties = { b = { type = "string" } } }, { b = 1 })
    assert.equal('- the whole: misses the member "a"\n- /b: must be a string, not 1', schema.text(faults))
  end)

  it("tells schemas of objects", function()
    assert.is_true(schema.is_object { type = "object" })
    assert.is_true(schema.is_object { properties = {} })
    for _, made in ipairs { { type = "array" }, { type = { "object", "null" } }, {}, { ["$ref"] = "#/$defs/a" } } do
      assert.is_false(schema.is_object(made))
    end
    assert.is_false(schema.is_object(true))
  end)
end)
