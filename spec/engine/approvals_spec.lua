local clock = require "curia.core.clock"
local curia = require "curia"
local helper = require "spec.helper"
local task = require "curia.task"
local T = require "spec.engine.support"

local ran

local function delete()
  return curia.tool "delete" { approval = true, run = function(args)
    ran = args.path
    return "deleted"
  end }
end

-- A model that deletes x and then tells what it was told.
local function model()
  ran = nil
  T.script(function(request)
    local told = request.messages[#request.messages]
    if told.role == "tool" then return told.content end
    return { tool_calls = { { name = "delete", id = "c-" .. request.member, arguments = { path = "x" } } } }
  end)
end

local function council(fields, body)
  fields = fields or {}
  fields.tools = { delete() }
  body = body or {}
  body.ids, body.members = { "a" }, { a = fields }
  return T.council(body)
end

-- Starts a run and calls `decide(run, event)` once it is blocked; gives the run and its events.
local function blocked(made, decide, opts)
  model()
  local run, events = assert(curia.start(made, "?", opts)), {}
  for event in run:events { tokens = false } do
    events[#events + 1] = event
    if event.type == "run_blocked" then decide(run, event) end
  end
  return run, events
end

describe("a call that needs approval", function()
  it("blocks the run until it is approved", function()
    local run, events = blocked(council(), function(run, event)
      assert.equal("blocked", run:state().status)
      assert.same({ "approval", "c-a", "delete", "x", "a" },
        { event.reason, event.call.id, event.call.name, event.call.arguments.path, event.member })
      assert.is_nil(ran)
      assert.is_true(curia.approve(run.id, event.call.id, true))
    end)
    assert.same({ "completed", "x" }, { run:state().status, ran })
    assert.equal("deleted", run:result().rounds[1].results.a.response.content)
    assert.same({ "run_started", "round_started", "member_started:a", "tool_call_request:a", "run_blocked:a", "run_resumed",
      "tool_call_result:a", "member_completed:a", "round_completed", "run_completed" }, T.names(events))
    assert.same({ "approval", "blocked" }, { events[6].by, events[6].from })
  end)

  it("goes to the model as an error when it is refused, with the note", function()
    local run = blocked(council { tool_errors = "fail_fast" }, function(run, event)
      assert.is_true(run:approve(event.call.id, "no", "not on a Friday"))
    end)
    assert.is_nil(ran)
    assert.equal("Error: the call of delete was refused: not on a Friday",
      run:result().rounds[1].results.a.response.content)
  end)

  it("is decided once", function()
    local run = blocked(council(), function(run, event)
      local ok, err = run:approve("other", true)
      assert.same({ nil, "validation", "not_pending" }, { ok, err.kind, err.code })
      run:approve(event.call.id, true)
      assert.equal("not_pending", select(2, run:approve(event.call.id, true)).code)
    end)
    assert.equal("not_pending", select(2, run:approve("c-a", true)).code)
    assert.equal("unknown_run", select(2, curia.approve("no-such-run", "c", true)).kind)
    assert.error_matches(function() run:approve("c", "perhaps") end, "bad argument #2 to 'approve'")
    assert.error_matches(function() run:approve("c", true, 1) end, "bad argument #3 to 'approve'")
  end)

  it("waits beside others: the run goes on when all are decided", function()
    local made = T.council { ids = { "a", "b" }, tools = { delete() } }
    local waiting = {}
    local run, events = blocked(made, function(run, event)
      waiting[#waiting + 1] = event.call.id
      if #waiting < 2 then return end
      run:approve(waiting[1], true)
      assert.equal("blocked", run:state().status)
      run:approve(waiting[2], false)
    end)
    assert.equal("completed", run:state().status)
    assert.equal(1, #T.of_type(events, "run_resumed"))
  end)

  it("has an id of its own where two models gave the same", function()
    model()
    T.script(function(request)
      if request.messages[#request.messages].role == "tool" then return "done" end
      return { tool_calls = { { name = "delete", id = "same", arguments = { path = request.member } } } }
    end)
    local run, ids = assert(curia.start(T.council { ids = { "a", "b" }, tools = { delete() } }, "?")), {}
    for event in run:events() do
      if event.type == "run_blocked" then ids[#ids + 1] = event.call.id end
      if #ids == 2 and run:state().status == "blocked" then
        for _, id in ipairs(ids) do run:approve(id, true) end
      end
    end
    assert.same({ "same", "same.2" }, ids)
  end)

  it("ends with its run", function()
    local run, events = blocked(council(), function(run) run:cancel() end)
    assert.equal("cancelled", run:state().status)
    assert.equal(0, #T.of_type(events, "run_resumed"))
    assert.equal("not_pending", select(2, run:approve("c-a", true)).code)
  end)

  it("leaves no deadline behind when its run ends", function()
    local timers = clock.timers()
    for _, ending in ipairs { "cancel", "terminate" } do
      blocked(council { deadline = "1h" }, function(run) run[ending](run) end, { deadline = "1h" })
    end
    assert.is_true(helper.settle(function() return clock.timers() == timers end))
  end)
end)

describe("while a run is blocked", function()
  -- The milliseconds that the run takes when the decision comes after a minute.
  local function minute(made, opts)
    return helper.virtual(function()
      local ms, run = T.timed(blocked, made, function(run, event)
        task.sleep(60000)
        run:approve(event.call.id, true)
      end, opts)
      return ms, run
    end)
  end

  it("its deadline stands still", function()
    local ms, run = minute(council(), { deadline = "5s" })
    assert.same({ 60000, "completed" }, { ms, run:state().status })
  end)

  it("the member's deadline and the tool's limit stand still", function()
    local _, run = minute(council { deadline = "5s", tool_timeout = "5s" })
    assert.equal("ok", run:result().rounds[1].results.a.status)
  end)

  it("the round's time limit stands still", function()
    local _, run = minute(council({}, { rounds = { { type = "independent_analysis", timeout = "5s" } } }))
    assert.equal("ok", run:result().rounds[1].results.a.status)
  end)

  it("the deadline of a member in plain Lua and the time limit of a round of one's own stand still", function()
    local function work(ctx) return ctx:tool("delete", { path = "x" }) end
    local _, run = minute(T.council { ids = { "a" }, tools = { delete() },
      members = { a = { run = work, deadline = "5s" } } })
    assert.equal("deleted", run:result().rounds[1].results.a.response.content)
    local mine = { name = "mine", run = function(ctx) return { winner = work(ctx) } end }
    _, run = minute(T.council { ids = { "a" }, tools = { delete() }, rounds = { { type = mine, timeout = "5s" } } })
    assert.equal("deleted", run:result().rounds[1].decision.winner)
  end)

  it("and all of them go on afterwards", function()
    local slow = curia.tool "delete" { approval = true, timeout = "1h", run = function() task.sleep(3600000) end }
    for _, case in ipairs {
      { { deadline = "5s" }, {} }, { {}, { rounds = { { type = "independent_analysis", timeout = "5s" } } } },
      { {}, {}, { deadline = "5s" } },
    } do
      case[1].tools = { slow }
      case[2].ids, case[2].members = { "a" }, { a = case[1] }
      local ms, run = minute(T.council(case[2]), case[3])
      assert.equal(65000, ms)
      assert.not_equal("ok", run:result().rounds[1].results.a.status)
    end
  end)
end)
