local helper = require "spec.helper"
local node = require "curia.recovery.node"
local refusal = require "curia.recovery.refusal"
local S = require "spec.durable.support"
local shared = require "curia.store.shared"

local place, store

before_each(function()
  place = S.place()
  store = assert(shared.configured())
end)

after_each(function() place.close() end)

local function of(changes)
  local row = { run_id = "r", durability = "sync", status = "running", owner = "n" }
  for name, value in pairs(changes) do row[name] = value end
  local err = refusal.of(store, row)
  return err and { err.kind, err.code, err.message }
end

describe("what speaks against resuming a run", function()
  it("is that it is not durable, or has ended otherwise than by a failure", function()
    assert.same({ "unsupported", nil, "run r is not durable, and cannot be resumed" }, of { durability = "none" })
    assert.same({ "validation", "ended", "run r has ended: completed" }, of { finalized_at = 1, status = "completed" })
    assert.is_nil(of { finalized_at = 1, status = "failed" })
  end)

  it("is that it is part of another, which has its journal", function()
    for _, status in ipairs { "running", "failed" } do
      assert.same({ "validation", "inside", "run r is part of run o: resume that one" },
        of { parent_run_id = "o", status = status, finalized_at = status == "failed" and 1 or nil })
    end
  end)

  it("is that a process goes on with it", function()
    helper.run(function()
      local own = assert(node.current(store)).incarnation
      assert.same({ "validation", "running", "run r goes on, in a process of node n" }, of { incarnation = own })
      node.leave(store)
    end)
    assert.is_nil(of { incarnation = "dead" })
    assert.is_nil(of {})
  end)
end)
