local curia = require "curia"
local helper = require "spec.helper"
local random = require "curia.engine.random"
local task = require "curia.task"
local T = require "spec.engine.support"

describe("curia.subscribe", function()
  before_each(function() T.script { content = "slow", delay_ms = 100 } end)

  it("takes an id, a handle, a table with a run, or one with a topic", function()
    helper.virtual(function()
      local run = curia.start(T.council {}, "Why?", { run_id = "seen" })
      local counts = {}
      local function count(name)
        counts[name] = 0
        return function() counts[name] = counts[name] + 1 end
      end
      assert(curia.subscribe("seen", count "id"))
      assert(curia.subscribe(run, count "handle", { from_seq = 9 }))
      assert(curia.subscribe({ run = "seen" }, count "run"))
      assert(curia.subscribe({ run = run, from_seq = 10 }, count "run handle"))
      assert(curia.subscribe({ topic = "run:seen" }, count "topic"))
      run:await()
      task.sleep(0)
      assert.same({ id = 10, handle = 2, run = 10, ["run handle"] = 1, topic = 10 }, counts)
    end)
  end)

  it("gives a handle that is read, and stopped when the loop is left", function()
    helper.virtual(function()
      local all = curia.subscribe { topic = "all" }
      local run = curia.start(T.council {}, "Why?")
      assert.equal("run_started", all:next().type)
      for event in all:each() do
        if event.type == "round_started" then break end
      end
      assert.is_nil(all:next())
      local seqs = {}
      for event in curia.subscribe({ run = run, from_seq = 4 }):each() do seqs[#seqs + 1] = event.seq end
      assert.same({ 4, 5, 6, 7, 8, 9, 10 }, seqs)
    end)
  end)

  it("ends with the run, also when that is terminated", function()
    helper.virtual(function()
      local run = curia.start(T.council {}, "Why?")
      local reading = task.spawn(function()
        local last
        for event in curia.subscribe({ run = run }):each() do last = event end
        return last
      end)
      task.sleep(50)
      run:terminate()
      local _, last = reading:await()
      assert.equal("member_started", last.type)
    end)
  end)

  it("reports a function of a topic that fails, and detaches it", function()
    helper.virtual(function()
      local lines = T.logged(function()
        curia.subscribe({ topic = "all" }, function() error "deaf" end)
        curia.run(T.council {}, "Why?")
      end)
      assert.equal(1, #lines)
      assert.matches("subscriber of topic all failed and was detached: .*deaf", lines[1])
      local run = curia.start(T.council {}, "Why?")
      assert.is_false(run.log.bus.wanted)
      run:await()
    end)
  end)

  it("is not slowed, nor does it slow a run, by a function that waits", function()
    helper.virtual(function()
      local seen = 0
      local subscription = curia.subscribe({ topic = "all" }, function()
        seen = seen + 1
        task.sleep(1000)
      end)
      assert.equal(100, (T.timed(curia.run, T.council {}, "Why?")))
      task.sleep(20000)
      assert.equal(10, seen)
      subscription:stop()
    end)
  end)

  it("refuses what it cannot do", function()
    for what, message in pairs {
      [{}] = "subscribe: one of topic and run is needed",
      [{ topic = "all", run = "x" }] = "subscribe: one of topic and run is needed",
      [{ topic = "all", from_seq = 1 }] = "subscribe: from_seq is for the topic of a run",
      [{ topic = "group:g", sub_runs = true }] = "subscribe: sub_runs is for the topic of a run",
      [{ topc = "all" }] = "subscribe: unknown field 'topc'; did you mean 'topic'?",
    } do
      assert.has_error(function() curia.subscribe(what) end, message)
    end
    assert.has_error(function() curia.subscribe({ topic = "all" }, "print") end,
      "bad argument #2 to 'subscribe' (function expected)")
    assert.equal("unknown_run", select(2, curia.subscribe { run = "nobody" }).kind)
    assert.equal("unknown_run", select(2, curia.subscribe("nobody", print)).kind)
  end)
end)

describe("a timeline", function()
  it("is printed of a run by its id too", function()
    T.script "yes"
    local lines = {}
    local run = curia.start(T.council {}, "Why?")
    assert(curia.trace(run.id, { to = function(line) lines[#lines + 1] = line end }))
    run:await()
    task.sleep(0)
    assert.is_true(#lines > 3)
    assert.equal("unknown_run", select(2, curia.trace "nobody").kind)
  end)
end)

describe("whoever subscribes to one of many runs at whatever moment", function()
  local RUNS, AT_ONCE = os.getenv "CURIA_GC_STRESS" and 1000 or 10000, 500

  -- One subscription, and what it has seen.
  local function watch(run)
    local own = { run = run, seq = 0, faults = 0, ends = 0 }
    curia.subscribe(run.id, function(event)
      if event.seq ~= own.seq + 1 then own.faults = own.faults + 1 end
      own.seq = event.seq
      if event.type == "run_completed" then own.ends = own.ends + 1 end
    end, { tokens = false })
    return own
  end

  it("gets 1..n without gaps or doubles, and one end", function()
    local dice, watched = random.new(10000), {}
    T.script(function() return { content = "yes", delay_ms = dice:integer(20) } end)
    local council = T.council { ids = { "a" } }
    local function worker()
      for _ = 1, RUNS / AT_ONCE do
        local run = curia.start(council, "Why?")
        task.sleep(dice:integer(25) - 1) -- also before its first event, and after its last
        local own = watch(run)
        run:await()
        watched[#watched + 1] = own
      end
    end
    helper.virtual(function()
      local workers = {}
      for i = 1, AT_ONCE do workers[i] = worker end
      local _, errors = task.all(workers)
      assert.same({}, errors)
      task.sleep(1)
    end)
    assert.equal(RUNS, #watched)
    for _, own in ipairs(watched) do
      assert.same({ 6, 0, 1 }, { own.seq, own.faults, own.ends })
      assert.equal(own.run.log.count, own.seq)
    end
  end)
end)
