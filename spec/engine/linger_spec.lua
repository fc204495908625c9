local clock = require "curia.core.clock"
local curia = require "curia"
local helper = require "spec.helper"
local linger = require "curia.engine.linger"
local task = require "curia.task"
local T = require "spec.engine.support"

-- A run that has ended, as far as lingering is concerned.
local function ended(log, name, linger_ms)
  return {
    finished_ms = clock.ms(), config = { get = function() return linger_ms or 5000 end },
    home = { forget = function() log[#log + 1] = name end },
  }
end

describe("a finished run", function()
  before_each(function()
    helper.virtual(function()
      task.sleep(1e9) -- those of earlier tests, which ended by other clocks
      linger.reap()
    end)
  end)

  it("is let go when its time is over, though nobody asks", function()
    helper.virtual(function()
      local gone = {}
      linger.keep(ended(gone, "first"))
      task.sleep(1000)
      linger.keep(ended(gone, "second"))
      task.sleep(3999)
      assert.same({}, gone)
      task.sleep(2)
      assert.same({ "first" }, gone)
      task.sleep(1000)
      assert.same({ "first", "second" }, gone)
    end)
  end)

  it("is let go in that way again after all were gone", function()
    helper.virtual(function()
      local gone = {}
      for i = 1, 3 do
        linger.keep(ended(gone, i))
        task.sleep(5001)
        assert.equal(i, #gone)
      end
    end)
  end)

  it("is let go before its time when there are too many", function()
    helper.virtual(function()
      local gone = {}
      for i = 1, 4100 do linger.keep(ended(gone, i)) end
      assert.same({ 1, 2, 3, 4 }, gone)
      task.sleep(5001)
      assert.equal(4100, #gone)
    end)
  end)

  it("keeps no program from ending, and holds no wait", function()
    local before = clock.us()
    local output, code = helper.script [[
      local curia, task = require "curia", require "curia.task"
      local council = curia.council "c" { curia.member "a" { provider = "scripted", model = "m" },
        curia.round "independent_analysis" {} }
      assert(curia.run(council, "Why?", { offline = true }))
      task.signal():wait()
    ]]
    assert.equal(70, code)
    assert.matches("nothing is left that could end this wait", output)
    assert.is_true(clock.us() - before < 20e6)
  end)

  it("gives its memory back", function()
    T.script "yes"
    curia.config { linger_ms = 200 }
    local council = T.council {}
    local function used_kb()
      collectgarbage()
      collectgarbage()
      return collectgarbage "count"
    end
    helper.virtual(function()
      curia.run(council, "Why?")
      task.sleep(300)
      local before = used_kb()
      local weak = setmetatable({}, { __mode = "k" })
      for _ = 1, 300 do
        local run = curia.start(council, "Why?")
        run:await()
        weak[run] = true
      end
      local lingering = used_kb()
      task.sleep(600)
      assert.is_true(used_kb() - before < (lingering - before) / 3)
      assert.is_nil(next(weak))
    end)
    curia.config { linger_ms = 60000 }
  end)
end)
