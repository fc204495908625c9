local curia = require "curia"
local shared = require "curia.store.shared"
local support = require "spec.recorder.support"

local folder

before_each(function() folder = support.open() end)
after_each(function() support.close(folder) end)

local HERE = { store = "sqlite" }

describe("reliability in a database", function()
  it("counts as the one in memory does, and outlives the process", function()
    assert.is_nil((curia.reliability.score("ada", { topic = "law" }, HERE)))
    assert(curia.reliability.record("ada", { topic = "law" }, true, HERE))
    assert(curia.reliability.record("ada", { topic = "law" }, true, HERE))
    assert(curia.reliability.record("ada", { topic = "law" }, false, HERE))
    assert(curia.reliability.record("ada", { topic = "tea" }, false, HERE))
    shared.close()
    assert.equal(3 / 5, (curia.reliability.score("ada", { topic = "law" }, HERE)))
    assert.equal(1 / 3, (curia.reliability.score("ada", { topic = "tea" }, HERE)))
    assert.is_nil((curia.reliability.score("bob", { topic = "law" }, HERE)))
  end)

  it("may be in a store of its own, which is told when it cannot be opened", function()
    local own = { store = { backend = "sqlite", store = folder.url "own.db" } }
    assert(curia.reliability.record("ada", nil, true, own))
    assert.equal(2 / 3, (curia.reliability.score("ada", nil, own)))
    assert.is_nil((curia.reliability.score("ada", nil, HERE)))
    curia.config { log = function() end }
    local score, err = curia.reliability.score("ada", nil,
      { store = { backend = "sqlite", store = folder.url "none/a.db" } })
    curia.config { log = "warn" }
    assert.is_nil(score)
    assert.equal("storage", err.kind)
  end)
end)
