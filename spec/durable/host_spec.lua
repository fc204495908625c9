local C = require "spec.durable.consulting"
local clock = require "curia.core.clock"
local curia = require "curia"
local helper = require "spec.helper"
local S = require "spec.durable.support"
local shared = require "curia.store.shared"
local task = require "curia.task"

local place, asked

before_each(function()
  place = S.place()
  asked = C.script()
end)

after_each(function() place.close() end)

local function run(fn, more)
  local council = C.council(fn, more)
  return C.start(council), council
end

describe("what a tool of a durable run waits for by way of ctx", function()
  it("comes in the order in which it came, when it is run again", function()
    helper.virtual(function()
      local function in_order(ctx)
        local order = {}
        local function note(member) return function() table.insert(order, (C.ask(ctx, member, "x"))) end end
        ctx:all { note "b", note "c" }
        return C.ask(ctx, "b", table.concat(order, ", "))
      end
      local council = C.council(in_order)
      local id = C.died(council, 6, true) -- both have answered, and are asked no more
      assert.equal(2, #asked)
      assert.equal("a heard b heard c heard x, b heard x", C.said(assert(C.resumed(id, council))))
      assert.equal(4, #asked)
    end)
  end)

  -- A unit of work takes long: what is in it has come, and is not there for the tool yet.
  local function write_slowly(store, number)
    local write, count = store.write, 0
    function store.write(self, unit)
      count = count + 1
      if count == number then task.sleep(1000) end
      return write(self, unit)
    end
  end

  it("is not there when it is run again, if it came too late the first time", function()
    helper.virtual(function()
      local council = C.council(function(ctx)
        local in_time = task.within(400, C.ask, ctx, "b", "x")
        return C.ask(ctx, "c", in_time and "in time" or "too late")
      end)
      local store = assert(shared.configured())
      S.die_at(store, 5, true)
      write_slowly(store, 4)
      local first = C.start(council)
      first:await()
      S.live(store)
      local steps = C.steps(first.id)
      assert.same({ "call finished", "left finished", "call started" }, {
        steps[C.TOOL .. "/ask:1/b"], steps[C.TOOL .. "/ask:1/left"], steps[C.TOOL .. "/ask:2/c"],
      })
      assert.equal("a heard c heard too late", C.said(assert(C.resumed(first.id, council))))
    end)
  end)

  it("is left where it was left, however often it is run again", function()
    helper.virtual(function()
      local council = C.council(function(ctx)
        ctx:first { function() return ctx:ask("b", "x", { deadline = 250 }) end, function() return C.ask(ctx, "c", "x") end }
        ctx:sleep(400)
        return C.ask(ctx, "c", "y")
      end)
      local store, told = assert(shared.configured()), C.start(council):await().rounds[1].results.b
      local id = C.died(council, 7, true) -- c is asked again
      S.die_at(store, 2, true)
      C.resumed(id, council)
      S.live(store)
      assert.equal(S.steady(told), S.steady(C.resumed(id, council).rounds[1].results.b))
    end)
  end)

  it("takes no time again that it has taken", function()
    helper.virtual(function()
      local council = C.council(function(ctx)
        ctx:sleep(5000)
        C.ask(ctx, "b", "x")
        ctx:sleep(100)
        return "done"
      end, { timeout_ms = 60000 })
      local id, began = C.died(council, 5, true), clock.ms() -- b is being asked
      assert.equal("call started", C.steps(id)[C.TOOL .. "/ask:1/b"])
      assert.equal("a heard done", C.said(assert(C.resumed(id, council))))
      assert.is_true(clock.ms() - began < 1000)
    end)
  end)

  it("ends when nobody waits for it any more", function()
    helper.virtual(function()
      local first = run(function(ctx)
        local won = ctx:first { function() return C.ask(ctx, "b", "x") end, function() return C.ask(ctx, "c", "x") end }
        ctx:sleep(500)
        return won
      end)
      assert.equal("a heard c heard x", C.said(assert(first:await())))
      assert.equal("call abandoned", C.steps(first.id)[C.TOOL .. "/first:1/1/ask:1/b"])
    end)
  end)

  it("ends with the tool's time", function()
    helper.virtual(function()
      local started_run = run(function(ctx) return C.ask(ctx, "b", "x") end, { timeout_ms = 50 })
      assert.matches("no result in 50 ms", C.said(assert(started_run:await())))
      assert.equal("call abandoned", C.steps(started_run.id)[C.TOOL .. "/ask:1/b"])
    end)
  end)

  it("is refused to what the run does not wait for", function()
    helper.virtual(function()
      local started_run = run(function(ctx)
        local told = {}
        for i, name in ipairs { "ask", "random", "uuid", "now", "sleep", "log", "conclude" } do
          local _, _, err = task.spawn_root(function() return pcall(ctx[name], ctx, "b", "x") end):await()
          told[i] = err.message
        end
        return table.concat(told, "\n")
      end)
      local text = C.said(assert(started_run:await()))
      for _, name in ipairs { "ask", "random", "uuid", "now", "sleep", "log", "conclude" } do
        assert.matches(name .. ": only a durable run itself may, its tools and its steps", text)
      end
    end)
  end)

  it("is refused to the tools of another run", function()
    helper.virtual(function()
      local given
      local first = run(function(ctx)
        given = ctx
        ctx:sleep(1000)
        return "done"
      end)
      while not given do task.sleep(5) end
      local second = run(function()
        local _, err = pcall(given.ask, given, "b", "x")
        return err.message
      end)
      assert.matches("only a durable run itself may", C.said(assert(second:await())))
      assert(first:await())
    end)
  end)

  it("is not begun by a process that lets the run go, which does not wait for the tool then", function()
    helper.virtual(function()
      local started_run, council = run(function(ctx) return C.ask(ctx, "c", C.ask(ctx, "b", "one")) end)
      while not asked[1] do task.sleep(5) end
      local began = clock.ms()
      curia.recovery.release(10000)
      assert.is_true(clock.ms() - began < 5000)
      assert.equal("released", select(2, started_run:await()).code)
      assert.same({ "b: one" }, asked)
      assert.equal("a heard c heard b heard one", C.said(assert(C.resumed(started_run.id, council))))
      assert.equal(3, #asked)
    end)
  end)
end)
