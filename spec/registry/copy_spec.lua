local copies = require "curia.registry.copy"
local council = require "curia.council"

local function entry(kind, name, value)
  return { kind = kind, name = name, value = value, schema_version = 1 }
end

describe("a copy of a shared registry", function()
  local copy

  before_each(function() copy = copies.new() end)

  it("holds the values of the entries that it was given last", function()
    assert.is_true(copy:replace { entry("profile", "a", { model = "1" }), entry("schema", "b", { type = "object" }) })
    assert.same({ model = "1" }, copy:values().profile.a)
    assert.is_true(copy:replace { entry("profile", "a", { model = "1" }) })
    assert.is_nil(copy:values().schema.b)
    assert.same({}, copy:values().rule)
  end)

  it("tells whether something has changed, and keeps the values of what has not", function()
    local list = { entry("council", "c", { name = "c", members = { { id = "a" } } }), entry("profile", "a", { n = 1 }) }
    copy:replace(list)
    local opened = copy:values().council.c
    assert.is_true(council.is(opened))
    assert.is_false(copy:replace(list))
    list[2].value.n = 2
    assert.is_true(copy:replace(list))
    assert.equal(opened, copy:values().council.c)
    assert.is_false(copy:put("profile", "a", { value = { n = 2 }, schema_version = 1 }))
    assert.is_true(copy:put("profile", "a", { value = { n = 3 }, schema_version = 1 }))
    assert.is_true(copy:put("profile", "a", nil))
    assert.is_false(copy:put("profile", "a", nil))
  end)

  it("is not what the backend holds", function()
    local value = { deep = { n = 1 } }
    copy:replace { entry("profile", "a", value) }
    value.deep.n = 2
    assert.same({ deep = { n = 1 } }, copy:values().profile.a)
  end)

  it("lets nothing in but data, and passes over what is no entry", function()
    copy:replace { entry("profile", "a", { f = print }), entry("planet", "b", {}), entry("profile", 7, {}), 8 }
    assert.matches("cannot be read", copy:values().profile.a.message)
    assert.is_nil(copy:values().profile[7])
  end)
end)
