local gaps = require "curia.store.gaps"
local recorded = require "spec.recorder.support"
local rows = require "curia.store.runs"
local shared = require "curia.store.shared"

local folder, store

before_each(function()
  folder = recorded.open()
  store = assert(shared.configured())
end)
after_each(function() recorded.close(folder) end)

-- A run with the events of these numbers.
local function put(run_id, numbers, more)
  local unit, row = {}, {
    namespace = "default", run_id = run_id, council = "c", durability = "sync", status = "completed", attempt = 1,
    attempts = 0, fence = 1, events = 0, finalized_at = 5,
  }
  for name, value in pairs(more) do row[name] = value end
  if row.status == "running" then row.finalized_at = nil end
  rows.insert(store, unit, row)
  for _, seq in ipairs(numbers) do
    rows.event(store, unit, "default", { run_id = run_id, seq = seq, type = "member_started" })
  end
  assert(store:write(unit))
end

local function of(run_id)
  local gap = gaps.of(store, { namespace = "default", run_id = run_id })
  return gap and { gap.expected, gap.missing }
end

describe("the record of a run", function()
  it("has a gap where an event is missing, at its end too", function()
    put("whole", { 1, 2, 3 }, { events = 3 })
    put("amid", { 1, 3 }, { events = 3 })
    put("end", { 1, 2 }, { events = 4 })
    put("none", {}, { events = 2 })
    assert.is_nil(of "whole")
    assert.same({ { 3, 1 }, { 4, 2 }, { 2, 2 } }, { of "amid", of "end", of "none" })
    local ids = {}
    for i, gap in ipairs(assert(gaps.all(store))) do ids[i] = gap.run_id end
    assert.same({ "amid", "end", "none" }, ids)
  end)

  it("is judged by its numbers while the run goes on, if it has a journal", function()
    put("whole", { 1, 2 }, { status = "running" })
    put("begins", {}, { status = "running" })
    put("amid", { 1, 4 }, { status = "running" })
    put("recorded", { 1, 4 }, { status = "running", durability = "none" })
    assert.is_nil(of "whole" or of "begins" or of "recorded")
    assert.same({ 4, 2 }, of "amid")
  end)

  it("is whole without the events that its recorder was not to keep", function()
    local run = recorded.recorded({}, "Why?", {
      recorder = { true, { events = { exclude = { "member_started" } } } },
    })
    local kept = #rows.events(store, "default", run.id)
    assert.is_true(kept < run.log.count)
    assert.is_nil(of(run.id))
    assert(store:execute "DELETE FROM {run_events} WHERE seq = 1")
    assert.same({ kept, 1 }, of(run.id))
  end)

  it("is judged without what nobody knows any more when its process has died", function()
    put("left", { 1, 3 }, { status = "running", durability = "none", incarnation = "dead" })
    local row = assert(rows.get(store, "default", "left"))
    assert(require "curia.recovery.failing".fail(store, row, require "curia.errors".new("orphaned", "it has died")))
    assert.is_nil(of "left")
    put("durable", { 1, 3 }, { status = "running", incarnation = "dead" })
    row = assert(rows.get(store, "default", "durable"))
    assert(require "curia.recovery.failing".fail(store, row, require "curia.errors".new("orphaned", "it has died")))
    assert.same({ 4, 1 }, of "durable")
  end)
end)
