local clock = require "curia.core.clock"
local helper = require "spec.helper"
local task = require "curia.task"
local watchdog = require "curia.core.watchdog"

local tostring = tostring -- a global would be looked up by a function of busted

local LIMIT_MS = 100
local SLACK_MS = 10000 -- sanitizers and busy machines

describe("the watchdog", function()
  setup(function()
    watchdog.stop()
    watchdog.start(LIMIT_MS)
  end)

  teardown(function()
    watchdog.stop()
    watchdog.start(2000)
  end)

  -- Runs a task that holds the loop, and checks that it is stopped, named and in time, while
  -- another task goes on.
  local function stopped(fn)
    local alive = task.spawn(function() task.sleep(2 * LIMIT_MS) return "alive" end)
    local started = clock.us()
    local err = helper.fails(fn)
    local held_ms = (clock.us() - started) / 1000
    assert.equal("script", err.kind)
    assert.matches("stopped: the script held the loop for over 100 ms at spec/watchdog_spec.lua:%d+", err.message)
    assert.is_true(held_ms < LIMIT_MS + SLACK_MS, ("after %.0f ms"):format(held_ms))
    assert.same({ true, "alive" }, { alive:await() })
    return err
  end

  it("stops an endless loop and names its line", function()
    local line = debug.getinfo(1, "l").currentline + 1
    local err = stopped(function() while true do end end)
    assert.matches("watchdog_spec.lua:" .. line, err.message)
    assert.matches("watchdog_spec.lua:" .. line, err.traceback)
  end)

  it("stops one that calls, allocates and waits for nothing", function()
    stopped(function()
      local t = {}
      while true do t[#t % 100 + 1] = tostring(#t) end
    end)
  end)

  it("stops a loop that catches every error", function()
    stopped(function()
      while true do
        pcall(function() while true do end end)
      end
    end)
    stopped(function()
      while true do
        xpcall(function() while true do end end, function() while true do end end)
      end
    end)
  end)

  it("stops a loop in a coroutine, however deep", function()
    stopped(coroutine.wrap(function() while true do end end))
    stopped(function() coroutine.wrap(function() coroutine.wrap(function() while true do end end)() end)() end)
    stopped(function()
      while true do
        coroutine.resume(coroutine.create(function() while true do end end))
      end
    end)
  end)

  it("stops a loop where a coroutine cannot yield", function()
    stopped(function()
      table.sort({ 1, 2, 3 }, function() while true do end end)
    end)
    stopped(function() string.gsub("x", "x", function() while true do end end) end)
    stopped(function()
      while true do
        pcall(table.sort, { 1, 2, 3 }, function() while true do end end)
      end
    end)
    stopped(function() return setmetatable({}, { __index = function() while true do end end }).x end)
  end)

  it("stops a __close function", function()
    local started = clock.us()
    local err = helper.fails(function()
      local _ <close> = setmetatable({}, { __close = function() while true do end end })
      error "first"
    end)
    assert.matches("first", err.message)
    local t = task.spawn(function()
      local _ <close> = setmetatable({}, {
        __close = function()
          while true do pcall(function() while true do end end) end
        end,
      })
      task.sleep(100000)
    end)
    task.sleep(1)
    t:cancel()
    assert.is_false((t:await()))
    assert.is_true((clock.us() - started) / 1000 < 2 * (LIMIT_MS + SLACK_MS))
  end)

  it("lets the other __close functions run when it stops one", function()
    local closed = 0
    stopped(function()
      local _ <close> = setmetatable({}, { __close = function() closed = closed + 1 end })
      local function nested(depth)
        local _ <close> = setmetatable({}, { __close = function() while true do end end })
        if depth > 0 then nested(depth - 1) end
        while true do end
      end
      nested(100)
    end)
    assert.equal(1, closed)
  end)

  it("stops the __tostring of an error", function()
    local err = stopped(function()
      error(setmetatable({}, {
        __tostring = function()
          while true do pcall(function() while true do end end) end
        end,
      }))
    end)
    assert.is_table(err)
  end)

  it("stops a script that has listened to its signal, or still does", function()
    for _, release in ipairs { "close", "is_active" } do
      local listener = require "luv".new_signal()
      listener:start("sigusr2", function() end)
      listener[release](listener)
      stopped(function() while true do end end)
      if not listener:is_closing() then listener:close() end
    end
  end)

  it("runs the __close functions of what it stopped", function()
    local closed
    stopped(function()
      local _ <close> = setmetatable({}, { __close = function() closed = true end })
      while true do end
    end)
    assert.is_true(closed)
  end)

  it("cancels the children of what it stopped", function()
    local child
    stopped(function()
      child = task.spawn(task.sleep, 100000)
      task.sleep(0)
      while true do end
    end)
    assert.equal("cancelled", select(2, child:result()).kind)
  end)

  it("stops a callback of luv, and the loop goes on", function()
    local output = helper.script([[
      local uv = require "luv"
      local timer, fired = uv.new_timer(), 0
      timer:start(1, 1, function()
        fired = fired + 1
        if fired == 2 then return timer:close() end
        while true do pcall(function() while true do end end) end
      end)
      while fired < 2 do require("curia.task").sleep(5) end
      print("fired", fired)
    ]], "CURIA_WATCHDOG_MS=500")
    assert.matches("a callback of luv failed: stopped: the script held the loop for over 500 ms at .-:6", output)
    assert.matches("fired\t2\n$", output)
  end)

  it("leaves alone what takes long in many small pieces", function()
    helper.run(function()
      local till = clock.us() + 3 * LIMIT_MS * 1000
      local n = 0
      while clock.us() < till do
        local pause = clock.us() + 5000
        while clock.us() < pause do n = n + 1 end
        task.sleep(0)
      end
    end)
  end)

  it("does not hit the next task when the last one stopped by itself in time", function()
    watchdog.stop()
    watchdog.start(5 * LIMIT_MS)
    helper.run(function()
      for _ = 1, 3 do
        local hold = task.spawn(function()
          local till = clock.us() + 4 * LIMIT_MS * 1000
          while clock.us() < till do end
        end)
        local next_one = task.spawn(function() for i = 1, 1e5 do local _ = i * i end return true end)
        hold:await()
        assert.same({ true, true }, { next_one:await() })
      end
    end)
    watchdog.stop()
    watchdog.start(LIMIT_MS)
  end)

  it("sleeps when nothing runs", function()
    local system = require "curia.core.system"
    task.sleep(500) -- it falls asleep after some quiet ticks
    local before = system.cpu_us()
    task.sleep(500)
    assert.is_true(system.cpu_us() - before < 20000, "it cost CPU while idle")
  end)

  it("may be started by the code that it watches", function()
    helper.run(function()
      watchdog.stop()
      watchdog.start(LIMIT_MS)
    end)
    stopped(function() while true do end end)
    stopped(function()
      watchdog.stop()
      watchdog.start(LIMIT_MS)
      while true do end
    end)
  end)

  it("watches a thread once", function()
    assert.has_error(function() watchdog.start(50) end, "the watchdog runs already")
    watchdog.stop()
    watchdog.stop()
    assert.has_error(function() watchdog.start(0) end)
    watchdog.start(LIMIT_MS)
  end)

  it("can be started and stopped many times", function()
    for _ = 1, 50 do
      watchdog.stop()
      watchdog.start(LIMIT_MS)
      task.sleep(0)
    end
  end)
end)

describe("coroutines under the watchdog", function()
  it("behave as in stock Lua", function()
    local co = coroutine.create(function(a, b)
      local c = coroutine.yield(a + b)
      error { c }
    end)
    assert.same({ true, 3 }, { coroutine.resume(co, 1, 2) })
    local ok, err = coroutine.resume(co, "c")
    assert.is_false(ok)
    assert.same({ "c" }, err)
    assert.same({ false, "cannot resume dead coroutine" }, { coroutine.resume(co) })
    assert.equal("dead", coroutine.status(co))
    assert.same({ true, 1, nil, 3 }, { coroutine.resume(coroutine.create(function() return 1, nil, 3 end)) })
    assert.has_error(function() coroutine.resume(1) end)
    assert.has_error(function() coroutine.wrap(1) end)
  end)

  it("wrap passes values and errors on, with the place of the call", function()
    local f = coroutine.wrap(function(...) coroutine.yield(select("#", ...)) error("inner", 0) end)
    assert.equal(3, f(nil, nil, nil))
    local ok, err = pcall(f)
    assert.is_false(ok)
    assert.matches("inner$", err)
    local g = coroutine.wrap(function() error(setmetatable({}, { __name = "thing" })) end)
    assert.is_table(select(2, pcall(g)))
  end)

  it("wrap closes the variables of a coroutine that failed", function()
    local closed
    local f = coroutine.wrap(function()
      local _ <close> = setmetatable({}, { __close = function() closed = true end })
      error "x"
    end)
    assert.is_false((pcall(f)))
    assert.is_true(closed)
  end)

  it("many values go both ways", function()
    local values = {}
    for i = 1, 200 do values[i] = i end
    local co = coroutine.wrap(function(...) return ... end)
    assert.same(values, { co(table.unpack(values)) })
  end)
end)
