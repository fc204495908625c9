local bound = require "curia.store.bound"
local config = require "curia.config"
local shared = require "curia.store.shared"
local stores = require "spec.store.support"

local folder

before_each(function()
  folder = stores.folder()
  assert(config.shared():set("call", { store = folder.url "here.db" }))
end)

after_each(function()
  shared.close()
  folder.remove()
end)

local FUNCTIONS = { where = function(store, ...) return store.url, select("#", ...) end }

describe("functions of a store", function()
  it("open the configured one, or their own", function()
    assert.same({ folder.url "here.db", 2 }, { bound.to(FUNCTIONS).where(1, nil) })
    assert.same({ folder.url "own.db", 0 }, { bound.to(FUNCTIONS, folder.url "own.db").where() })
  end)

  it("give the error of one that cannot be opened", function()
    local where, err = bound.to(FUNCTIONS, folder.url "none/a.db").where()
    assert.is_nil(where)
    assert.equal("storage", err.kind)
  end)
end)
