local curia = require "curia"
local helper = require "spec.helper"
local rows = require "curia.store.runs"
local S = require "spec.durable.support"
local shared = require "curia.store.shared"
local T = require "spec.engine.support"
local waiting = require "curia.cli.runs.waiting"

local place, store

before_each(function()
  place = S.place()
  store = assert(shared.configured())
end)

after_each(function() place.close() end)

local function asks()
  local count = 0
  T.script(function()
    count = count + 1
    if count > 2 then return "done" end
    return { content = "", tool_calls = { { id = "c" .. count, name = "look", arguments = { at = count } } } }
  end)
  local look = curia.tool "look" { about = "looks", approval = true, run = function() return "seen" end }
  return T.council { ids = { "a" }, members = { a = { tools = { look } } } }
end

local function calls_of(run)
  local row = assert(rows.get(store, "default", run.id))
  return waiting.of(store, row, assert(rows.events(store, "default", run.id)))
end

describe("the calls that wait for a decision", function()
  it("are those that nobody has decided about", function()
    helper.run(function()
      local run = assert(curia.start(asks(), "Why?", { durability = "sync" }))
      local seen = {}
      for event in run:events() do
        if event.type == "run_blocked" then
          seen[#seen + 1] = calls_of(run)
          run:approve(event.call.id, true)
        end
      end
      assert(run:await())
      assert.same({ { { id = "c1", text = 'look {"at":1}' } }, { { id = "c2", text = 'look {"at":2}' } } }, seen)
      assert.same({}, calls_of(run))
    end)
  end)
end)
