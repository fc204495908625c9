local clock = require "curia.core.clock"
local migrate = require "curia.store.migrate"
local prune = require "curia.store.prune"
local rows = require "curia.store.runs"
local stores = require "curia.store"
local support = require "spec.store.support"

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

local OLD, NOW = 1000, clock.wall_ms()

local function insert(id, status, finalized_at, text)
  local unit = {}
  rows.insert(store, unit, {
    namespace = "default", run_id = id, council = "three", status = status, durability = "none", attempt = 1,
    attempts = 1, fence = 1, events = 1, input = { question = text }, options = {}, finalized_at = finalized_at,
  })
  rows.event(store, unit, "default", { run_id = id, seq = 1, type = "log", text = text .. id })
  assert(store:write(unit))
end

local function count(name)
  return store:query(("SELECT count(*) AS n FROM {%s}"):format(name))[1].n
end

local function age_blobs()
  assert(store:execute("UPDATE {blobs} SET inserted_at = ?", OLD))
end

describe("pruning", function()
  it("removes runs that ended before, with their events and what only they said", function()
    local said = ("words "):rep(300)
    insert("old", "completed", OLD, said)
    insert("new", "completed", NOW, said)
    insert("live", "running", nil, said)
    age_blobs()
    assert.equal(4, count "blobs")
    assert.same({ runs = 1, blobs = 1 }, (prune.runs(store, NOW - 1000)))
    assert.same({ 2, 2, 3 }, { count "runs", count "run_events", count "blobs" })
    assert.equal(said, rows.get(store, "default", "new").input.question)
    assert.equal(said .. "new", rows.events(store, "default", "new")[1].text)
  end)

  it("leaves content alone that was stored again meanwhile", function()
    insert("old", "failed", OLD, ("words "):rep(300))
    assert.same({ runs = 1, blobs = 0 }, (prune.runs(store, NOW - 1000)))
  end)

  it("keeps to a namespace", function()
    insert("old", "completed", OLD, "x")
    assert.same({ runs = 0, blobs = 0 }, (prune.runs(store, NOW, "other")))
    assert.same({ runs = 1, blobs = 0 }, (prune.runs(store, NOW, "default")))
  end)

  it("reads sealed content", function()
    local function turned(text) return (text:gsub(".", function(c) return string.char(c:byte() ~ 0x2a) end)) end
    store.seal, store.unseal = turned, turned
    insert("old", "completed", OLD, "x")
    insert("new", "completed", NOW, ("words "):rep(300))
    age_blobs()
    assert(prune.runs(store, NOW - 1000))
    assert.equal(2, count "blobs")
  end)
end)
