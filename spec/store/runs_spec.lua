local json = require "curia.json"
local migrate = require "curia.store.migrate"
local rows = require "curia.store.runs"
local stores = require "curia.store"
local support = require "spec.store.support"

local KEY = { namespace = "default", run_id = "r1" }
local folder, store

before_each(function()
  folder = support.folder()
  store = assert(stores.open(folder.url "test.db"))
  assert(migrate.up(store))
end)

after_each(function()
  store:close()
  folder.remove()
end)

local function insert(more)
  local row = {
    namespace = "default", run_id = "r1", council = "three", status = "running", durability = "sync", attempt = 1,
    attempts = 1, fence = 1, events = 0, input = { question = "Why?" }, options = {},
  }
  for name, value in pairs(more or {}) do row[name] = value end
  local unit = {}
  rows.insert(store, unit, row)
  assert(store:write(unit))
end

local function update(fence, changes)
  local unit = {}
  rows.update(store, unit, KEY, fence, changes)
  return store:write(unit)
end

describe("the row of a run", function()
  it("is read as it was written, long texts and empty lists too", function()
    local long = ("long "):rep(500)
    insert { input = { question = long, list = json.array() }, group_name = "night" }
    local row = assert(rows.get(store, "default", "r1"))
    assert.equal(long, row.input.question)
    assert.is_true(json.is_array(row.input.list))
    assert.same({ "night", "running", 1 }, { row.group_name, row.status, row.fence })
  end)

  it("is changed by its owner alone", function()
    insert()
    assert(update(1, { status = "completed", result = { final = { content = "Yes." } } }))
    assert.equal("Yes.", rows.get(store, "default", "r1").result.final.content)
    local done, err = update(2, { status = "failed" })
    assert.is_nil(done)
    assert.is_true(rows.is_lost(err))
    assert.equal("completed", rows.get(store, "default", "r1").status)
  end)

  it("is told not to be there", function()
    local row, err = rows.get(store, "default", "other")
    assert.is_nil(row)
    assert.equal("unknown_run", err.kind)
  end)
end)

describe("the events of a run", function()
  it("come in their order, from a number on, and a long text is stored once", function()
    local unit, seen, long = {}, {}, ("word "):rep(300)
    for seq = 1, 3 do
      rows.event(store, unit, "default", { run_id = "r1", seq = seq, type = "log", text = long }, seen)
    end
    assert(store:write(unit))
    local events = assert(rows.events(store, "default", "r1", 2))
    assert.same({ 2, 3 }, { events[1].seq, events[2].seq })
    assert.equal(long, events[2].text)
    assert.equal(1, #rows.events(store, "default", "r1", 1, 1))
    assert.equal(1, store:query "SELECT count(*) AS n FROM {blobs}"[1].n)
  end)
end)

describe("data that is sealed", function()
  it("is not legible in the database, and is read all the same", function()
    local function turned(bytes) return (bytes:gsub(".", function(c) return string.char(c:byte() ~ 0x55) end)) end
    store.seal, store.unseal = turned, turned
    local secret = ("a secret "):rep(300)
    insert { input = { question = secret, short = "a secret" } }
    local file = assert(io.open(folder.path "test.db-wal", "rb"))
    local bytes = file:read "a"
    file:close()
    assert.is_nil(bytes:find("a secret", 1, true))
    assert.equal(secret, rows.get(store, "default", "r1").input.question)
  end)
end)
