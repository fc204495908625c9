local clock = require "curia.core.clock"
local helper = require "spec.helper"
local system = require "curia.core.system"
local task = require "curia.task"

local function resident_kb()
  return tonumber(io.open("/proc/self/status"):read "a":match "VmRSS:%s+(%d+)")
end

describe("a task", function()
  it("starts when its spawner waits, and gives its results", function()
    local started = false
    local t = task.spawn(function(a, b)
      started = true
      return a + b, "second"
    end, 1, 2)
    assert.is_false(started)
    assert.equal("ready", t:status())
    assert.same({ true, 3, "second" }, { t:await() })
    assert.same({ true, 3, "second" }, { t:result() })
    assert.equal("ended", t:status())
  end)

  it("gives nothing but true when it returns nothing", function()
    assert.equal(1, select("#", task.spawn(function() end):await()))
  end)

  it("knows itself; the main thread is none", function()
    assert.is_nil(task.current())
    helper.run(function()
      local mine = task.current()
      local inner = task.spawn(function() return task.current() end)
      local ok, its = inner:await()
      assert.is_true(ok)
      assert.equal(inner, its)
      assert.equal(mine, task.current())
    end)
  end)

  it("ends only after its children", function()
    local order, go_on = {}, task.signal()
    local parent = task.spawn(function()
      task.spawn(function()
        go_on:wait()
        order[#order + 1] = "child"
      end)
      order[#order + 1] = "body"
      return "result"
    end)
    task.sleep(2)
    assert.equal("ending", parent:status())
    go_on:notify()
    assert.same({ true, "result" }, { parent:await() })
    assert.same({ "body", "child" }, order)
  end)

  it("can be awaited by many", function()
    helper.run(function()
      local t = task.spawn(function()
        task.sleep(2)
        return "once"
      end)
      local values = task.all { function() return select(2, t:await()) end, function() return select(2, t:await()) end }
      assert.same({ "once", "once" }, values)
    end)
  end)

  it("runs again after a wait that timed out", function()
    local go_on = task.signal()
    local t = task.spawn(function()
      go_on:wait()
      return "late"
    end)
    local ok, err = t:await(1)
    assert.is_nil(ok)
    assert.equal("timeout", err.kind)
    go_on:notify()
    assert.same({ true, "late" }, { t:await() })
  end)

  it("takes turns with others", function()
    local order = {}
    local function walker(name)
      return function()
        for i = 1, 3 do
          order[#order + 1] = name .. i
          task.sleep(0)
        end
      end
    end
    helper.run(function() task.all { walker "a", walker "b" } end)
    assert.same({ "a1", "b1", "a2", "b2", "a3", "b3" }, order)
  end)

  it("lets sockets and timers in while two tasks keep each other ready", function()
    helper.run(function()
      local stop = false
      local function spin() while not stop do task.sleep(0) end end
      task.spawn(spin)
      task.spawn(spin)
      task.sleep(5)
      stop = true
    end)
  end)
end)

describe("an error in a task", function()
  it("is an error value with the task's traceback", function()
    local err = helper.fails(function() local function deep() error "broken" end deep() end)
    assert.equal("script", err.kind)
    assert.matches("task_spec.lua:%d+: broken", err.message)
    assert.matches("task_spec.lua:%d+: in upvalue 'deep'", err.traceback:gsub("local 'deep'", "upvalue 'deep'"))
  end)

  it("keeps an error value of ours as it is", function()
    local errors = require "curia.errors"
    local thrown = errors.new("quorum", "too few")
    local err = helper.fails(function() error(thrown) end)
    assert.equal(thrown, err)
    assert.is_string(err.traceback)
  end)

  it("takes any value: nil, a table, one whose __tostring fails", function()
    assert.equal("script", helper.fails(function() error() end).kind)
    assert.equal("script", helper.fails(function() error {} end).kind)
    local nasty = setmetatable({}, { __tostring = function() error "no" end })
    assert.is_truthy(helper.fails(function() error(nasty) end))
    local trap = setmetatable({}, { __index = function() error "no" end })
    assert.is_truthy(helper.fails(function() error(trap) end))
  end)

  it("cancels the children and waits for them", function()
    local seen
    local err = helper.fails(function()
      task.spawn(function()
        local _, reason = pcall(task.sleep, 10000)
        seen = reason
      end)
      task.sleep(1)
      error "parent"
    end)
    assert.matches("parent", err.message)
    assert.equal("cancelled", seen.kind)
    assert.matches("the parent task failed", seen.message)
  end)

  it("closes what is to be closed", function()
    local closed
    helper.fails(function()
      local _ <close> = setmetatable({}, { __close = function(_, e) closed = e end })
      error("why", 0)
    end)
    assert.equal("why", closed)
  end)

  it("that nobody collects is reported once, with its traceback", function()
    local output, code = helper.script [[
      local task = require "curia.task"
      task.spawn(function() error "lost" end)
      task.sleep(1)
      collectgarbage() collectgarbage()
    ]]
    assert.equal(0, code)
    assert.equal(1, select(2, output:gsub("a task failed and nobody asked", "")), output)
    assert.matches("lost", output)
    assert.matches("stack traceback", output)
  end)

  it("that somebody has seen is not reported", function()
    local output = helper.script [[
      local task = require "curia.task"
      task.spawn(function() error "seen" end):await()
      collectgarbage()
    ]]
    assert.equal("", output)
  end)

  it("a bare yield is refused", function()
    local err = helper.fails(function() coroutine.yield() end)
    assert.matches("yielded outside of a wait", err.message)
  end)
end)

describe("cancelling", function()
  it("ends the wait with a typed error and closes the scopes", function()
    local seen, closed
    local t = task.spawn(function()
      local _ <close> = setmetatable({}, { __close = function() closed = true end })
      local ok, err = pcall(task.sleep, 10000)
      seen = not ok and err
      error(err)
    end)
    task.sleep(1)
    t:cancel "enough"
    local ok, err = t:await()
    assert.is_false(ok)
    assert.equal("cancelled", err.kind)
    assert.equal("enough", err.message)
    assert.equal(err, seen)
    assert.is_true(closed)
    assert.is_true(t:cancelled())
  end)

  it("before the start means that it never starts", function()
    local started = false
    local t = task.spawn(function() started = true end)
    t:cancel()
    assert.is_false((t:await()))
    assert.is_false(started)
  end)

  it("before the start lets a root begin, so that it can end well", function()
    local closed = false
    local t = task.spawn_root(function()
      local guard <close> = setmetatable({}, { __close = function() closed = true end })
      task.sleep(1000)
    end)
    t:cancel("early")
    local ok, err = t:await()
    assert.is_false(ok)
    assert.equal("cancelled", err.kind)
    assert.is_true(closed)
  end)

  it("cannot be swallowed: every further wait is refused", function()
    local refused = 0
    local t = task.spawn(function()
      for _ = 1, 5 do
        if not pcall(task.sleep, 1000) then refused = refused + 1 end
      end
      return "done all the same"
    end)
    task.sleep(1)
    t:cancel()
    assert.same({ true, "done all the same" }, { t:await() })
    assert.equal(5, refused)
  end)

  it("refuses to spawn afterwards", function()
    helper.run(function()
      local t = task.spawn(function()
        pcall(task.sleep, 1000)
        task.spawn(function() end)
      end)
      task.sleep(1)
      t:cancel()
      local _, err = t:await()
      assert.equal("cancelled", err.kind)
    end)
  end)

  it("reaches all descendants", function()
    local ended = 0
    local function tree(depth)
      return function()
        local _ <close> = setmetatable({}, { __close = function() ended = ended + 1 end })
        if depth > 0 then
          task.spawn(tree(depth - 1))
          task.spawn(tree(depth - 1))
        end
        task.sleep(100000)
      end
    end
    local root = task.spawn(tree(5))
    assert.is_true(helper.settle(function() return task.count() == 63 end))
    task.sleep(0)
    root:cancel()
    root:await()
    assert.equal(63, ended)
    assert.equal(0, task.count())
  end)

  it("of an ended task, or twice, does nothing", function()
    local t = task.spawn(function() return 1 end)
    t:await()
    t:cancel()
    assert.is_false(t:cancelled())
    assert.same({ true, 1 }, { t:result() })
  end)

  it("lets a task cancel itself", function()
    local err = helper.fails(function()
      task.current():cancel "myself"
      task.sleep(1)
    end)
    assert.equal("myself", err.message)
  end)

  it("is refused for an unknown kind", function()
    local t = task.spawn(function() end)
    assert.has_error(function() t:cancel("x", "tired") end)
    t:await()
  end)

  it("a __close function may neither wait nor yield", function()
    local seen
    local t = task.spawn(function()
      local _ <close> = setmetatable({}, { __close = function() seen = { pcall(task.sleep, 1) } end })
      task.sleep(100000)
    end)
    task.sleep(1)
    t:cancel()
    t:await()
    assert.is_false(seen[1])

    t = task.spawn(function()
      local _ <close> = setmetatable({}, { __close = coroutine.yield })
      error "first"
    end)
    assert.is_false((t:await()))
  end)

  it("leaves nothing spawned by a __close function", function()
    local t = task.spawn(function()
      local _ <close> = setmetatable({}, { __close = function() pcall(task.spawn, task.sleep, 10000) end })
      task.sleep(100000)
    end)
    task.sleep(1)
    t:cancel()
    t:await()
    assert.equal(0, task.count())
  end)
end)

describe("a deadline", function()
  it("cancels with its own kind", function()
    local t = task.spawn(task.sleep, 10000)
    t:deadline(5)
    local ok, err = t:await()
    assert.is_false(ok)
    assert.equal("deadline", err.kind)
  end)

  it("holds for the whole tree", function()
    local child
    local t = task.spawn(function()
      child = task.spawn(task.sleep, 10000)
      child:await()
    end)
    t:deadline(5)
    assert.equal("deadline", select(2, t:await()).kind)
    assert.equal("deadline", select(2, child:result()).kind)
  end)

  it("can be taken back and moved", function()
    helper.virtual(function()
      local t = task.spawn(task.sleep, 1000)
      t:deadline(500)
      t:deadline(nil)
      assert.is_true((t:await()))
      t = task.spawn(task.sleep, 1000)
      t:deadline(500)
      t:deadline(2000)
      assert.is_true((t:await()))
    end)
  end)

  it("leaves no timer behind when the task is faster", function()
    local t = task.spawn(function() return 1 end)
    t:deadline(100000)
    t:await()
    assert.equal(0, clock.timers())
  end)

  it("within() is a deadline for a function", function()
    helper.virtual(function()
      assert.same({ true, "x" }, { task.within(100, function() return "x" end) })
      local ok, err = task.within(100, task.sleep, 1000)
      assert.is_false(ok)
      assert.equal("deadline", err.kind)
    end)
  end)

  it("of a stalled loop does not throw a finished wait away (due timers fire after a poll)", function()
    local t = task.spawn(function()
      local s = task.signal()
      task.spawn(function()
        local till = clock.us() + 20000
        while clock.us() < till do end
        s:notify()
      end)
      return s:wait()
    end)
    t:deadline(5)
    assert.same({ true, true }, { t:await() })
  end)
end)

describe("a group", function()
  it("gives its tasks in the order in which they end", function()
    helper.virtual(function()
      local group, order = task.group(), {}
      for _, ms in ipairs { 30, 10, 20 } do
        group:spawn(function()
          task.sleep(ms)
          return ms
        end)
      end
      for t in group:each() do order[#order + 1] = select(2, t:result()) end
      assert.same({ 10, 20, 30 }, order)
      assert.equal(0, group:live())
      assert.is_nil(group:next())
    end)
  end)

  it("can be waited for with a time limit", function()
    helper.virtual(function()
      local group = task.group()
      group:spawn(task.sleep, 100)
      local t, err = group:next(10)
      assert.is_nil(t)
      assert.equal("timeout", err.kind)
      assert.is_truthy(group:next())
    end)
  end)

  it("serves two that wait: each gets a task, none goes away empty", function()
    helper.virtual(function()
      local group, got = task.group(), {}
      for _, ms in ipairs { 10, 20 } do
        group:spawn(function()
          task.sleep(ms)
          return ms
        end)
      end
      local function take()
        local t = group:next()
        got[#got + 1] = t and select(2, t:result()) or "nothing"
      end
      task.all { take, take }
      assert.same({ 10, 20 }, got)
    end)
  end)

  it("reports the errors that nobody collected when it is dropped", function()
    local output = helper.script [[
      local task = require "curia.task"
      do
        local group = task.group()
        group:spawn(function() error "in the group" end)
        task.sleep(1)
      end
      collectgarbage() collectgarbage() collectgarbage()
    ]]
    assert.matches("in the group", output)
  end)

  it("all() keeps the order, with false and an error for what failed", function()
    helper.run(function()
      local values, errs = task.all {
        function() task.sleep(3) return 1 end,
        function() error "second" end,
        function() return nil end,
      }
      assert.equal(1, values[1])
      assert.is_false(values[2])
      assert.matches("second", errs[2].message)
      assert.is_nil(errs[1])
      assert.is_nil(errs[3])
    end)
  end)

  it("first() cancels the losers and waits for them", function()
    helper.virtual(function()
      local cancelled
      local value, index = task.first {
        function()
          local _, err = pcall(task.sleep, 1000)
          cancelled = err
          error(err)
        end,
        function() task.sleep(10) return "fast" end,
      }
      assert.equal("fast", value)
      assert.equal(2, index)
      assert.matches("another was first", cancelled.message)
      local nothing, err = task.first { function() error "a" end, function() task.sleep(1) error "b" end }
      assert.is_nil(nothing)
      assert.matches("b", err.message)
    end)
  end)
end)

describe("roots and bound tasks", function()
  it("a root outlives the one that spawned it", function()
    local root
    helper.run(function() root = task.spawn_root(function() task.sleep(5) return "alive" end) end)
    assert.same({ true, "alive" }, { root:await() })
  end)

  it("a bound task is cancelled when its owner's body ends", function()
    local bound
    helper.run(function() bound = task.spawn_bound(task.sleep, 100000) end)
    assert.is_true(bound:cancelled())
    assert.equal("ended", bound:status())
  end)
end)

describe("a signal", function()
  it("wakes all that wait, in their order", function()
    helper.run(function()
      local s, order = task.signal(), {}
      for i = 1, 3 do
        task.spawn(function()
          assert.is_true(s:wait())
          order[#order + 1] = i
        end)
      end
      task.sleep(0)
      s:notify()
      helper.wait_for(function() return #order == 3 end)
      assert.same({ 1, 2, 3 }, order)
      assert.is_false(s:wait(1))
    end)
  end)

  it("forgets who was cancelled", function()
    helper.run(function()
      local s = task.signal()
      local t = task.spawn(function() s:wait() end)
      task.sleep(0)
      t:cancel()
      t:await()
      s:notify()
    end)
  end)
end)

describe("a scope", function()
  -- Tasks that wake each other, in an order that depends on when the two signals from outside come.
  local function work(outside, trace)
    local inner = task.signal()
    local group = task.group()
    for i = 1, 2 do
      group:spawn(function()
        outside[i]:wait()
        inner:notify()
        task.sleep(0)
        trace[#trace + 1] = "task " .. i
      end)
    end
    group:spawn(function()
      inner:wait()
      for _ = 1, 3 do task.sleep(0) end
      trace[#trace + 1] = "woken"
    end)
    for _ in group:each() do trace[#trace + 1] = "ended" end
  end

  local function run_in_order(first, second)
    local scope, outside, trace = task.scope(), { task.signal(), task.signal() }, {}
    local root = scope:add(task.spawn_root(work, outside, trace))
    for _, i in ipairs { first, second } do
      scope:quiet()
      outside[i]:notify()
    end
    assert.is_true((root:await()))
    return table.concat(trace, ", ")
  end

  it("does the same again when what comes from outside comes in the same order", function()
    helper.run(function()
      local once = run_in_order(1, 2)
      assert.equal("task 1, ended, woken, ended, task 2, ended", once)
      for _ = 1, 10 do assert.equal(once, run_in_order(1, 2)) end
      assert.equal("task 2, ended, woken, ended, task 1, ended", run_in_order(2, 1))
    end)
  end)

  it("is quiet while its tasks wait, whatever others do", function()
    helper.run(function()
      local scope = task.scope()
      local go_on = task.signal()
      local root = scope:add(task.spawn_root(function() go_on:wait() end))
      local busy = task.spawn(function()
        while true do task.sleep(0) end
      end)
      scope:quiet()
      assert.equal("waiting", root:status())
      busy:cancel()
      go_on:notify()
      root:await()
      scope:quiet()
    end)
  end)

  it("is known to its tasks", function()
    helper.run(function()
      local scope, timed = task.scope(), task.scope(0)
      local function look() return task.current_scope(), task.in_scope() end
      local _, key, own_time = scope:add(task.spawn_root(look)):await()
      assert.same({ scope:key(), false }, { key, own_time })
      _, key, own_time = timed:add(task.spawn_root(function() return select(2, task.run(look)), task.in_scope() end)):await()
      assert.same({ timed:key(), timed:key() }, { key, own_time })
      assert.is_false(task.current_scope())
    end)
  end)

  it("takes no task that has begun, and cannot be waited for from inside", function()
    local scope = task.scope()
    local err = helper.fails(function() scope:add(task.current()) end)
    assert.matches("it has begun", err.message)
    helper.run(function()
      local ok, why = scope:add(task.spawn_root(function() scope:quiet() end)):await()
      assert.is_false(ok)
      assert.matches("this task is in the scope", why.message)
    end)
  end)
end)

describe("waiting where one cannot", function()
  local function refused(pattern, fn)
    local ok, err = pcall(fn)
    assert.is_false(ok)
    assert.matches(pattern, tostring(err))
  end

  it("in a coroutine of one's own", function()
    refused("in a coroutine that is not a task", coroutine.wrap(function() task.sleep(1) end))
    helper.run(function()
      refused("only the task itself may wait, not a coroutine", coroutine.wrap(function() task.sleep(1) end))
    end)
  end)

  it("in a comparator, a gsub function, a metamethod called by C", function()
    helper.run(function()
      refused("cannot wait inside a C call", function()
        table.sort({ 1, 2 }, function(a, b) task.sleep(1) return a < b end)
      end)
      refused("cannot wait inside a C call", function() string.gsub("x", "x", function() task.sleep(1) end) end)
    end)
  end)

  it("for oneself, or for a task that waits for this one to end", function()
    helper.run(function()
      refused("cannot wait for itself", function() task.current():await() end)
      local outer = task.current()
      local _, err = task.spawn(function() task.spawn(function() outer:await() end):await() end):await()
      assert.is_nil(err)
      _, err = task.spawn(function() outer:await() end):await()
      assert.matches("waits for this one to end", err.message)
    end)
  end)

  it("for what can never come", function()
    local ok, err = pcall(function() task.signal():wait() end)
    assert.is_false(ok)
    assert.matches("nothing is left that could end this wait", err)
    helper.run(function() task.sleep(1) end)
  end)

  it("names a wrong argument", function()
    refused("bad argument #1 to 'sleep'", function() task.sleep(-1) end)
    refused("bad argument #1 to 'sleep'", function() task.sleep "soon" end)
    refused("bad argument #1 to 'spawn'", function() task.spawn(1) end)
  end)

  it("is possible inside pcall, xpcall, iterators and metamethods of Lua", function()
    helper.run(function()
      assert.is_true(pcall(task.sleep, 1))
      assert.is_true(xpcall(function() task.sleep(1) end, debug.traceback))
      local object = setmetatable({}, { __index = function(_, k) task.sleep(1) return k end })
      assert.equal("key", object.key)
      local function each() return function(_, i) task.sleep(1) return i < 3 and i + 1 or nil end, nil, 0 end
      local n = 0
      for _ in each() do n = n + 1 end
      assert.equal(3, n)
    end)
  end)
end)

-- coroutine.running hands a script the coroutine of its task, which is used again for later tasks.
describe("the coroutine of a task", function()
  local function kept()
    local co
    task.spawn(function() co = coroutine.running() end):await()
    return co
  end

  it("cannot be resumed by a script while it waits", function()
    local co
    local waiting = task.spawn(function()
      co = coroutine.running()
      task.sleep(100000)
    end)
    task.sleep(0)
    helper.run(function()
      local ok, err = coroutine.resume(co)
      assert.is_false(ok)
      assert.matches("resumed by the runtime alone", err)
    end)
    waiting:cancel()
    local ok, err = waiting:await()
    assert.is_false(ok)
    assert.equal("script", err.kind)
  end)

  it("may be resumed or closed by a script before it starts, to the task's harm only", function()
    for _, misuse in ipairs { coroutine.resume, coroutine.close } do
      local co, began = kept(), 0
      local t = task.spawn(function() began = began + 1 end)
      assert.equal("suspended", coroutine.status(co))
      misuse(co)
      local ok, err = t:await()
      assert.is_false(ok)
      assert.matches("a script resumed or closed the task's coroutine", err.message)
      assert.is_true(began <= 1)
    end
    assert.same({ true, 1, 2 }, { task.spawn(function(...) return ... end, 1, 2):await() })
  end)

  it("may be closed by a script while it waits for what nobody else holds", function()
    local function closed(wait)
      local co
      local t = task.spawn(function()
        co = coroutine.running()
        wait()
      end)
      task.sleep(0)
      assert.equal("waiting", t:status())
      coroutine.close(co)
      collectgarbage()
      collectgarbage()
      return t
    end
    local function check(t)
      t:cancel()
      local ok, err = t:await()
      assert.is_false(ok)
      assert.matches("dead coroutine", err.message)
    end
    check(closed(function() task.signal():wait() end))
    check(closed(function() task.signal():wait(100000) end))
    check(closed(function()
      local group = task.group()
      group:spawn(task.sleep, 100000)
      group:next()
    end))
    check(closed(function() task.spawn(task.sleep, 100000):await() end))
    check(closed(function() task.sleep(100000) end))
  end)
end)

describe("many tasks", function()
  it("10,000 at once", function()
    local count = os.getenv "CURIA_GC_STRESS" and 2000 or 10000 -- else the watchdog has its say
    helper.run(function()
      local group, sum = task.group(), 0
      for i = 1, count do
        group:spawn(function()
          task.sleep(i % 20)
          return i
        end)
      end
      for t in group:each() do sum = sum + select(2, t:result()) end
      assert.equal(count * (count + 1) // 2, sum)
    end)
  end)

  it("a chain of 50,000, each the child of the one before", function()
    local deepest = 0
    local function link(depth)
      deepest = depth
      if depth < 50000 then task.spawn(link, depth + 1) end
      task.sleep(100000)
    end
    local root = task.spawn(link, 1)
    helper.settle(function() return deepest == 50000 end, 20000)
    assert.equal(50000, deepest)
    root:cancel()
    assert.is_false((root:await(20000)))
  end)

  it("200,000 in a row leave no memory behind #slow", function()
    helper.run(function()
      local function churn(count)
        for _ = 1, count do task.spawn(task.sleep, 0):await() end
        collectgarbage()
        collectgarbage()
      end
      churn(100000)
      local lua, resident = collectgarbage "count", resident_kb()
      churn(100000)
      assert.is_true(collectgarbage "count" - lua < 200, "Lua's heap grew")
      assert.is_true(resident_kb() - resident < 8000, "the process grew")
    end, 120000)
  end)

  it("100,000 errors and cancellations leave no memory behind #slow", function()
    helper.run(function()
      local function churn(count)
        for _ = 1, count do
          task.spawn(error, "x"):await()
          local t = task.spawn(task.sleep, 100000)
          task.sleep(0)
          t:cancel "a reason that is copied"
          t:await()
        end
        collectgarbage()
        collectgarbage()
      end
      -- Lua's own count: the process's size depends on what earlier specs left in pieces, and the
      -- sanitizers look after what C forgets.
      churn(5000)
      local before = collectgarbage "count"
      churn(50000)
      assert.is_true(collectgarbage "count" - before < 1000, "Lua's memory grew")
    end, 120000)
  end)
end)

describe("the virtual clock", function()
  it("jumps to the next timer and keeps the order", function()
    helper.virtual(function()
      local start, wall = clock.ms(), clock.wall_ms()
      local order = {}
      task.all {
        function() task.sleep(3600000) order[#order + 1] = "hour" end,
        function() task.sleep(1) order[#order + 1] = "ms" end,
      }
      assert.same({ "ms", "hour" }, order)
      assert.equal(3600000, clock.ms() - start)
      assert.equal(3600000, clock.wall_ms() - wall)
    end)
  end)

  it("starts in the order of starting what is due at the same time", function()
    helper.virtual(function()
      local order = {}
      for i = 1, 20 do
        task.spawn(function()
          task.sleep(10)
          order[#order + 1] = i
        end)
      end
      task.sleep(20)
      for i = 1, 20 do assert.equal(i, order[i]) end
    end)
  end)

  it("cannot be changed while timers run", function()
    local t = task.spawn(task.sleep, 1)
    system.turn(false)
    local ok, err = clock.virtual(true)
    assert.is_nil(ok)
    assert.equal("internal", err.kind)
    t:await()
  end)
end)

describe("a task in the background", function()
  it("runs beside the others and is not counted", function()
    helper.virtual(function()
      local before, ticks = task.count(), 0
      local housekeeping = task.spawn_background(function()
        for _ = 1, 3 do
          task.sleep(100)
          ticks = ticks + 1
        end
      end)
      assert.equal(before, task.count())
      task.sleep(250)
      assert.equal(2, ticks)
      housekeeping:await()
      assert.equal(3, ticks)
      assert.equal(before, task.count())
    end)
  end)

  it("keeps neither the clock nor a wait that nothing can end", function()
    local housekeeping = task.spawn_background(task.sleep, 3600000)
    system.turn(false)
    assert.equal(0, clock.timers())
    assert.is_true(clock.virtual(true))
    local ok, err = pcall(function() task.signal():wait() end)
    assert.is_true(clock.virtual(false))
    assert.is_false(ok)
    assert.matches("nothing is left that could end this wait", err)
    assert.equal("waiting", housekeeping:status())
    housekeeping:cancel()
    housekeeping:await()
  end)

  it("is cancelled when the program ends", function()
    local before = clock.us()
    local output = helper.script [[
      local task = require "curia.task"
      task.spawn_background(function()
        local _ <close> = setmetatable({}, { __close = function() print "closed" end })
        while true do task.sleep(100000) end
      end)
      task.sleep(1)
    ]]
    assert.equal("closed\n", output)
    assert.is_true(clock.us() - before < 20e6)
  end)
end)

describe("the end of the program", function()
  it("cancels what still runs, and closes its scopes", function()
    local output, code = helper.script [[
      local task = require "curia.task"
      task.spawn_root(function()
        local _ <close> = setmetatable({}, { __close = function() print "closed" end })
        task.sleep(100000)
      end)
      task.sleep(1)
      return 7
    ]]
    assert.equal("closed\n", output)
    assert.equal(7, code)
  end)

  it("comes even when a task will not end", function()
    local before = clock.us()
    local output = helper.script [[
      local task = require "curia.task"
      task.spawn_root(function() while true do pcall(task.sleep, 100000) end end)
      task.sleep(1)
    ]]
    assert.is_true(clock.us() - before < 20e6)
    assert.equal("", output) -- the watchdog has ended it
  end)
end)

describe("a scope with a time of its own", function()
  it("holds its tasks back until somebody moves it, in the order of their waits", function()
    local scope, told = task.scope(1000000), {}
    local function tell(what) told[#told + 1] = ("%s at %d (%d)"):format(what, clock.ms(), clock.wall_ms()) end
    local root = scope:add(task.spawn_root(function()
      task.spawn(function()
        task.sleep(50)
        tell "slept"
      end)
      local _, err = task.within(20, task.sleep, 100)
      tell(err.kind)
      tell(tostring(task.signal():wait(30)))
    end))
    task.run(function()
      scope:quiet()
      assert.equal(20, scope:due())
      scope:set(20)
      scope:quiet()
      assert.same({}, told)
      scope:advance(20)
      scope:quiet()
      scope:advance(scope:due())
      scope:quiet()
      assert.is_nil(scope:due())
    end)
    assert(root:await())
    assert.same({ "deadline at 20 (1000020)", "slept at 50 (1000050)", "false at 50 (1000050)" }, told)
    assert.error_matches(function() scope:set(10) end, "forward")
    assert.error_matches(function() task.scope():due() end, "no time of its own")
  end)
end)
