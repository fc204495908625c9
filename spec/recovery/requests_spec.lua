local curia = require "curia"
local requests = require "curia.recovery.requests"
local rows = require "curia.store.runs"
local S = require "spec.durable.support"
local shared = require "curia.store.shared"
local T = require "spec.engine.support"

local place, store

before_each(function()
  place = S.place()
  store = assert(shared.configured())
end)

after_each(function() place.close() end)

describe("what is asked of a run in the store", function()
  it("is heard by the process that has it", function()
    T.script(function(request)
      local last = request.messages[#request.messages]
      if last.role == "tool" then return last.content end
      return { content = "", tool_calls = { { id = "c1", name = "look", arguments = {} } } }
    end)
    local look = curia.tool "look" { about = "looks", approval = true, run = function() return "seen" end }
    curia.task.run(function()
      local run = S.start(T.council { ids = { "a" }, members = { a = { tools = { look } } } }, nil, { run_id = "hears" })
      for event in run:events() do
        if event.type == "run_blocked" then break end
      end
      local row = assert(rows.get(store, "default", "hears"))
      assert(requests.decide(store, row, "c1", true))
      assert.equal("not_pending", select(2, requests.decide(store, row, "c1", false)).code)
      assert(requests.hear(store))
      assert(requests.hear(store))
      assert.equal("seen", run:await().rounds[1].results.a.response.content)
      assert.equal("completed", rows.get(store, "default", "hears").status)
    end)
  end)
end)
