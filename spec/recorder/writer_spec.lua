local T = require "spec.engine.support"
local curia = require "curia"
local helper = require "spec.helper"
local nodes = require "curia.recovery.node"
local redact = require "curia.redact"
local rows = require "curia.store.runs"
local shared = require "curia.store.shared"
local support = require "spec.recorder.support"
local writer = require "curia.recorder.writer"

local folder

before_each(function() folder = support.open() end)
after_each(function() support.close(folder) end)

local function row_of(run)
  return assert(rows.get(assert(shared.configured()), run.namespace.name, run.id))
end

-- All bytes of the database, what is not yet in its main file too.
local function bytes()
  local parts = {}
  for _, name in ipairs { "runs.db", "runs.db-wal" } do
    local file = io.open(folder.path(name), "rb")
    if file then
      parts[#parts + 1] = file:read "a"
      file:close()
    end
  end
  return table.concat(parts)
end

describe("the row of a recorded run", function()
  it("says what was asked, what came of it and what it took", function()
    local run = support.recorded({}, "Why?", {
      seed = 7, group = "night", recorder = { true, { job_id = "j", parent_attempt_run_id = "r0", attempt = 2 } },
    })
    local row = row_of(run)
    assert.same({ "completed", "none", "night", 7, "j", "r0", 2, run.log.count, "Why?" }, {
      row.status, row.durability, row.group_name, row.seed, row.job_id, row.parent_attempt_run_id, row.attempt,
      row.events, row.input.question,
    })
    assert.equal("ok", row.result.status)
    assert.equal(3, #rows.events(assert(shared.configured()), "default", run.id, row.events - 2))
    assert.is_true(row.finalized_at >= row.started_at)
  end)

  it("is stamped with its stack and environment; the caller's are stronger than the configured", function()
    curia.config { stack = "blue", env = "test" }
    local row = row_of(support.recorded())
    assert.same({ "blue", "test" }, { row.source_stack, row.source_env })
    row = row_of(support.recorded({}, "Why?", { stack = "green", env = curia.null }))
    assert.equal("green", row.source_stack)
    assert.is_nil(row.source_env)
    curia.config { stack = "", env = "" }
    row = row_of(support.recorded())
    assert.same({}, { row.source_stack, row.source_env })
  end)

  it("says what is to become of it if its process dies", function()
    local run = support.recorded({ recovery = { policy = "restart", max_attempts = 2 } })
    assert.same({ "restart", 2 }, { row_of(run).recovery, row_of(run).max_attempts })
    assert.equal("fail", row_of(support.recorded({ recovery = "restart" }, "Why?", { recovery = "fail" })).recovery)
  end)

  it("is the one that is there already, where the run has been claimed under its fence", function()
    local store, unit = assert(shared.configured()), {}
    rows.insert(store, unit, {
      namespace = "default", run_id = "there", council = "spec", status = "pending", durability = "none", attempt = 2,
      attempts = 0, fence = 4, events = 0, parent_attempt_run_id = "before",
    })
    assert(store:write(unit))
    local row = row_of(support.recorded({}, "Why?", { run_id = "there", recorder = { true, { fence = 4 } } }))
    assert.same({ "completed", 2, "before", 4 }, { row.status, row.attempt, row.parent_attempt_run_id, row.fence })
  end)

  it("keeps the error and what was done of a run that failed", function()
    T.answers { a = { error = { status = 400, message = "no" } } }
    local row = row_of(support.recorded { ids = { "a" } })
    assert.same({ "failed", "error" }, { row.status, row.result.status })
    assert.is_string(row.error.kind)
  end)

  it("shows the run while it goes on", function()
    local run = assert(curia.start(T.council { run = function(ctx) ctx:sleep(60000) end }, "Why?", { recorder = true }))
    local store = assert(shared.configured())
    local shown = helper.settle(function()
      local row = rows.get(store, "default", run.id)
      return row and row.status == "running"
    end)
    run:cancel()
    run.recording:wait(60000)
    assert.is_true(shown)
    local row = row_of(run)
    assert.same({ "cancelled", nil }, { row.status, row.incarnation })
  end)

  it("is not taken for a dead process's while it goes on, and leaves no node behind", function()
    local function waits(ctx) ctx:sleep(60000) end
    local run = assert(curia.start(T.council { run = waits }, "Why?", { recorder = true }))
    local store = assert(shared.configured())
    while not rows.get(store, "default", run.id) do curia.task.sleep(5) end
    local row = row_of(run)
    assert.is_true(nodes.is_alive(store, row.incarnation))
    assert.equal(nodes.current(store).node_id, row.owner)
    run:cancel()
    run.recording:wait(60000)
    shared.close()
    assert.equal(0, shared.configured():query "SELECT count(*) AS n FROM {nodes}"[1].n)
  end)

  it("holds no secret, wherever it was said", function()
    local key = "sk-live-0123456789abcdef"
    redact.add(key)
    T.answers { a = "my key is " .. key .. (" and more"):rep(200) }
    local run = support.recorded({ ids = { "a" } }, "Is it " .. key .. "?")
    shared.close()
    redact.reset()
    assert.is_nil(bytes():find(key, 1, true))
    assert.is_truthy(bytes():find("Is it [secret]?", 1, true))
    assert.is_truthy(run:result().final.content:find(key, 1, true))
  end)

  it("is what the hooks make of it", function()
    local function turned(text) return (text:gsub(".", function(c) return string.char(c:byte() ~ 0x2a) end)) end
    curia.config { at_rest = {
      redact = function(value, what)
        if what == "input" then value.question = "asked in confidence" end
        return value
      end,
      seal = turned, unseal = turned,
    } }
    local run = support.recorded({}, "Why not?")
    assert.equal("asked in confidence", row_of(run).input.question)
    shared.close()
    assert.is_nil(bytes():find("in confidence", 1, true))
  end)
end)

describe("a store that cannot be opened", function()
  it("lets the run go on, and is told to who wants to know", function()
    local told
    local run = assert(curia.start(T.council {}, "Why?", { recorder = { true, {
      store = folder.url "none/x.db", on_failure = function(err) told = err end,
    } } }))
    assert.equal("ok", run:await().status)
    assert.is_nil((run.recording:wait(60000)))
    assert.equal("storage", told.kind)
  end)

  it("may be one that this version has not", function()
    assert.equal("storage", writer.no_postgres().kind)
  end)
end)
