local helper = require "spec.helper"
local retention = require "curia.recorder.retention"
local shared = require "curia.store.shared"
local support = require "spec.recorder.support"

local folder

before_each(function() folder = support.open() end)
after_each(function() support.close(folder) end)

local function count(store)
  return store:query "SELECT count(*) AS n FROM {runs}"[1].n
end

describe("retention", function()
  it("removes what ended earlier, at most once an hour", function()
    helper.run(function()
      support.recorded()
      local store = assert(shared.configured())
      assert.is_nil(retention.keep(store, nil))
      assert.equal(1, count(store))
      retention.keep(store, -1000):await()
      assert.equal(0, count(store))
      assert.is_nil(retention.keep(store, -1000))
    end)
  end)
end)
