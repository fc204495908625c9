local stores = require "curia.cli.runs.store"
local support = require "spec.recorder.support"

local folder

before_each(function() folder = support.open() end)
after_each(function() support.close(folder) end)

describe("the store of the commands", function()
  it("is not made by looking", function()
    local store, err = stores.open()
    assert.is_nil(store)
    assert.equal("nothing_stored", err.code)
  end)

  it("knows a run by its id, and the newest as last", function()
    support.recorded()
    local newest = support.recorded()
    local store = assert(stores.open())
    assert.equal(newest.id, stores.find(store, "last").id)
    assert.equal(newest.id, stores.find(store, newest.id).id)
    assert.equal("unknown_run", select(2, stores.find(store, "nobody")).kind)
  end)
end)
