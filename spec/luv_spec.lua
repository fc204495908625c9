local helper = require "spec.helper"
local task = require "curia.task"
local uv = require "luv"

-- Waits in a task until the callback that it hands to `start` is called; gives its arguments.
local function called(start)
  local signal, values = task.signal(), nil
  start(function(...)
    values = table.pack(...)
    signal:notify()
  end)
  if not values then assert(signal:wait(60000), "the callback was not called") end
  return table.unpack(values, 1, values.n)
end

local function close(handle)
  called(function(done) handle:close(done) end)
end

describe("luv", function()
  it("shares the loop: timers wake tasks", function()
    helper.run(function()
      local timer, order = uv.new_timer(), {}
      task.spawn(function()
        task.sleep(1)
        order[#order + 1] = "task"
      end)
      uv.update_time() -- luv counts from the time that the loop knows
      called(function(done) timer:start(300, 0, done) end)
      order[#order + 1] = "timer"
      assert.same({ "task", "timer" }, order)
      close(timer)
    end)
  end)

  it("is one module under two names", function()
    assert.equal(require "luv", require "uv")
  end)

  it("carries bytes between two sockets, in tasks", function()
    helper.run(function()
      local server, got = uv.new_tcp(), {}
      assert(server:bind("127.0.0.1", 0))
      server:listen(16, function()
        local peer = uv.new_tcp()
        server:accept(peer)
        peer:read_start(function(_, chunk)
          if chunk then peer:write(chunk:upper()) else peer:close() end
        end)
      end)
      local client = uv.new_tcp()
      local err = called(function(done) client:connect("127.0.0.1", server:getsockname().port, done) end)
      assert.is_nil(err)
      local signal = task.signal()
      client:read_start(function(_, chunk)
        got[#got + 1] = chunk
        signal:notify()
      end)
      client:write "hello"
      assert.is_true(signal:wait(60000))
      assert.equal("HELLO", table.concat(got))
      close(client)
      close(server)
    end)
  end)

  it("does file work on its threads", function()
    helper.run(function()
      local err, stat = called(function(done) uv.fs_stat("/", done) end)
      assert.is_nil(err)
      assert.equal("directory", stat.type)
    end)
  end)

  it("can be required in a task that ends before its callbacks come", function()
    local output, code = helper.script [[
      local task = require "curia.task"
      local fired = false
      task.spawn(function()
        local uv = require "luv"
        local timer = uv.new_timer()
        timer:start(20, 0, function() fired = true timer:close() end)
      end):await()
      for _ = 1, 50 do
        task.spawn(function() end):await()
        collectgarbage()
      end
      for _ = 1, 2000 do if not fired then task.sleep(5) end end
      return fired and 5 or 6
    ]]
    assert.equal("", output)
    assert.equal(5, code)
  end)

  it("an error in a callback is reported with its traceback; the loop goes on", function()
    local output, code = helper.script [[
      local task, uv = require "curia.task", require "luv"
      local timer, count = uv.new_timer(), 0
      timer:start(1, 1, function()
        count = count + 1
        if count == 3 then timer:close() end
        local function deep() error("broken " .. count) end
        deep()
      end)
      for _ = 1, 2000 do if count < 3 then task.sleep(5) end end
      return count
    ]]
    assert.equal(3, code)
    for i = 1, 3 do assert.matches("a callback of luv failed: [^\n]*broken " .. i, output) end
    assert.matches("in [^\n]*'deep'", output)
  end)

  it("an error value of any kind is reported", function()
    local output, code = helper.script [[
      local task, uv = require "curia.task", require "luv"
      for _, value in ipairs { {}, setmetatable({}, { __tostring = function() error "x" end }), false } do
        local timer = uv.new_timer()
        timer:start(1, 0, function() timer:close() error(value) end)
      end
      task.sleep(30)
    ]]
    assert.equal(0, code)
    assert.equal(3, select(2, output:gsub("a callback of luv failed", "")), output)
  end)

  it("refuses to wait in a callback, but a callback may spawn", function()
    helper.run(function()
      local timer = uv.new_timer()
      local ok, err = called(function(done)
        timer:start(1, 0, function() done(pcall(task.sleep, 1)) end)
      end)
      assert.is_false(ok)
      assert.matches("cannot wait in a callback of the loop; spawn a task for it", err)
      local value = called(function(done)
        timer:start(1, 0, function()
          task.spawn(function()
            task.sleep(1)
            done "from a task"
          end)
        end)
      end)
      assert.equal("from a task", value)
      close(timer)
    end)
  end)

  it("refuses what would break the loop, and says why", function()
    for _, name in ipairs { "run", "stop", "walk", "loop_close" } do
      assert.has_error(function() uv[name]() end, ("uv.%s: the loop is Curia's, which runs and closes it"):format(name))
    end
  end)

  it("a wait on the main thread ends when the last handle is gone", function()
    local timer = uv.new_timer()
    timer:start(2, 0, function() timer:close() end)
    local ok, err = pcall(function() task.signal():wait() end)
    assert.is_false(ok)
    assert.matches("nothing is left", err)
  end)
end)

describe("a script that leaves handles open", function()
  local function ends_well(source, environment)
    local output, code = helper.script(source, environment)
    assert.equal("", output)
    assert.equal(7, code)
  end

  it("ends, without running their callbacks after Lua is gone", function()
    ends_well [[
      local uv = require "luv"
      uv.new_timer():start(100000, 0, print)
      uv.new_timer()
      uv.new_idle():start(function() end)
      local server = uv.new_tcp()
      server:bind("127.0.0.1", 0)
      server:listen(4, function() end)
      local client = uv.new_tcp()
      client:connect("127.0.0.1", server:getsockname().port, function() end)
      uv.new_pipe()
      uv.new_signal():start("sigusr1", print)
      uv.fs_stat("/", function() end)
      return 7
    ]]
  end)

  it("ends when they were collected before", function()
    ends_well [[
      local uv = require "luv"
      for _ = 1, 100 do uv.new_timer() end
      collectgarbage()
      collectgarbage()
      return 7
    ]]
  end)

  it("ends when a callback makes new handles while all is closed", function()
    ends_well [[
      local uv = require "luv"
      local function again()
        local timer = uv.new_timer()
        timer:start(1, 0, again)
      end
      local client = uv.new_tcp()
      client:connect("127.0.0.1", 1, again)
      again()
      return 7
    ]]
  end)

  -- Lua calls no finalizer of what was made while it closes, so luv's memory of that handle is lost.
  it("ends when a __gc makes handles", function()
    ends_well([[
      local uv = require "luv"
      holder = setmetatable({}, { __gc = function() uv.new_timer():start(1, 0, print) end })
      return 7
    ]], "ASAN_OPTIONS=detect_leaks=0")
  end)

  it("ends when a __gc makes and closes handles, with their callbacks", function()
    local output, code = helper.script([[
      local uv = require "luv"
      holder = setmetatable({}, {
        __gc = function()
          for _ = 1, 2 do uv.new_timer():close(function() io.write "closed " end) end
          uv.new_timer():close(function() error "unheard" end)
        end,
      })
      return 7
    ]], "ASAN_OPTIONS=detect_leaks=0")
    assert.equal("closed closed ", output)
    assert.equal(7, code)
  end)

  it("ends with a child process and its pipe", function()
    ends_well [[
      local uv = require "luv"
      local out = uv.new_pipe()
      uv.spawn("sleep", { args = { "0.05" }, stdio = { nil, out } }, function() end)
      out:read_start(function() end)
      return 7
    ]]
  end)
end)
