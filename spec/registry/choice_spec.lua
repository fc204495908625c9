local choice = require "curia.registry.choice"
local configuration = require "curia.config"
local registries = require "curia.registry"

local function own(missing)
  local made = {}
  for _, name in ipairs(choice.functions) do made[name] = name ~= missing and print or nil end
  return made
end

describe("the configuration's registry", function()
  local function set(value)
    local config = configuration.new { registry = registries.new(), getenv = function() end }
    local ok, err = config:set("call", { registry = value })
    return ok, err and err.message
  end

  it("is a name, a name with a store, or a table of functions", function()
    for _, value in ipairs {
      "memory", "sqlite", "postgres", "redis", { backend = "memory" }, { backend = "sqlite" },
      { backend = "sqlite", store = "sqlite:a.db", prefix = "mine_" }, own(),
    } do
      assert.is_true(set(value))
    end
  end)

  it("says what is wrong with it", function()
    assert.matches("registry", select(2, set "memry"))
    assert.matches("unknown registry backend 'sqlit'; did you mean 'sqlite'", select(2, set { backend = "sqlit" }))
    assert.matches("unknown field 'stroe'; did you mean 'store'", select(2, set { backend = "sqlite", stroe = "x" }))
    assert.matches("store: a string is expected", select(2, set { backend = "sqlite", store = 1 }))
    assert.matches("has a function 'reset'", select(2, set(own "reset")))
  end)

  it("says in words what it is", function()
    assert.equal("in this process's memory", choice.describe(nil))
    assert.equal("sqlite, in the configured store", choice.describe "sqlite")
    assert.equal("sqlite (sqlite:a.db)", choice.describe { backend = "sqlite", store = "sqlite:a.db" })
    assert.equal("a registry of your own", choice.describe(own()))
  end)

  it("never falls back on the memory where the backend is not built in", function()
    local value, err = choice.backend("redis").put()
    assert.is_nil(value)
    assert.same({ "storage", "unknown_store" }, { err.kind, err.code })
    assert.matches("'redis' is not part of this version", err.message)
  end)
end)
