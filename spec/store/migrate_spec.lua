local helper = require "spec.helper"
local migrate = require "curia.store.migrate"
local schema = require "curia.store.schema"
local stores = require "curia.store"
local support = require "spec.store.support"

local folder, store

before_each(function()
  folder = support.folder()
  store = assert(stores.open(folder.url "test.db"))
end)

after_each(function()
  store:close()
  folder.remove()
end)

local function tables(of)
  local names = {}
  for i, row in ipairs(of:query "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name") do
    names[i] = row.name
  end
  return names
end

describe("migrating", function()
  it("takes every step once and tells where the store stands", function()
    local before = migrate.status(store)
    assert.same({ 0, #schema.steps, #schema.steps }, { before.current, before.latest, #before.pending })
    local after = assert(migrate.up(store))
    assert.same({ #schema.steps, 0 }, { after.current, #after.pending })
    local made = tables(store)
    assert(store:execute(
      "INSERT INTO {nodes} (incarnation, node_id, started_at, heartbeat_at) VALUES ('i', 'n', 1, 1)"))
    assert.same(after, migrate.up(store))
    assert.same(made, tables(store))
    assert.equal(1, #store:query "SELECT * FROM {nodes}")
  end)

  it("only reads where no step is missing, and so waits for nobody who writes", function()
    assert(migrate.up(store))
    function store.write() error "a writer is waited for" end
    assert.equal(#schema.steps, migrate.up(store).current)
    store.write = nil
  end)

  it("is safe when several processes start together", function()
    local others = {}
    for i = 1, 5 do others[i] = assert(stores.open(folder.url "test.db")) end
    local results = helper.run(function()
      local task = require "curia.task"
      local functions = {}
      for i, other in ipairs(others) do functions[i] = function() return assert(migrate.up(other)) end end
      local values, errors = task.all(functions)
      assert.same({}, errors)
      return values
    end)
    for i, other in ipairs(others) do
      assert.equal(#schema.steps, results[i].current)
      other:close()
    end
  end)

  it("does nothing to the tables of a newer version", function()
    assert(migrate.up(store))
    assert(store:execute "UPDATE {meta} SET value = '99' WHERE key = 'schema'")
    local done, err = migrate.up(store)
    assert.is_nil(done)
    assert.same({ "storage", "newer_schema" }, { err.kind, err.code })
    assert.equal(99, migrate.status(store).current)
  end)

  it("leaves nothing of a step that fails", function()
    assert(store:execute "CREATE TABLE curia_blobs (mine TEXT)")
    local done, err = migrate.up(store)
    assert.is_nil(done)
    assert.matches("already exists", err.message)
    assert.equal(0, migrate.status(store).current)
    assert.same({ "curia_blobs", "curia_meta" }, tables(store))
  end)

  it("down removes Curia's tables and no others", function()
    assert(migrate.up(store))
    assert(store:execute "CREATE TABLE mine (a)")
    assert.is_true(migrate.down(store))
    assert.same({ "mine" }, tables(store))
    assert.equal(0, migrate.status(store).current)
    assert.is_true(migrate.down(store))
  end)

  it("keeps stores of another prefix apart", function()
    assert(migrate.up(store))
    local other <close> = assert(stores.open(folder.url "test.db", { prefix = "team_" }))
    assert.equal(0, migrate.status(other).current)
    assert(migrate.up(other))
    assert.is_true(migrate.down(other))
    assert.equal(#schema.steps, migrate.status(store).current)
  end)
end)
