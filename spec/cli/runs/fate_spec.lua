local curia = require "curia"
local fates = require "curia.cli.runs.fate"
local helper = require "spec.helper"
local rows = require "curia.store.runs"
local S = require "spec.durable.support"
local shared = require "curia.store.shared"
local support = require "spec.recovery.support"
local T = require "spec.engine.support"

local place

before_each(function() place = S.place() end)
after_each(function() place.close() end)

local function fate_of(run_id, changes)
  local store = assert(shared.configured())
  local row = assert(rows.get(store, "default", run_id))
  for name, value in pairs(changes or {}) do row[name] = value end
  return fates.of(store, row)
end

describe("what becomes of a run", function()
  it("is told where its process has died: a durable one goes on, another is lost", function()
    support.leave_behind(place.url)
    assert.same({ state = "died", note = "its process has died", command = "curia resume left-1" }, fate_of "left-1")
    assert.same({ state = "died", note = "its process has died, and it is lost: it was not durable" },
      fate_of("left-1", { durability = "none" }))
    assert.is_nil(fate_of("left-1", { finalized_at = 1 }))
    assert.is_nil(fate_of("left-1", { parent_run_id = "outer" }).command)
  end)

  it("is told of one that was let go, and not while a process has it", function()
    helper.run(function()
      T.script { content = "yes", delay_ms = 5000 }
      local run = assert(curia.start(T.council { ids = { "a" } }, "Why?", { durability = "sync", run_id = "held" }))
      run:events()() -- what is told is stored
      assert.is_nil(fate_of "held")
      curia.recovery.release(0)
      assert.equal("released", select(2, run:await()).code)
      assert.same({ state = "let go", note = "nobody has it now", command = "curia resume held" }, fate_of "held")
      assert.is_nil(fate_of("held", { status = "blocked" }))
      run:leave_to_others()
    end)
  end)
end)
