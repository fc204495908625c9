local at_rest = require "curia.store.at_rest"
local clock = require "curia.core.clock"
local job_rows = require "curia.jobs.rows"
local jobs = require "spec.jobs.support"
local migrate = require "curia.store.migrate"
local null = require "curia.json".null
local prune = require "curia.store.prune"
local rows = require "curia.store.runs"
local sql = require "curia.sql"
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
    assert.same({ workflows = 0, jobs = 0, runs = 1, blobs = 1 }, (prune.ended(store, NOW - 1000)))
    assert.same({ 2, 2, 3 }, { count "runs", count "run_events", count "blobs" })
    assert.equal(said, rows.get(store, "default", "new").input.question)
    assert.equal(said .. "new", rows.events(store, "default", "new")[1].text)
  end)

  it("leaves content alone that was stored again meanwhile", function()
    insert("old", "failed", OLD, ("words "):rep(300))
    assert.same({ workflows = 0, jobs = 0, runs = 1, blobs = 0 }, (prune.ended(store, NOW - 1000)))
  end)

  local function insert_job(id, finished_at, more)
    local unit, row = {}, jobs.row { job_id = id, state = "completed", input = ("asked "):rep(300) .. id }
    for name, value in pairs(more or {}) do row[name] = value end
    job_rows.insert(store, unit, row)
    assert(store:write(unit))
    assert(store:execute("UPDATE {jobs} SET finished_at = ? WHERE job_id = ?", finished_at, id))
  end

  it("removes jobs that ended before, unless they have a key for a time yet", function()
    insert_job("old", OLD)
    insert_job("new", NOW)
    insert_job("waits", null)
    insert_job("keeps", OLD, { unique_key = "k", unique_until = NOW + 60000 })
    insert_job("kept", OLD, { unique_key = "l", unique_until = OLD })
    age_blobs()
    assert.same({ workflows = 0, jobs = 2, runs = 0, blobs = 2 }, (prune.ended(store, NOW - 1000)))
    assert.same({ { job_id = "keeps" }, { job_id = "new" }, { job_id = "waits" } },
      { table.unpack(store:query "SELECT job_id FROM {jobs} ORDER BY job_id") })
    assert.equal(1, prune.jobs(store, NOW + 1))
  end)

  local function insert_workflow(id, status, finished_at, run_id)
    assert(store:execute([[INSERT INTO {workflows} (namespace, id, name, status, definition_hash, plan, version,
      started_at, updated_at, finished_at) VALUES ('default', ?, 'w', ?, 'h', ?, 1, 1, 1, ?)]], id, status,
      sql.bytes "{}", finished_at or null))
    for i = 1, 2 do
      assert(store:execute([[INSERT INTO {workflow_steps} (namespace, workflow_id, name, position, status, attempt,
        run_id, version) VALUES ('default', ?, ?, ?, ?, 1, ?, 1)]], id, "s" .. i, i,
        i == 2 and status == "running" and "running" or "done", i == 2 and run_id or null))
    end
  end

  it("removes workflows that ended before, with their steps", function()
    insert_workflow("old", "done", OLD)
    insert_workflow("new", "failed", NOW)
    insert_workflow("live", "running")
    assert.equal(1, prune.ended(store, NOW - 1000).workflows)
    assert.same({ 2, 4 }, { count "workflows", count "workflow_steps" })
  end)

  it("leaves runs alone whose outcome a job or a step has not taken yet", function()
    for _, id in ipairs { "of-step", "of-job", "old" } do insert(id, "completed", OLD, id) end
    insert_workflow("live", "running", nil, "of-step")
    insert_job("waits", null)
    assert(store:execute "UPDATE {runs} SET job_id = 'waits' WHERE run_id = 'of-job'")
    assert.equal(1, prune.ended(store, NOW - 1000).runs)
    assert.equal(2, count "runs")
    assert(store:execute("UPDATE {jobs} SET finished_at = ?", OLD))
    assert.equal(1, prune.ended(store, NOW - 1000).runs)
  end)

  it("leaves runs alone that are inside of one that stays", function()
    local function inside(id, outer) assert(store:execute("UPDATE {runs} SET parent_run_id = ? WHERE run_id = ?", outer, id)) end
    for _, id in ipairs { "outer", "inner", "innermost" } do insert(id, "failed", OLD, id) end
    inside("inner", "outer")
    inside("innermost", "inner")
    assert(store:execute("UPDATE {runs} SET finalized_at = ? WHERE run_id = 'outer'", NOW))
    assert.equal(0, prune.ended(store, NOW - 1000).runs)
    assert(store:execute("UPDATE {runs} SET finalized_at = ?", OLD))
    assert.equal(3, prune.ended(store, NOW - 1000).runs)
    assert.equal(0, count "run_events")
  end)

  it("leaves alone what was begun once more since it was found", function()
    insert("old", "failed", OLD, "x")
    insert("older", "failed", OLD, "y")
    local hasty = setmetatable({ write = function(_, unit)
      assert(store:execute "UPDATE {runs} SET status = 'running' WHERE run_id = 'old'")
      return store:write(unit)
    end }, { __index = store })
    assert.equal(1, prune.ended(hasty, NOW - 1000).runs)
    assert.same({ 1, 1 }, { count "runs", #rows.events(store, "default", "old") })
  end)

  it("reads tables page after page", function()
    for i = 1, 600 do insert_job(("j%04d"):format(i), NOW) end
    insert("old", "completed", OLD, "x")
    age_blobs()
    assert.same({ workflows = 0, jobs = 0, runs = 1, blobs = 0 }, (prune.ended(store, NOW - 1000)))
    assert.equal(600, count "blobs")
  end)

  it("keeps to a namespace", function()
    insert("old", "completed", OLD, "x")
    assert.same({ workflows = 0, jobs = 0, runs = 0, blobs = 0 }, (prune.ended(store, NOW, "other")))
    assert.same({ workflows = 0, jobs = 0, runs = 1, blobs = 0 }, (prune.ended(store, NOW, "default")))
  end)

  it("removes nothing where it cannot read what is spoken of, also when that was sealed after opening", function()
    local function turned(text) return (text:gsub(".", function(c) return string.char(c:byte() ~ 0x2a) end)) end
    local other <close> = assert(stores.open(store.url))
    assert(at_rest.apply(other, { seal = turned, unseal = turned }))
    insert("old", "completed", OLD, ("words "):rep(300))
    age_blobs()
    local before = count "blobs"
    local removed, err = prune.ended(store, NOW - 1000)
    assert.is_nil(removed)
    assert.same({ "storage", "sealed" }, { err.kind, err.code })
    assert.same({ before, 1 }, { count "blobs", count "runs" })
  end)

  it("reads sealed content", function()
    local function turned(text) return (text:gsub(".", function(c) return string.char(c:byte() ~ 0x2a) end)) end
    store.seal, store.unseal = turned, turned
    insert("old", "completed", OLD, "x")
    insert("new", "completed", NOW, ("words "):rep(300))
    age_blobs()
    assert(prune.ended(store, NOW - 1000))
    assert.equal(2, count "blobs")
  end)
end)
