local redact = require "curia.redact"
local stores = require "curia.store"
local support = require "spec.store.support"
local system = require "curia.core.system"

local folder, store

before_each(function()
  folder = support.folder()
  store = assert(stores.open(folder.url "test.db", { prefix = "x_" }))
  assert(store:execute "CREATE TABLE {runs} (a, b)")
end)

after_each(function()
  store:close()
  folder.remove()
end)

describe("a store", function()
  it("carries units out under its tables' names", function()
    assert(store:write { { "INSERT INTO {runs} (a, b) VALUES (?, ?)", n = 2, 1, nil } })
    assert(store:submit({ { "INSERT INTO {runs} (a, b) VALUES (?, ?)", 2, 3 } }):await())
    assert.same({ { a = 1 }, { a = 2, b = 3 } }, { table.unpack(store:query "SELECT * FROM {runs} ORDER BY a") })
    assert.equal(2, #store:read({ { "SELECT * FROM x_runs" } })[1])
    local _, err = store:write { { "UPDATE {runs} SET a = 5 WHERE a = ?", 99, expect_rows = 1 } }
    assert.equal("unexpected_rows", err.code)
  end)

  it("takes secrets out of content, which is found by the hash of what was given", function()
    assert(store:execute "CREATE TABLE {blobs} (hash TEXT PRIMARY KEY, content BLOB, inserted_at)")
    local text, unit = "never tell sk-0123456789abcdef", {}
    redact.add "sk-0123456789abcdef"
    local hash = store:put_content(unit, text)
    redact.reset()
    assert(store:write(unit))
    assert.equal(system.sha256(text), hash)
    assert.equal("never tell [secret]", store:content(hash))
  end)

  it("tells the time of the database", function()
    local now = store:query "SELECT {now} AS now"[1].now
    assert.equal("integer", math.type(now))
    assert.is_true(math.abs(now / 1000 - os.time()) < 5)
  end)

  it("refuses a prefix that is no name", function()
    assert.error_matches(function() stores.open(folder.url "test.db", { prefix = "a; --" }) end, "prefix")
  end)
end)
