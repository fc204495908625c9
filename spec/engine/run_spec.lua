local curia = require "curia"
local helper = require "spec.helper"
local json = require "curia.json"
local task = require "curia.task"
local T = require "spec.engine.support"

local slow = { content = "slow", delay_ms = 1000 }

describe("a run", function()
  before_each(function() T.script "yes" end)

  it("goes from pending over running to completed", function()
    helper.virtual(function()
      T.script(slow)
      local run = curia.start(T.council {}, "Why?")
      assert.equal("pending", run:state().status)
      task.sleep(10)
      local state = run:state()
      assert.equal("running", state.status)
      assert.same({ name = "independent_analysis", idx = 1 }, state.current_round)
      assert.same({ a = "running", b = "running", c = "running" }, state.members)
      assert.equal(0, state.rounds_completed)
      assert.is_nil(run:result())
      local result, err = run:await()
      assert.is_nil(err)
      assert.equal("ok", result.status)
      state = run:state()
      assert.equal("completed", state.status)
      assert.is_nil(state.current_round)
      assert.equal(1, state.rounds_completed)
      assert.same({ a = "ok", b = "ok", c = "ok" }, state.members)
      assert.same({ "spec", run.id }, { state.council, state.run_id })
      assert.equal(3, state.usage.output_tokens)
      assert.equal(result, (run:result()))
    end)
  end)

  it("gives snapshots as its state: the same one until something changes, and none that changes", function()
    helper.virtual(function()
      T.script(function(request) return { content = "yes", delay_ms = request.member == "a" and 10 or 20 } end)
      local run = curia.start(T.council { rounds = { { type = "independent_analysis" }, { type = "critique" } } }, "Why?")
      local states, members, outputs = {}, {}, {}
      for i = 1, 6 do
        states[i] = run:state()
        assert.equal(states[i], run:state())
        members[i], outputs[i] = states[i].members.a or "none", states[i].usage.output_tokens or 0
        task.sleep(i == 1 and 5 or 10)
      end
      assert.same({ "none", "running", "ok", "running", "ok", "ok" }, members)
      assert.same({ 0, 0, 1, 3, 4, 6 }, outputs)
      for i = 1, 6 do assert.equal(members[i], states[i].members.a or "none") end
      assert.same({ "pending", "running", "completed" }, { states[1].status, states[2].status, states[6].status })
      assert.same({ 0, 1, 2 }, { states[1].rounds_completed, states[4].rounds_completed, states[6].rounds_completed })
      states[6].members.a = "changed"
      assert.equal("ok", run:result().rounds[1].results.a.status)
    end)
  end)

  it("shows each change of its state", function()
    helper.virtual(function()
      T.script { content = "yes", delay_ms = 1000 }
      local run = curia.start(T.council {}, "Why?")
      task.sleep(10)
      local round, before = run.current_round, run:state()
      local function changed()
        local now = run:state()
        assert.not_equal(before, now)
        before = now
        return now
      end
      run:set_member("a", "error")
      assert.equal("error", changed().members.a)
      run:add_usage { usage = { output_tokens = 7 } }
      assert.equal(7, changed().usage.output_tokens)
      run:enter_round({ name = "next", idx = 2 }, {})
      assert.equal("next", changed().current_round.name)
      run:leave_round(run.current_round, {})
      assert.equal(1, changed().rounds_completed)
      run:enter_round(round, {})
      run:terminate()
      assert.equal("terminated", changed().status)
    end)
  end)

  it("shows what a run inside of it has used once that has ended", function()
    helper.virtual(function()
      T.script { content = "yes", delay_ms = 10 }
      local inner = T.council { name = "inner" }
      local run = curia.start(T.council { run = function(ctx)
        ctx:run(inner, "i?")
        ctx:sleep(100)
      end }, "o?")
      task.sleep(5)
      assert.is_nil(run:state().usage.output_tokens)
      task.sleep(50)
      assert.equal(3, run:state().usage.output_tokens)
      run:await()
    end)
  end)

  it("can be waited for at top level and in tasks, by many", function()
    local run = curia.start(T.council {}, "Why?")
    local result = run:await()
    assert.equal("ok", result.status)
    helper.run(function()
      local second = curia.start(T.council {}, "Why?")
      local values = task.all { function() return (second:await()) end, function() return (second:await()) end }
      assert.equal(values[1], values[2])
      assert.equal("ok", values[1].status)
    end)
  end)

  it("can be waited for for a while, and goes on", function()
    helper.virtual(function()
      T.script(slow)
      local run = curia.start(T.council {}, "Why?")
      local result, err = run:await(100)
      assert.is_nil(result)
      assert.equal("timeout", err.kind)
      assert.equal("running", run:state().status)
      assert.equal("ok", run:await().status)
    end)
  end)

  it("cannot be waited for in a callback of the loop", function()
    T.script(slow)
    local uv = require "luv"
    local run = curia.start(T.council {}, "Why?")
    local message
    local timer = uv.new_timer()
    timer:start(1, 0, function()
      message = select(2, pcall(run.await, run))
      timer:close()
    end)
    task.sleep(20)
    assert.matches("callback", tostring(message))
    run:cancel()
    run:await()
  end)

  it("can be started in a callback of the loop", function()
    local uv = require "luv"
    local timer, run = uv.new_timer(), nil
    timer:start(1, 0, function()
      timer:close()
      run = curia.start(T.council {}, "Why?")
    end)
    assert.is_true(helper.settle(function() return run and run.ended end))
    assert.equal("ok", run:result().status)
  end)

  it("can be cancelled or terminated by those that watch it", function()
    for _, how in ipairs { "cancel", "terminate" } do
      local count = 0
      local run
      run = curia.start(T.council {}, "Why?", { subscribe = function()
        count = count + 1
        if count == 3 then run[how](run) end
      end })
      local _, err = run:await()
      assert.equal(how == "cancel" and "cancelled" or "unknown_run", err.kind)
    end
  end)

  it("has a seed that comes back, and the same seed makes the same choices", function()
    local function numbers(seed)
      local council = T.council { run = function(ctx) return ("%.17g %.17g"):format(ctx:random(), ctx:random()) end }
      local result = curia.run(council, "Why?", { seed = seed })
      return result.final.content, result.metadata.seed
    end
    local first, seed = numbers(42)
    assert.equal(42, seed)
    assert.equal(first, (numbers(42)))
    assert.not_equal(first, (numbers(43)))
    local _, own = numbers(nil)
    assert.equal("integer", math.type(own))
  end)

  it("does not take its choices from the waits of retries", function()
    local council = T.council { ids = { "a" }, run = function(ctx)
      ctx:ask("a")
      return ("%.17g"):format(ctx:random())
    end }
    local function final()
      return helper.virtual(function() return curia.run(council, "Why?", { seed = 7 }).final.content end)
    end
    local calm = final()
    T.script { { error = 500 }, "yes" }
    assert.equal(calm, final())
  end)

  it("merges the metadata of council and start", function()
    local council = T.council { metadata = { from = "council", both = "council" } }
    local events, run = T.events(council, "Why?", { metadata = { both = "start", id = 7 }, seed = 1 })
    assert.same({ from = "council", both = "start", id = 7, seed = 1 }, run:result().metadata)
    assert.same({ from = "council", both = "start", id = 7 }, events[1].metadata)
  end)

  it("marks invented answers", function()
    local events, run = T.events(T.council {}, "Why?", { offline = true })
    local result = run:result()
    assert.is_true(result.metadata.offline)
    assert.is_true(events[1].metadata.offline)
    assert.is_true(run:state().offline)
    assert.is_nil(curia.run(T.council {}, "Why?").metadata.offline)
  end)

  it("maps the council's input", function()
    local seen
    T.script(function(request)
      seen = request.messages[#request.messages].content
      return "yes"
    end)
    T.ask({ input = function(input) return { question = input.question:upper() } end }, "why?")
    assert.equal("WHY?", seen)
  end)

  it("ends when the input's mapper fails or gives nothing, with what went wrong", function()
    local result, err = T.ask { input = function() error "no map" end }
    assert.equal("error", result.status)
    assert.equal("script", err.kind)
    assert.matches("input of council spec: .*run_spec.lua:%d+: no map", err.message)
    assert.matches("run_spec.lua", err.traceback)
    result, err = T.ask { input = function() end }
    assert.equal("error", result.status)
    assert.matches("gave nothing", err.message)
  end)

  it("has results and events that can be written as JSON", function()
    T.answers { a = { error = 401 }, b = "yes", c = "no" }
    local events, run = T.events(T.council { chair = true, rounds = {
      { type = "independent_analysis" }, { type = "anonymized_peer_review" } } })
    assert(json.encode(run:result()))
    for _, event in ipairs(events) do assert(json.encode(event)) end
  end)
end)

describe("cancelling a run", function()
  it("keeps what has finished and ends as cancelled", function()
    helper.virtual(function()
      T.answers { a = "quick", b = slow, c = slow }
      local run = curia.start(T.council { chair = true }, "Why?")
      task.sleep(10)
      local ms, result, err = T.timed(function()
        run:cancel "enough"
        return run:await()
      end)
      assert.is_true(ms < 10)
      assert.equal("cancelled", err.kind)
      assert.equal("enough", err.message)
      assert.equal("error", result.status)
      assert.equal("cancelled", result.errors[1].kind)
      assert.equal("cancelled", run:state().status)
      assert.equal("ok", result.rounds[1].results.a.status)
      assert.equal("quick", result.rounds[1].results.a.response.content)
      assert.same({ "error", "cancelled" }, { result.rounds[1].results.b.status, result.rounds[1].results.b.error.kind })
      assert.is_nil(result.final)
    end)
  end)

  it("ends the event log with run_failed", function()
    helper.virtual(function()
      T.script(slow)
      local run = curia.start(T.council {}, "Why?", { subscribe = true })
      task.sleep(10)
      run:cancel()
      local names = {}
      for event in run:events() do names[#names + 1] = event.type end
      assert.same({ "run_started", "round_started", "member_started", "member_started", "member_started",
        "member_completed", "member_completed", "member_completed", "round_completed", "run_failed" }, names)
    end)
  end)

  it("works before the run has begun", function()
    local run = curia.start(T.council {}, "Why?", { subscribe = true })
    local ended = 0
    run:on_end(function() ended = ended + 1 end)
    run:cancel()
    local result, err = run:await()
    assert.equal("cancelled", err.kind)
    assert.equal("error", result.status)
    assert.equal("cancelled", run:state().status)
    task.sleep(0)
    assert.equal(1, ended)
    local last
    for event in run:events() do last = event end
    assert.equal("run_failed", last.type)
  end)

  it("cannot be swallowed by the script", function()
    helper.virtual(function()
      local council = T.council { run = function(ctx)
        pcall(ctx.sleep, ctx, 10000)
        return "done all the same"
      end }
      local run = curia.start(council, "Why?")
      task.sleep(10)
      run:cancel()
      local result, err = run:await()
      assert.equal("cancelled", err.kind)
      assert.equal("error", result.status)
    end)
  end)

  it("twice, or of an ended run, changes nothing", function()
    T.script "yes"
    local run = curia.start(T.council {}, "Why?")
    run:await()
    assert.is_true(run:cancel())
    assert.equal("completed", run:state().status)
    local second = curia.start(T.council {}, "Why?")
    second:cancel "first reason"
    second:cancel "second reason"
    assert.equal("first reason", select(2, second:await()).message)
  end)
end)

describe("terminating a run", function()
  it("ends it at once: no further event, no result", function()
    helper.virtual(function()
      T.script(slow)
      local events = {}
      local run = curia.start(T.council {}, "Why?", { subscribe = function(event) events[#events + 1] = event.type end })
      task.sleep(10)
      local count = #events
      local waiting = task.spawn(function() return run:await() end)
      task.sleep(0)
      assert.is_true(run:terminate())
      local _, result, err = waiting:await()
      assert.is_nil(result)
      assert.equal("unknown_run", err.kind)
      assert.equal("unknown_run", select(2, run:result()).kind)
      assert.equal("unknown_run", select(2, run:await()).kind)
      task.sleep(5000)
      assert.equal(count, #events)
      assert.equal("terminated", run:state().status)
      assert.is_nil((curia.find(run.id)))
    end)
  end)

  it("before it has begun is no different", function()
    local run, ends = curia.start(T.council {}, "Why?"), 0
    run:on_end(function() ends = ends + 1 end)
    run:terminate()
    task.sleep(0)
    task.sleep(0)
    assert.same({ "terminated", 1, 0 }, { run:state().status, ends, run.log.count })
    assert.equal("unknown_run", select(2, run:await()).kind)
  end)

  it("ends iterators and calls on_end once", function()
    helper.virtual(function()
      T.script(slow)
      local run = curia.start(T.council {}, "Why?")
      local ended, last = 0, nil
      run:on_end(function(it)
        ended = ended + 1
        assert.equal("terminated", it:state().status)
      end)
      local reader = task.spawn(function() for event in run:events() do last = event end end)
      task.sleep(10)
      run:terminate()
      run:terminate()
      assert.is_true((reader:await()))
      assert.equal("member_started", last.type)
      task.sleep(0)
      assert.equal(1, ended)
    end)
  end)

  it("works before the run has begun, and leaves nothing behind", function()
    T.script(slow)
    local run = curia.start(T.council {}, "Why?")
    run:terminate()
    assert.equal("unknown_run", select(2, run:await()).kind)
  end)
end)

describe("a run's deadline", function()
  it("bounds everything", function()
    helper.virtual(function()
      T.answers { a = "quick", b = { fault = "hang" }, c = slow }
      local ms, result, err = T.timed(T.ask, { chair = true }, "Why?", { deadline = "200ms" })
      assert.equal(200, ms)
      assert.equal("deadline", err.kind)
      assert.equal("error", result.status)
      assert.same({ a = "ok", b = "timeout", c = "timeout" }, T.statuses(result))
    end)
  end)

  it("is told to scripts as an instant", function()
    local left
    local council = T.council { run = function(ctx)
      left = ctx.deadline - ctx:now()
      return "x"
    end }
    curia.run(council, "Why?", { deadline_ms = 5000 })
    assert.is_true(left > 4000 and left <= 5001)
  end)

  it("ends the run as failed", function()
    helper.virtual(function()
      T.script(slow)
      local run = curia.start(T.council {}, "Why?", { deadline_ms = 10 })
      run:await()
      assert.equal("failed", run:state().status)
    end)
  end)
end)

describe("an owned run", function()
  it("dies with the task that started it", function()
    helper.virtual(function()
      T.script(slow)
      local run
      local owner = task.spawn(function()
        run = curia.start(T.council {}, "Why?", { owned = true })
        task.sleep(10)
      end)
      assert.is_true((owner:await()))
      assert.is_true(run.ended)
      assert.equal("cancelled", run:state().status)
    end)
  end)

  it("dies also when that task ends at once, fails, or is cancelled", function()
    helper.virtual(function()
      T.script(slow)
      for _, how in ipairs { function() end, function() error "x" end, function() task.current():cancel() end } do
        local run
        local owner = task.spawn(function()
          run = curia.start(T.council {}, "Why?", { owned = true })
          how()
        end)
        owner:await()
        assert.equal("cancelled", run:state().status)
        assert.equal("cancelled", select(2, run:await()).kind)
      end
    end)
  end)

  it("dies also when the watchdog stops that task", function()
    local output = helper.script [[
      local curia, task, watchdog = require "curia", require "curia.task", require "curia.core.watchdog"
      watchdog.stop()
      watchdog.start(100)
      curia.config { providers = { p = { adapter = "scripted", script = { content = "x", delay_ms = 60000 } } } }
      local council = curia.council "c" { curia.member "a" { provider = "p", model = "m" },
        curia.round "independent_analysis" {} }
      local run
      local owner = task.spawn(function()
        run = curia.start(council, "Why?", { owned = true })
        task.sleep(1)
        while true do end
      end)
      print(select(2, owner:await()))
      print(run:state().status)
    ]]
    assert.matches("stopped: the script held the loop.*\ncancelled\n$", output)
  end)

  it("cannot be started by a cancelled task, and leaves nothing behind", function()
    T.script "yes"
    local owner = task.spawn(function()
      task.current():cancel()
      curia.start(T.council {}, "Why?", { owned = true, run_id = "never" })
    end)
    assert.is_false((owner:await()))
    assert.is_nil((curia.find "never"))
  end)

  it("is the exception: a run belongs to the runtime", function()
    helper.virtual(function()
      T.script(slow)
      local run
      task.spawn(function() run = curia.start(T.council {}, "Why?") end):await()
      assert.equal("ok", run:await().status)
    end)
  end)
end)

describe("on_end", function()
  local function count_for(council, what)
    local count = 0
    local run = curia.start(council, "Why?")
    run:on_end(function() count = count + 1 end)
    what(run)
    run:await()
    run:on_end(function() count = count + 10 end)
    task.sleep(0)
    task.sleep(0)
    return count
  end

  it("is called exactly once however a run ends", function()
    helper.virtual(function()
      local function nothing() end
      T.script "yes"
      assert.equal(11, count_for(T.council {}, nothing))
      assert.equal(11, count_for(T.council {}, function(run) run:cancel() end))
      assert.equal(11, count_for(T.council {}, function(run) run:terminate() end))
      T.script { error = 401 }
      assert.equal(11, count_for(T.council {}, nothing))
      assert.equal(11, count_for(T.council { run = function() error "x" end }, nothing))
    end)
  end)

  it("is called when the runtime closes", function()
    local out = helper.script [[
      local curia = require "curia"
      curia.config { providers = { test = { adapter = "scripted", script = { fault = "hang" } } } }
      local council = curia.council "x" { members = { { id = "a", provider = "test", model = "m" } },
        rounds = { { type = "independent_analysis" } } }
      local run = curia.start(council, "Why?")
      run:on_end(function(it) io.write("ended ", it:state().status, "\n") end)
      require("curia.task").sleep(1)
    ]]
    assert.equal("ended cancelled\n", out)
  end)

  it("that fails is reported, and nothing else happens", function()
    T.script "yes"
    local lines = T.logged(function()
      local run = curia.start(T.council {}, "Why?")
      run:on_end(function() error "bad handler" end)
      run:await()
      task.sleep(0)
    end)
    assert.matches("on_end of run .*bad handler.*traceback", lines[1])
  end)

  it("refuses what is no function", function()
    T.script "yes"
    local run = curia.start(T.council {}, "Why?")
    assert.has_error(function() run:on_end(1) end, "bad argument #1 to 'on_end' (function expected)")
    run:await()
  end)
end)

describe("a script that loops for ever", function()
  local function ended(script)
    return helper.script(([[
      local curia = require "curia"
      local task = require "curia.task"
      curia.config { providers = { test = { adapter = "scripted", script = "yes" } } }
      local member = { id = "a", provider = "test", model = "m" }
      local function loop() while true do end end
      local watchdog = require "curia.core.watchdog" -- anew: what is loaded first takes long on a slow machine
      watchdog.stop()
      watchdog.start(300)
      local function council(body)
        body.members = body.members or { member }
        if not body.run then body.rounds = body.rounds or { { type = "independent_analysis" } } end
        return curia.council "x" (body)
      end
      local ends = 0
      local function report(run)
        run:on_end(function() ends = ends + 1 end)
        local result, err = run:await()
        task.sleep(0)
        print(run:state().status, result.status, err and err.kind or "-", ends)
        for _, e in ipairs(result.errors) do print(e.kind, e.member or "-", e.message) end
      end
      %s
    ]]):format(script))
  end

  it("as a member is stopped and named", function()
    local out = ended [[
      report(curia.start(council { members = { { id = "mad", run = loop }, member } }, "Why?"))
    ]]
    assert.matches("completed\tpartial\t%-\t1\nscript\tmad\tstopped: the script held the loop", out)
  end)

  it("as a member inside pcall, too", function()
    local out = ended [[
      report(curia.start(council { members = { { id = "mad", run = function() while true do pcall(loop) end end }, member } }, "Why?"))
    ]]
    assert.matches("completed\tpartial\t%-\t1\nscript\tmad", out)
  end)

  it("as a council's run ends the run as failed, once", function()
    local out = ended [[
      report(curia.start(council { run = function(ctx) ctx:ask("a") loop() end }, "Why?"))
    ]]
    assert.matches("^failed\terror\tscript\t1\nscript\t%-\tstopped: the script held the loop for over 300 ms at", out)
  end)

  it("as a mapper, a router, an aggregate ends the run as failed", function()
    for _, body in ipairs { "input = loop", "router = loop",
      'rounds = { { type = { name = "mine", build = function() return "x" end, aggregate = loop } } }' } do
      local out = ended(("report(curia.start(council { %s }, 'Why?'))"):format(body))
      assert.matches("^failed\terror\tscript\t1\nscript\t%-\tstopped", out, body)
    end
  end)

  it("as a subscriber is stopped and detached; the run goes on", function()
    local out = ended [[
      report(curia.start(council {}, "Why?", { subscribe = loop }))
    ]]
    assert.matches("^completed\tok\t%-\t1\n", out)
  end)

  it("as a transform, a validate, a prompt is a failed member", function()
    for _, field in ipairs { "transform", "validate", "system", "prompt", "role" } do
      local out = ended(([[
        report(curia.start(council { members = { member, { id = "mad", provider = "test", model = "m", %s = loop } } }, "Why?"))
      ]]):format(field))
      assert.matches("completed\tpartial\t%-\t1\nscript\tmad\tstopped", out, field)
    end
  end)
end)
