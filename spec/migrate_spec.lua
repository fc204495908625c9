local curia = require "curia"
local support = require "spec.store.support"

local folder

before_each(function() folder = support.folder() end)
after_each(function() folder.remove() end)

describe("curia.migrate", function()
  it("brings a store's tables up to date, says where they stand, removes them", function()
    local url = folder.url "a.db"
    assert.equal(0, curia.migrate(url, "status").current)
    local status = assert(curia.migrate(url, "up", { prefix = "c_" }))
    assert.equal(status.latest, status.current)
    assert.equal(0, curia.migrate(url, "status").current)
    assert.is_true(curia.migrate(url, "down", { prefix = "c_" }))
    assert.equal(0, curia.migrate(url, "status", { prefix = "c_" }).current)
  end)

  it("knows three actions, and says when a store cannot be opened", function()
    assert.has_error(function() curia.migrate(folder.url "a.db", "upp") end,
      "migrate: unknown action 'upp'; did you mean 'up'?")
    assert.equal("storage", select(2, curia.migrate(folder.url "none/a.db", "up")).kind)
  end)
end)
