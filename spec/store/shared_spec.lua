local config = require "curia.config"
local shared = require "curia.store.shared"
local stores = require "curia.store"
local support = require "spec.store.support"
local task = require "curia.task"

local folder

before_each(function() folder = support.folder() end)
after_each(function()
  shared.close()
  folder.remove()
end)

describe("a shared store", function()
  it("is opened once, with its tables, whoever asks first", function()
    local found = task.all {
      function() return shared.of(folder.url "a.db") end,
      function() return shared.of(folder.url "a.db") end,
    }
    assert.equal(found[1], found[2])
    assert.same({ n = 0 }, found[1]:query "SELECT count(*) AS n FROM {runs}"[1])
  end)

  it("is one, by whatever name it is opened", function()
    local uv = require "luv"
    local store = assert(shared.of(folder.url "a.db"))
    assert(uv.fs_symlink("a.db", folder.path "link.db"))
    assert(uv.fs_symlink(".", folder.path "way"))
    local here = uv.cwd()
    assert(uv.chdir(folder.path ""))
    local relative = shared.of "sqlite:a.db"
    assert(uv.chdir(here))
    local found = { relative, shared.of(folder.url "link.db"), shared.of(folder.url "way/./a.db"),
      shared.of("sqlite://" .. folder.path "a.db"), (shared.of(folder.url "a.db", "curia_")) }
    for i = 1, 5 do assert.equal(store, found[i]) end
    assert.are_not.equal(store, (shared.of(folder.url "a.db", "other_")))
  end)

  it("is the configured one", function()
    local conf = config.new()
    assert(conf:set("call", { store = folder.url "b.db", prefix = "c_" }))
    assert.equal("c_", assert(shared.configured(conf)).prefix)
  end)

  it("is known once something has opened it, or the configuration names it", function()
    local conf = config.new { getenv = function() end }
    local data = os.getenv "XDG_DATA_HOME"
    require "luv".os_setenv("XDG_DATA_HOME", folder.path "data")
    assert.is_nil((shared.known(conf)))
    local store = assert(shared.configured(conf))
    assert.equal(store, (shared.known(conf)))
    assert(conf:set("call", { store = folder.url "b.db" }))
    assert.equal(folder.url "b.db", shared.known(conf).url)
    if data then require "luv".os_setenv("XDG_DATA_HOME", data) else require "luv".os_unsetenv "XDG_DATA_HOME" end
  end)

  it("is absent until somebody opens it", function()
    local err = shared.absence(folder.url "a.db")
    assert.same({ "storage", "nothing_stored", "nothing is stored yet: there is no " .. folder.path "a.db" },
      { err.kind, err.code, err.message })
    assert(shared.of(folder.url "a.db"))
    assert.is_nil(shared.absence(folder.url "a.db"))
    assert.is_nil(shared.absence "sqlite::memory:")
  end)

  it("stands in the folder that is configured, which is made", function()
    local conf = config.new()
    assert(conf:set("call", { data_dir = folder.path "deep/er" }))
    assert.equal("sqlite:" .. folder.path "deep/er" .. "/curia.db", assert(shared.configured(conf)).url)
    assert(conf:set("call", { data_dir = "here" }))
    assert.equal(require "luv".cwd() .. "/here", shared.folder(conf))
  end)

  it("is opened for reading where it cannot be written to, if its tables are up to date", function()
    local whole = stores.open
    local function with_read_only(url)
      stores.open = function(...) -- permissions do not hold root back
        if select(2, ...).read_only then return whole(...) end
        return nil, { kind = "storage", code = "readonly" }
      end
      local ok, store, err = pcall(shared.of, url)
      stores.open = whole
      assert(ok, store)
      return store, err
    end
    assert(shared.of(folder.url "a.db"))
    shared.close()
    local store = assert(with_read_only(folder.url "a.db"))
    assert.equal(0, store:query "SELECT count(*) AS n FROM {runs}"[1].n)
    assert.is_nil((store:execute "DELETE FROM {runs}"))
    shared.close()
    assert(shared.of(folder.url "a.db"):execute "UPDATE {meta} SET value = '1' WHERE key = 'schema'")
    shared.close()
    local _, err = with_read_only(folder.url "a.db")
    assert.same({ "storage", "readonly" }, { err.kind, err.code })
    assert.matches("older version", err.message)
  end)

  it("is tried again by the next who asks when it could not be opened", function()
    local url = folder.url "none/a.db"
    local store, err = shared.of(url)
    assert.is_nil(store)
    assert.equal("storage", err.kind)
    assert(require "luv".fs_mkdir(folder.path "none", 448))
    assert.is_truthy(shared.of(url))
  end)
end)
