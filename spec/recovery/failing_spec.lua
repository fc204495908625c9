local claim = require "curia.recovery.claim"
local curia = require "curia"
local errors = require "curia.errors"
local failing = require "curia.recovery.failing"
local helper = require "spec.helper"
local rows = require "curia.store.runs"
local S = require "spec.durable.support"
local shared = require "curia.store.shared"

local place, store

before_each(function()
  place = S.place()
  store = assert(shared.configured())
end)

after_each(function() place.close() end)

local function put(run_id, fields)
  local row, unit = {
    namespace = "default", run_id = run_id, council = "c", status = "running", durability = "none", attempt = 1,
    attempts = 1, fence = 1, events = 0, incarnation = "dead", owner = "gone", input = { question = "Why?" },
  }, {}
  for name, value in pairs(fields or {}) do row[name] = value end
  rows.insert(store, unit, row)
  assert(store:write(unit))
end

local function row_of(run_id)
  return assert(rows.get(store, "default", run_id))
end

local HERE = { incarnation = "here", node_id = "n" }
local DEAD = errors.new("orphaned", "nobody")

local function claimed(run_id)
  local row = row_of(run_id)
  assert(claim.run(store, row, HERE))
  return row
end

describe("a run that is ended for the dead", function()
  it("has the error in its row, its result and its last event, and is nobody's", function()
    put "r"
    assert(failing.fail(store, claimed "r", DEAD))
    local row = row_of "r"
    assert.same({ "failed", "orphaned", "orphaned", 1 },
      { row.status, row.error.kind, row.result.errors[1].kind, row.events })
    assert.is_truthy(row.finalized_at)
    assert.is_nil(row.incarnation)
    local events = rows.events(store, "default", "r")
    assert.same({ 1, 1, "run_failed" }, { #events, events[1].seq, events[1].type })
    assert.same(row.result, events[1].result)
    assert.is_false(claim.run(store, row, HERE))
  end)

  it("is cancelled where that was asked for", function()
    put "r"
    assert(failing.fail(store, claimed "r", errors.new("cancelled", "enough")))
    local row = row_of "r"
    assert.same({ "cancelled", "enough", "run_failed" },
      { row.status, row.error.message, rows.events(store, "default", "r")[1].type })
  end)

  it("takes along those that are part of it, however deep, and no others", function()
    put "r"
    put("inner", { parent_run_id = "r" })
    put("done", { parent_run_id = "r", status = "completed", finalized_at = 1 })
    put("deep", { parent_run_id = "done" })
    put("other", { parent_run_id = "elsewhere" })
    assert(failing.fail(store, claimed "r", DEAD))
    local found = {}
    for _, id in ipairs { "inner", "done", "deep", "other" } do found[id] = row_of(id).status end
    assert.same({ inner = "failed", done = "completed", deep = "failed", other = "running" }, found)
    assert.matches("run deep: it is part of r, which has ended", row_of "deep".error.message)
    assert.equal("run_failed", rows.events(store, "default", "inner")[1].type)
  end)

  it("is left as it is where another has claimed it meanwhile, with all that is inside", function()
    put "r"
    put("inner", { parent_run_id = "r" })
    local row = claimed "r"
    assert(claim.run(store, row_of "r", { incarnation = "other", node_id = "n" }))
    assert.is_true(rows.is_lost(select(2, failing.fail(store, row, DEAD))))
    assert.same({ "running", "running" }, { row_of "r".status, row_of "inner".status })
  end)

  it("has one last event, however many end it at the same moment", function()
    put "r"
    local row, ended, tries = claimed "r", 0, {}
    for i = 1, 8 do
      tries[i] = function()
        if failing.fail(store, row, DEAD) then ended = ended + 1 end
      end
    end
    local _, failures = curia.task.all(tries)
    assert.same({}, failures)
    assert.same({ 1, 1 }, { ended, #rows.events(store, "default", "r") })
  end)

  it("has what is to happen with it in the same unit", function()
    put "r"
    local row = claimed "r"
    local function add(unit) unit[#unit + 1] = { "UPDATE {runs} SET council = 'x' WHERE run_id = 'none'", expect_rows = 1 } end
    assert.is_nil((failing.fail(store, row, DEAD, add)))
    assert.equal("running", row_of "r".status)
    assert(failing.fail(store, row, DEAD))
  end)
end)

describe("a stored run that was ended for the dead", function()
  it("shows its rounds to who finds it", function()
    put("r", { run_id = "r", events = 2 })
    local unit = {}
    local result = { status = "ok", response = { content = "yes" } }
    for i, event in ipairs {
      { type = "round_started", round = "first", idx = 1, at = 1 },
      { type = "member_completed", round = "first", idx = 1, member = "a", result = result },
      { type = "round_completed", round = "first", idx = 1,
        result = { name = "first", idx = 1, results = { a = result }, metadata = {} } },
      { type = "round_started", round = "second", idx = 2, at = 2 },
    } do
      event.run_id, event.seq = "r", i
      rows.event(store, unit, "default", event)
    end
    assert(store:write(unit))
    assert(failing.fail(store, claimed "r", DEAD))
    helper.run(function()
      local found = assert(curia.find "r")
      local stored, err = found:await()
      assert.equal("orphaned", err.kind)
      assert.equal("yes", stored.rounds[1].results.a.response.content)
      assert.same({ 1, { a = "ok" } }, { found:state().rounds_completed, found:state().members })
    end)
  end)
end)
