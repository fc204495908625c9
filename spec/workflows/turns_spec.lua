local helper = require "spec.helper"
local task = require "curia.task"
local turns = require "curia.workflows.turns"

local function worker(all, name, told, ms)
  return task.spawn(function()
    local turn <close> = all:take(name)
    turn:wait()
    told[#told + 1] = "in"
    task.sleep(ms or 1)
    told[#told + 1] = "out"
  end)
end

describe("turns", function()
  it("come one at a time for a name, and are forgotten", function()
    helper.virtual(function()
      local all, told = turns.new(), {}
      local tasks = {}
      for i = 1, 3 do tasks[i] = worker(all, "a", told) end
      for _, one in ipairs(tasks) do one:await() end
      assert.equal("in out in out in out", table.concat(told, " "))
      assert.is_nil(next(all.queues))
    end)
  end)

  it("of different names do not wait for each other", function()
    helper.virtual(function()
      local all, told = turns.new(), {}
      local one, two = worker(all, "a", told), worker(all, "b", told)
      one:await()
      two:await()
      assert.equal("in in out out", table.concat(told, " "))
    end)
  end)

  it("pass on when the one who has, or waits for, one is cancelled", function()
    helper.virtual(function()
      local all, told = turns.new(), {}
      local first, second, third = worker(all, "a", told, 1e6), worker(all, "a", told), worker(all, "a", told)
      task.sleep(5)
      second:cancel "not needed"
      task.sleep(5)
      first:cancel "not needed"
      assert.is_true((third:await()))
      assert.equal("in in out", table.concat(told, " "))
      assert.is_nil(next(all.queues))
    end)
  end)
end)
