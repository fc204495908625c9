local at_rest = require "curia.store.at_rest"
local migrate = require "curia.store.migrate"
local stores = require "curia.store"
local support = require "spec.store.support"

local LONG = ("long text "):rep(200)

local folder, store

local function turned(text)
  return (text:gsub(".", function(c) return string.char(c:byte() ~ 0x2a) end))
end

local function open(hooks)
  local opened = assert(stores.open(folder.url "test.db"))
  assert(migrate.up(opened))
  assert(at_rest.apply(opened, hooks))
  return opened
end

before_each(function()
  folder = support.folder()
  store = open { seal = turned, unseal = turned }
end)

after_each(function()
  store:close()
  folder.remove()
end)

describe("sealed data", function()
  it("is read with its key, and by nobody without", function()
    local unit = {}
    local bytes = store:pack(unit, { LONG, "short" }).bytes
    local hash = store:put_content(unit, LONG)
    assert(store:write(unit))
    assert.same({ LONG, "short" }, store:unpack(bytes))
    local other <close> = open()
    for _, found in ipairs {
      table.pack(other:unpack(bytes)), table.pack(other:content(hash)), table.pack(other:contents { hash }),
    } do
      assert.is_nil(found[1])
      assert.same({ "storage", "sealed" }, { found[2].kind, found[2].code })
      assert.matches("at_rest = { seal = ..., unseal = ... }", found[2].message, 1, true)
    end
  end)

  it("is noticed by who opened the store before", function()
    local fresh <close> = assert(stores.open(folder.url "other.db"))
    assert(migrate.up(fresh))
    assert(at_rest.apply(fresh))
    assert.is_true(at_rest.check(fresh))
    local other <close> = assert(stores.open(folder.url "other.db"))
    assert(at_rest.apply(other, { seal = turned }))
    assert.is_true(other.is_locked)
    assert.equal("sealed", select(2, at_rest.check(fresh)).code)
    fresh.unseal = turned
    assert.is_true(at_rest.check(fresh))
  end)
end)
