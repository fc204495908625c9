local curia = require "curia"
local groups = require "curia.engine.group"
local helper = require "spec.helper"
local random = require "curia.engine.random"
local task = require "curia.task"
local T = require "spec.engine.support"

local slow = { content = "slow", delay_ms = 1000 }

local names = 0
local function fresh(opts)
  names = names + 1
  return assert(curia.group("spec " .. names, opts))
end

local function statuses(runs)
  local found = {}
  for i, run in ipairs(runs) do found[i] = run.status end
  return found
end

local function start(group, count, opts)
  local runs = {}
  for i = 1, count do runs[i] = assert(group:start(T.council {}, "q" .. i, opts)) end
  return runs
end

describe("a group", function()
  before_each(function() T.script(slow) end)

  it("is the same one for the same name in a namespace", function()
    local group = fresh()
    assert.is_true(groups.is(group))
    assert.equal(group, curia.group(group.name))
    assert.not_equal(group, curia.group(group.name, { namespace = "other" }))
    assert.matches("^group spec %d+ %(0 runs%)$", tostring(group))
  end)

  it("takes its options once: equal or absent ones are well, others an error", function()
    local group = fresh { max_runs = 2 }
    assert.equal(group, curia.group(group.name))
    assert.equal(group, curia.group(group.name, { max_runs = 2 }))
    local other, err = curia.group(group.name, { max_runs = 3 })
    assert.is_nil(other)
    assert.same({ "validation", "conflict" }, { err.kind, err.code })
    assert.equal(group, curia.group(group.name, { budget = { calls = 5 } }))
    assert.equal(group, curia.group(group.name, { budget = { calls = 5 }, max_runs = 2 }))
    assert.equal("conflict", select(2, curia.group(group.name, { budget = { calls = 6 } })).code)
    group:close()
  end)

  it("remembers what it was told though nobody has hold of it", function()
    curia.group("remembered", { max_runs = 7 })
    curia.group "not remembered".mark = true
    collectgarbage()
    assert.equal(7, curia.group("remembered").max_runs)
    assert.is_nil(curia.group("not remembered").mark)
    curia.group("remembered"):close()
    assert.is_nil(curia.group("remembered").max_runs)
  end)

  it("knows its options", function()
    assert.has_error(function() curia.group("g", { max_run = 1 }) end,
      "group: unknown field 'max_run'; did you mean 'max_runs'?")
    assert.has_error(function() curia.group("g", { max_runs = 0 }) end)
    assert.has_error(function() curia.group("g", { budget = { wall = "1s" } }) end)
    assert.has_error(function() curia.group {} end, "bad argument #1 to 'group' (a name expected)")
    assert.has_error(function() curia.group "a/b" end)
  end)

  it("has the runs that were started in it, by its method, its handle or its name; newest first", function()
    helper.virtual(function()
      local group = fresh()
      local first = group:start(T.council {}, "1")
      local second = curia.start(T.council {}, "2", { group = group })
      local third = curia.start(T.council {}, "3", { group = group.name })
      curia.start(T.council {}, "4"):cancel()
      assert.same({ third, second, first }, group:runs())
      assert.equal(group.name, first:state().group)
      local listed = curia.list { group = group.name }
      assert.same({ third.id, second.id, first.id },
        { listed[1].run_id, listed[2].run_id, listed[3].run_id })
      assert.equal(1, #curia.list { group = group, limit = 1 })
      assert.same({}, curia.list { group = "nobody's" })
      local result, err = group:run(T.council {}, "5")
      assert.is_nil(err)
      assert.equal("ok", result.status)
      assert.equal(4, #group:runs())
      assert.is_true(group:await())
    end)
  end)

  it("starts no run for another group, nor with options that are none", function()
    local group = fresh()
    assert.error_matches(function() group:start(T.council {}, "1", { group = "other" }) end,
      "options: the run is started in group spec %d+, and cannot be in another")
    assert.equal("ok", group:run(T.council {}, "1", { group = group.name, offline = true }).status)
    assert.equal("validation", select(2, group:start(T.council {}, "1", { max_runs = 2 })).kind)
    assert.equal("validation", select(2, group:start(T.council {}, "1", "none")).kind)
  end)

  it("keeps to its namespace", function()
    helper.virtual(function()
      local group = assert(curia.group("spaced", { namespace = "N" }))
      local run = group:start(T.council {}, "1")
      assert.equal("N", run:state().namespace)
      assert.same({}, curia.list { group = "spaced" })
      assert.equal(1, #curia.list { group = "spaced", namespace = "N" })
      local _, err = group:start(T.council {}, "2", { namespace = "M" })
      assert.equal("validation", err.kind)
      group:await()
    end)
  end)

  it("waits for all, or for a while", function()
    helper.virtual(function()
      local group = fresh()
      assert.is_true(group:await(0))
      start(group, 3)
      local ok, err = group:await(10)
      assert.is_nil(ok)
      assert.equal("timeout", err.kind)
      assert.equal(990, (T.timed(group.await, group, 5000)))
    end)
  end)

  it("cancels all", function()
    helper.virtual(function()
      local group = fresh { max_runs = 1 }
      local runs = start(group, 3)
      task.sleep(10)
      assert.is_true(group:cancel_all "enough")
      group:await()
      assert.same({ "cancelled", "cancelled", "cancelled" }, statuses(runs))
      assert.equal("enough", select(2, runs[3]:result()).message)
      group:close()
    end)
  end)

  it("terminates all, and returns when they are gone with all that they had under way", function()
    helper.virtual(function()
      local group, closed, before = fresh(), 0, task.count()
      local council = T.council { run = function(ctx)
        ctx:all {
          function()
            local _ <close> = setmetatable({}, { __close = function() closed = closed + 1 end })
            ctx:sleep(100000)
          end,
          function() ctx:ask("a", "Why?") end,
        }
      end }
      local runs = {}
      for i = 1, 5 do runs[i] = group:start(council, "Why?") end
      task.sleep(10)
      runs[1]:terminate()
      assert.is_true(group:terminate_all())
      assert.equal(5, closed)
      assert.equal(before, task.count())
      assert.same({}, group:runs())
      assert.equal("terminated", runs[5].status)
      assert.equal("unknown_run", select(2, curia.find(runs[5].id)).kind)
    end)
  end)

  it("that is closed refuses new runs, waits, and frees its name", function()
    helper.virtual(function()
      local group = fresh { max_runs = 2 }
      local runs = start(group, 3)
      local closing = task.spawn(group.close, group)
      task.sleep(10)
      local run, err = group:start(T.council {}, "late")
      assert.is_nil(run)
      assert.same({ "validation", "closed" }, { err.kind, err.code })
      assert.equal("closed", select(2, curia.start(T.council {}, "late", { group = group.name })).code)
      assert.same({ true, true }, { closing:await() })
      assert.same({ "completed", "completed", "completed" }, statuses(runs))
      assert.not_equal(group, curia.group(group.name))
      assert.equal("closed", select(2, group:start(T.council {}, "late")).code)
    end)
  end)

  it("that is closed with a limit terminates the rest", function()
    helper.virtual(function()
      local group = fresh { max_runs = 1 }
      local runs = start(group, 2)
      assert.equal(1500, (T.timed(group.close, group, 1500)))
      assert.same({ "completed", "terminated" }, statuses(runs))
    end)
  end)

  it("as a scope waits for its runs; left by an error it terminates them", function()
    helper.virtual(function()
      local runs
      do
        local group <close> = fresh()
        runs = start(group, 2)
      end
      assert.same({ "completed", "completed" }, statuses(runs))
      for _, how in ipairs { error, function() task.current():cancel() task.sleep(1) end } do
        local ok = task.spawn(function()
          local group <close> = fresh()
          runs = start(group, 2)
          how "x"
        end):await()
        assert.is_false(ok)
        assert.same({ "terminated", "terminated" }, statuses(runs))
      end
    end)
  end)

  it("never restarts a run", function()
    helper.virtual(function()
      T.script { error = 401 }
      local group = fresh()
      local run = start(group, 1)[1]
      group:await()
      task.sleep(5000)
      assert.equal("failed", run.status)
      assert.equal(1, #group:runs())
    end)
  end)
end)

describe("over max_runs, a run", function()
  before_each(function() T.script(slow) end)

  it("is pending until it is its turn, first come, first served", function()
    helper.virtual(function()
      local group, order = fresh { max_runs = 2 }, {}
      local runs = start(group, 6)
      for i, run in ipairs(runs) do run:on_end(function() order[#order + 1] = i end) end
      task.sleep(10)
      assert.same({ "running", "running", "pending", "pending", "pending", "pending" }, statuses(runs))
      assert.equal(4, #curia.list { group = group, status = "pending" })
      task.sleep(1000)
      assert.same({ "completed", "completed", "running", "running", "pending", "pending" }, statuses(runs))
      group:await()
      task.sleep(0)
      assert.same({ 1, 2, 3, 4, 5, 6 }, order)
      group:close()
    end)
  end)

  it("logs nothing before its turn", function()
    helper.virtual(function()
      local group = fresh { max_runs = 1 }
      local runs = start(group, 2)
      local seen = {}
      runs[2]:subscribe(function(event) seen[#seen + 1] = event.seq end)
      task.sleep(999)
      assert.same({}, seen)
      group:close()
      assert.equal(10, #seen)
    end)
  end)

  it("can be cancelled and terminated while it waits; the others move up", function()
    helper.virtual(function()
      local group = fresh { max_runs = 1 }
      local runs = start(group, 4)
      task.sleep(10)
      runs[2]:cancel()
      assert.equal("cancelled", select(2, runs[2]:await()).kind)
      runs[3]:terminate()
      assert.equal("unknown_run", select(2, runs[3]:await()).kind)
      local types = {}
      for event in runs[2]:events() do types[#types + 1] = event.type end
      assert.same({ "run_failed" }, types)
      assert.equal(1990, (T.timed(group.await, group)))
      assert.same({ "completed", "cancelled", "terminated", "completed" }, statuses(runs))
      group:close()
    end)
  end)

  it("that ends as it gets its turn gives the place back", function()
    helper.virtual(function()
      for _, how in ipairs { "cancel", "terminate" } do
        local group = fresh { max_runs = 1 }
        local runs = start(group, 3)
        runs[1]:on_end(function() runs[2][how](runs[2]) end)
        group:await()
        assert.equal("completed", runs[3].status)
        assert.equal(0, group.taken)
        runs = start(group, 2)
        runs[1][how](runs[1])
        group:close()
        assert.equal("completed", runs[2].status)
      end
    end)
  end)

  it("has its deadline from the start on", function()
    helper.virtual(function()
      local group = fresh { max_runs = 1 }
      local runs = start(group, 2, { deadline_ms = 1500 })
      group:await()
      assert.same({ "completed", "failed" }, statuses(runs))
      runs = start(group, 3, { deadline_ms = 500 })
      assert.equal(500, (T.timed(group.await, group)))
      assert.equal("deadline", select(2, runs[3]:result()).kind)
      group:close()
    end)
  end)

  it("does not wait inside of one that has a place", function()
    helper.virtual(function()
      local group = fresh { max_runs = 1 }
      local inner = T.council { name = "inner", chair = true }
      local outer = T.council { run = function(ctx) return ctx:run(inner, "i?").final.content end }
      assert.equal("slow", group:run(outer, "o?").final.content)
      group:close()
    end)
  end)

  it("never is one too many, nor left waiting, whatever becomes of the others", function()
    helper.virtual(function()
      local dice = random.new(7)
      local going, most = 0, 0
      local council = T.council { run = function(ctx)
        going = going + 1
        most = math.max(most, going)
        local _ <close> = setmetatable({}, { __close = function() going = going - 1 end })
        ctx:sleep(dice:integer(50))
        if dice:integer(4) == 1 then error "x" end
        return "yes"
      end }
      local group = fresh { max_runs = 5 }
      local runs = {}
      for i = 1, 500 do
        runs[i] = group:start(council, "q" .. i, { deadline_ms = dice:integer(4000) })
        if dice:integer(3) == 1 then task.sleep(dice:integer(10) - 1) end
        local other = runs[dice:integer(i)]
        if dice:integer(5) == 1 then other:cancel() elseif dice:integer(5) == 1 then other:terminate() end
      end
      assert.is_true(group:await(100000))
      task.sleep(1)
      assert.same({ 5, 0, 0, 0, 0 }, { most, going, group.taken, group.waiting.count, group.alive.count })
      local seen = {}
      for _, run in ipairs(runs) do seen[run.status] = true end
      assert.same({ completed = true, failed = true, cancelled = true, terminated = true }, seen)
      group:close()
    end)
  end)

  it("that is owned dies with its task", function()
    helper.virtual(function()
      local group = fresh { max_runs = 1 }
      local runs
      task.spawn(function()
        runs = start(group, 2, { owned = true })
        task.sleep(10)
      end):await()
      assert.same({ "cancelled", "cancelled" }, statuses(runs))
      group:close()
    end)
  end)
end)

describe("a group's budget", function()
  before_each(function() T.script(slow) end)

  it("is shared by its runs, and those inside of them", function()
    helper.virtual(function()
      local group = fresh { budget = { calls = 7 } }
      local inner = T.council { name = "inner", chair = true }
      local outer = T.council { run = function(ctx) return ctx:run(inner, "i?").final.content end }
      assert.equal("ok", group:run(outer, "1").status)
      assert.equal("ok", group:run(T.council {}, "2").status)
      local result, err = group:run(T.council {}, "3")
      assert.equal("budget", err.kind)
      assert.equal("7 calls are all that the group may use", err.message)
      assert.equal("error", result.status)
      assert.equal(7, group.budget.spent.calls)
      group:close()
    end)
  end)

  it("stands beside a run's own", function()
    helper.virtual(function()
      local group = fresh { budget = { calls = 4 } }
      assert.equal("2 calls are all that the run may use",
        select(2, group:run(T.council {}, "1", { budget = { calls = 2 } })).message)
      assert.equal(2, group.budget.spent.calls)
      group:close()
    end)
  end)

  it("in money takes no model without a price", function()
    local group = fresh { budget = { usd = 1 } }
    local _, err = group:start(T.council {}, "1")
    assert.equal("validation", err.kind)
    assert.matches("no price", err.message)
    group:close()
  end)
end)

describe("groups at a provider's limit", function()
  it("take turns, so that one with many runs does not hold up the others", function()
    helper.virtual(function()
      curia.config { providers = { test = { adapter = "scripted", script = slow, limits = { concurrency = 1 } } } }
      local crowd, few, order = fresh(), fresh(), {}
      local council = T.council { ids = { "a" } }
      local function go(group, name)
        group:start(council, name):on_end(function() order[#order + 1] = name end)
      end
      for i = 1, 4 do go(crowd, "crowd " .. i) end
      task.sleep(10)
      for i = 1, 2 do go(few, "few " .. i) end
      crowd:await()
      few:await()
      task.sleep(0)
      assert.same({ "crowd 1", "crowd 2", "few 1", "crowd 3", "few 2", "crowd 4" }, order)
      curia.config { providers = { test = { adapter = "scripted", limits = {} } } }
    end)
  end)
end)
