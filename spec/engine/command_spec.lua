local command = require "curia.engine.command"
local clock = require "curia.core.clock"
local helper = require "spec.helper"
local task = require "curia.task"

local function temporary()
  local path = os.tmpname()
  finally(function() os.remove(path) end)
  return path
end

local function lines_of(path)
  local count = 0
  for _ in io.lines(path) do count = count + 1 end
  return count
end

describe("a command", function()
  it("gives what it prints", function()
    helper.run(function()
      assert.equal("a key\n", (command.run "echo a key"))
      assert.equal("", (command.run "true"))
    end)
  end)

  it("that fails says how", function()
    helper.run(function()
      assert.same({ nil, "exit 3" }, { command.run "echo x; exit 3" })
      assert.same({ nil, "exit 127" }, { command.run "no-such-program-at-all 2>/dev/null" })
    end)
  end)

  it("does not hold the loop", function()
    helper.run(function()
      local path = temporary()
      os.remove(path)
      local told = task.spawn(function()
        task.sleep(5)
        assert(io.open(path, "w")):close()
      end)
      local text = "for i in $(seq 500); do test -e %s && exit; sleep 0.01; done; exit 1"
      assert.equal("", (command.run(text:format(path))))
      told:await()
    end)
  end)

  it("is run once for all that ask at the same time, and again later", function()
    local path = temporary()
    local text = ("echo x >> %s; sleep 0.05; echo key"):format(path)
    helper.run(function()
      local function ask() return (command.run(text)) end
      assert.same({ "key\n", "key\n", "key\n" }, (task.all { ask, ask, ask }))
      assert.equal(1, lines_of(path))
      assert.equal("key\n", ask())
      assert.equal(2, lines_of(path))
    end)
  end)

  it("goes on while one of those that wait is cancelled, and dies with the last", function()
    helper.run(function()
      local text = "sleep 0.1; echo key"
      local first, second = task.spawn(command.run, text), task.spawn(command.run, text)
      task.sleep(10)
      first:cancel()
      local _, output = second:await()
      assert.equal("key\n", output)

      local began = clock.us()
      local deserted = task.spawn(command.run, "sleep 30")
      task.sleep(10)
      deserted:cancel()
      deserted:await()
      assert.is_true(clock.us() - began < 20e6)
    end)
  end)

  it("that prints too much is ended, and said to", function()
    helper.run(function()
      local output, message = command.run "cat /dev/zero"
      assert.is_nil(output)
      assert.equal("it printed more than 65536 bytes", message)
    end)
  end)
end)
