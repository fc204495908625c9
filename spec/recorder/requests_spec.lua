local T = require "spec.engine.support"
local curia = require "curia"
local helper = require "spec.helper"
local reading = require "curia.recorder.reading"
local shared = require "curia.store.shared"
local support = require "spec.recorder.support"

local folder

before_each(function() folder = support.open() end)
after_each(function() support.close(folder) end)

local function waits(ctx) ctx:sleep(60000) end

describe("a request to cancel", function()
  it("that another process leaves on the row is honoured, for that run alone", function()
    helper.run(function()
      local runs = {}
      for i = 1, 2 do runs[i] = assert(curia.start(T.council { run = waits }, "Why?", { recorder = true })) end
      local store = assert(shared.configured())
      local stored
      while not stored do
        curia.task.sleep(5)
        stored = reading.from(store, runs[1].id, "default")
      end
      assert(stored:cancel "enough of it")
      local _, err = runs[1]:await(60000)
      assert.same({ "cancelled", "running" }, { runs[1].status, runs[2].status })
      assert.matches("enough of it", err.message)
      runs[2]:cancel()
      for _, run in ipairs(runs) do run.recording:wait(60000) end
    end)
  end)
end)
