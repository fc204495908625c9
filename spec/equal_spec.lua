local equal = require "curia.equal"

local function nested(depth, value)
  for _ = 1, depth do value = { value } end
  return value
end

describe("two values", function()
  it("are equal when they say the same", function()
    for _, pair in ipairs { { 1, 1.0 }, { "a", "a" }, { nil, nil }, { {}, {} }, { print, print },
      { { a = { 1, 2 }, b = "c" }, { b = "c", a = { 1, 2 } } } } do
      assert.is_true(equal(pair[1], pair[2]))
    end
  end)

  it("are not when one says more, less or something else", function()
    for _, pair in ipairs { { 1, "1" }, { {}, { 1 } }, { { 1 }, {} }, { { a = 1 }, { a = 2 } }, { { a = {} }, { a = 1 } },
      { { a = { b = 1 } }, { a = { b = 1, c = 2 } } }, { print, error } } do
      assert.is_false(equal(pair[1], pair[2]))
    end
  end)

  it("are looked at to a depth, as one may contain itself", function()
    assert.is_true(equal(nested(60, 1), nested(60, 1)))
    local a, b = {}, {}
    a.self, b.self = a, b
    assert.is_false(equal(a, b))
    assert.is_true(equal(a, a))
  end)
end)
