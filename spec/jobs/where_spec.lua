local config = require "curia.config"
local errors = require "curia.errors"
local shared = require "curia.store.shared"
local support = require "spec.store.support"
local where = require "curia.jobs.where"

local folder

before_each(function()
  folder = support.folder()
  assert(config.shared():set("call", { store = folder.url "runs.db" }))
end)
after_each(function()
  assert(config.shared():set("call", { jobs = "sqlite", mode = "single_node" }))
  shared.close()
  folder.remove()
end)

local function open(values, url)
  assert(config.shared():set("call", values))
  return where.open(url)
end

describe("jobs are kept", function()
  it("in the configured store, or that of the call", function()
    assert.equal(folder.url "runs.db", open({}).url)
    assert.equal(folder.url "other.db", open({}, folder.url "other.db").url)
    assert.equal(folder.url "runs.db", open({ jobs = "sqlite" }).url)
  end)

  it("where the configuration says, and the call is stronger", function()
    local store = open { jobs = { store = folder.url "jobs.db", prefix = "j_" } }
    assert.same({ folder.url "jobs.db", "j_" }, { store.url, store.prefix })
    assert.equal(folder.url "other.db", open({}, folder.url "other.db").url)
    store = open { jobs = { prefix = "k_" } }
    assert.same({ folder.url "runs.db", "k_" }, { store.url, store.prefix })
  end)

  it("in a store that looking does not make", function()
    local err = where.absence()
    assert.same({ "storage", "nothing_stored" }, { err.kind, err.code })
    assert.matches("there is no .*runs%.db$", err.message)
    assert.matches("there is no .*other%.db$", where.absence(folder.url "other.db").message)
    assert(open {})
    assert.is_nil(where.absence())
    assert(config.shared():set("call", { jobs = "postgres" }))
    assert.equal("unsupported", where.absence().code)
  end)

  it("nowhere, rather than on this machine, when several nodes share them", function()
    for _, values in ipairs { { jobs = "postgres" }, { jobs = { backend = "postgres" } },
      { jobs = {}, mode = "multi_node" } } do
      local store, err = open(values)
      assert.is_nil(store)
      assert.is_true(errors.is(err))
      assert.same({ "storage", "unsupported" }, { err.kind, err.code })
    end
    assert.is_truthy(open { jobs = "sqlite", mode = "multi_node" })
  end)

  it("as is said in known words", function()
    local _, err = config.shared():set("call", { jobs = { stoer = "x" } })
    assert.matches("did you mean 'store'", err.message)
    _, err = config.shared():set("call", { jobs = "sqlit" })
    assert.matches("did you mean 'sqlite'", err.message)
  end)
end)
