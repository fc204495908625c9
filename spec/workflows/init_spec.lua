local curia = require "curia"
local engines = require "curia.workflows.engine"
local helper = require "spec.helper"
local support = require "spec.workflows.support"
local stores = require "curia.store"
local task = require "curia.task"
local T = require "spec.engine.support"

local workflows = curia.workflows
local step, workflow = workflows.step, workflows.workflow

local place, store

before_each(function()
  place = support.place()
  store = place.store
end)

after_each(function()
  place.close()
end)

local function start(given, trigger, opts)
  opts = opts or {}
  opts.store = store
  return workflows.start(given, trigger, opts)
end

local function await(id) return workflows.await(id, { store = store, timeout_ms = 60000 }) end

local function approve(id, name, decision, note) return workflows.approve(id, name, decision, note, { store = store }) end

local function status_of(made)
  local text = { made.status }
  for _, one in ipairs(made.steps) do text[#text + 1] = one.name .. "=" .. one.status end
  return table.concat(text, " ")
end

local function echo(_, input) return input end

local function wait_for_ever() task.sleep(1e6) end

describe("a workflow", function()
  it("runs councils, functions and approvals in their order and keeps what each has given", function()
    T.answers { a = "A draft." }
    local release = workflow "release" {
      step "draft" { council = T.council { ids = { "a" } }, input = { question = "trigger.change" } },
      step "sign" { approval = true, after = "draft", input = "prior.draft.content" },
      step "send" { after = "sign", input = function(trigger, prior)
        return { text = prior.draft.content, change = trigger.change, note = prior.sign.note }
      end, run = function(ctx, input) return { sent = input, by = ctx.step, attempt = ctx.attempt } end },
    }
    helper.run(function()
      local begun = assert(start(release, { change = "Friday?" }))
      local made = assert(await(begun.id))
      assert.equal("blocked draft=done sign=blocked send=pending", status_of(made))
      assert.is_nil(made.finished_at)
      assert.equal("A draft.", made.steps[2].input)
      assert.is_true(approve(begun.id, "sign", true, "fine"))
      made = assert(await(begun.id))
      assert.equal("done draft=done sign=done send=done", status_of(made))
      assert.same({ send = { by = "send", attempt = 1,
        sent = { text = "A draft.", change = "Friday?", note = "fine" } } }, made.result)
      assert.same({ begun.id .. ".draft.1", "ok" }, { made.steps[1].run_id, made.steps[1].result.status })
    end)
  end)

  it("runs at the same time what does not wait for each other", function()
    helper.run(function()
      local first, met = task.signal(), 0
      local function meet()
        met = met + 1
        if met == 2 then first:notify() else first:wait() end
        return { met = met }
      end
      local begun = assert(start(workflow "w" {
        step "a" { run = meet }, step "b" { run = meet }, step "c" { run = echo, after = { "a", "b" } },
      }))
      assert.equal("done a=done b=done c=done", status_of(await(begun.id)))
    end)
  end)

  it("takes the trigger for an input that is not said, and shows a step only what stands before it", function()
    helper.run(function()
      local begun = assert(start(workflow "w" {
        step "a" { run = echo }, step "b" { run = echo },
        step "c" { run = echo, after = "a", input = function(_, prior) return { b = prior.b ~= nil, a = prior.a } end },
      }, { x = 1 }))
      assert.same({ b = { x = 1 }, c = { a = { x = 1 }, b = false } }, await(begun.id).result)
    end)
  end)

  it("gives the options of its runs to every council, and a step's own come on top", function()
    local seen = {}
    helper.run(function()
      local world = support.world()
      local door = support.door(world, "me", function(job)
        seen[#seen + 1] = job.options
        return { result = {} }
      end)
      engines.of(store).runner = door
      local begun = assert(start(workflow "w" {
        step "a" { council = "x" }, step "b" { council = "x", after = "a", options = { seed = 2 } },
      }, {}, { options = { offline = true, seed = 1 } }))
      await(begun.id)
      await(assert(start(workflow "live" { step "a" { council = "x" } })).id)
      assert.same({ { offline = true, seed = 1 }, { offline = true, seed = 2 }, {} }, seen)
      assert.same({ offline = true, seed = 1 }, workflows.get(begun.id, { store = store }).options)
    end)
  end)
end)

describe("a step that fails", function()
  it("ends the workflow, stops what runs beside it, and says why", function()
    helper.run(function()
      local begun = assert(start(workflow "w" {
        step "a" { run = function() error "it broke" end }, step "b" { run = wait_for_ever },
        step "c" { run = echo, after = "b" },
      }))
      local made = await(begun.id)
      assert.equal("failed a=failed b=cancelled c=cancelled", status_of(made))
      assert.same({ "script", "a" }, { made.error.kind, made.error.step })
      assert.matches("it broke", made.error.message)
    end)
  end)

  it("is tried again after its wait, with the input of its first try", function()
    helper.virtual(function()
      local inputs, calls = 0, 0
      local begun = assert(start(workflow "w" { step "a" {
        on_failure = "retry", backoff = "1m", input = function() inputs = inputs + 1 return { n = inputs } end,
        run = function(_, input)
          calls = calls + 1
          if calls < 3 then return nil, "not yet" end
          return input
        end,
      } }))
      local made = workflows.await(begun.id, { store = store })
      assert.same({ "done", 3, 3, 1 }, { made.status, made.steps[1].attempt, calls, inputs })
      assert.is_true(made.finished_at - made.started_at >= 2 * 60 * 1000)
      assert.is_nil(made.steps[1].error)
    end)
  end)

  it("and pauses is tried again when the workflow is resumed", function()
    helper.run(function()
      local good = false
      local begun = assert(start(workflow "w" { step "a" { on_failure = "pause", run = function()
        if good then return {} end
        return nil, "the disk is full"
      end } }))
      assert.equal("blocked a=paused", status_of(await(begun.id)))
      good = true
      assert.is_true(workflows.resume(begun.id, { store = store }))
      assert.equal("done a=done", status_of(await(begun.id)))
      local done, err = workflows.resume(begun.id, { store = store })
      assert.is_nil(done)
      assert.same({ "validation", "not_live" }, { err.kind, err.code })
    end)
  end)

  it("and pauses lets what is at work come to its end, which is waited for", function()
    helper.virtual(function()
      local begun = assert(start(workflow "w" {
        step "a" { on_failure = "pause", run = function() return nil, "no" end },
        step "b" { run = function() task.sleep(5000) return {} end }, step "c" { run = echo, after = "b" },
      }))
      local made = workflows.await(begun.id, { store = store })
      assert.equal("blocked a=paused b=done c=pending", status_of(made))
      workflows.cancel(begun.id, nil, { store = store })
    end)
  end)

  it("fails by an input that raises, a result without a data form, and a time that is over", function()
    helper.virtual(function()
      local function error_of(body)
        return workflows.await(start(workflow "w" { step "a"(body) }).id, { store = store }).error
      end
      assert.matches("input of step 'a': .*oh", error_of { run = echo, input = function() error "oh" end }.message)
      assert.matches("its result has no data form", error_of { run = function() return { print } end }.message)
      assert.equal("deadline", error_of { run = wait_for_ever, timeout = "2s" }.kind)
      assert.equal("invalid_council", error_of { council = "nobody" }.kind)
    end)
  end)

  it("is the fault of a run that somebody has cancelled", function()
    helper.virtual(function()
      local slow = T.council { ids = { "a" }, members = { a = { run = wait_for_ever } } }
      local begun = assert(start(workflow "w" { step "a" { council = slow } }))
      task.sleep(20)
      assert(curia.cancel(begun.id .. ".a.1"))
      local made = await(begun.id)
      assert.same({ "failed", "cancelled" }, { made.status, made.error.kind })
    end)
  end)
end)

describe("cancelling a workflow", function()
  it("stops what runs, councils too, and is idempotent", function()
    helper.virtual(function()
      local slow = T.council { ids = { "a" }, members = { a = { run = wait_for_ever } } }
      local begun = assert(start(workflow "w" {
        step "a" { council = slow }, step "b" { run = wait_for_ever }, step "c" { run = echo, after = "a" },
      }))
      task.sleep(20)
      assert.is_true(workflows.cancel(begun.id, "enough", { store = store }))
      local made = await(begun.id)
      assert.equal("cancelled a=cancelled b=cancelled c=cancelled", status_of(made))
      assert.same({ "cancelled", "enough" }, { made.error.kind, made.error.reason })
      assert.equal("cancelled", curia.find(begun.id .. ".a.1"):await() and curia.state(begun.id .. ".a.1").status)
      assert.is_true(workflows.cancel(begun.id, "again", { store = store }))
      assert.equal(made.version, await(begun.id).version)
    end)
  end)

  it("ends one that waits for approval, which then cannot be given", function()
    helper.run(function()
      local begun = assert(start(workflow "w" { step "a" { approval = true } }))
      assert(workflows.cancel(begun.id, nil, { store = store }))
      assert.equal("cancelled a=cancelled", status_of(await(begun.id)))
      local done, err = approve(begun.id, "a", true)
      assert.is_nil(done)
      assert.same({ "validation", "not_pending" }, { err.kind, err.code })
    end)
  end)

  it("asks for the end of a durable run in the same unit, whoever owns it", function()
    helper.virtual(function()
      local world = support.world()
      local door = support.door(world, "me", function() task.sleep(1e6) end)
      engines.of(store).runner = door
      local begun = assert(start(workflow "w" { step "a" { council = "x" } }))
      assert(store:execute([[INSERT INTO {runs} (namespace, run_id, council, status, durability, attempt, attempts, fence,
        events, inserted_at, updated_at) VALUES ('default', ?, 'x', 'running', 'sync', 1, 1, 1, 0, 1, 1)]],
        begun.id .. ".a.1"))
      assert(workflows.cancel(begun.id, nil, { store = store }))
      assert.is_string(store:query "SELECT cancel_requested FROM {runs}"[1].cancel_requested)
      assert.same({ begun.id .. ".a.1" }, door.cancelled)
    end)
  end)
end)

describe("an approval", function()
  it("is given once, whoever gives it and through whichever connection", function()
    helper.run(function()
      local other <close> = assert(stores.open(store.url))
      local begun = assert(start(workflow "w" { step "a" { approval = true }, step "b" { run = echo, after = "a" } }))
      local given = task.all {
        function() return approve(begun.id, "a", true, "first") or false end,
        function() return workflows.approve(begun.id, "a", true, "second", { store = other }) or false end,
      }
      assert.is_true(given[1] ~= given[2])
      local made = await(begun.id)
      assert.equal("done a=done b=done", status_of(made))
      assert.equal(given[1] and "first" or "second", made.steps[1].result.note)
    end)
  end)

  it("that is refused ends the workflow with its note, or pauses it", function()
    helper.run(function()
      local begun = assert(start(workflow "w" { step "a" { approval = true }, step "b" { run = echo, after = "a" } }))
      assert.is_true(approve(begun.id, "a", false, "too soon"))
      local made = await(begun.id)
      assert.equal("failed a=failed b=cancelled", status_of(made))
      assert.same({ "permanent", "refused", "too soon" }, { made.error.kind, made.error.code, made.error.reason })
      begun = assert(start(workflow "w" { step "a" { approval = true, on_failure = "pause" } }))
      assert.is_true(approve(begun.id, "a", false))
      assert.equal("blocked a=paused", status_of(await(begun.id)))
      assert(workflows.resume(begun.id, { store = store }))
      assert.equal("blocked a=blocked", status_of(await(begun.id)))
      assert.is_true(approve(begun.id, "a", true))
      assert.equal("done a=done", status_of(await(begun.id)))
    end)
  end)

  it("of what does not wait is refused: another step, a second time, another workflow", function()
    helper.run(function()
      local begun = assert(start(workflow "w" { step "a" { approval = true }, step "b" { approval = true, after = "a" } }))
      for _, name in ipairs { "b", "no such" } do
        local _, err = approve(begun.id, name, true)
        assert.equal("not_pending", err.code)
      end
      assert.is_true(approve(begun.id, "a", true))
      local _, err = approve(begun.id, "a", true)
      assert.equal("not_pending", err.code)
      _, err = approve("nobody", "a", true)
      assert.same({ "unknown_run", "unknown_workflow" }, { err.kind, err.code })
      assert.error_matches(function() approve(begun.id, "a", "yes") end, "bad argument #3 to 'approve'")
      workflows.cancel(begun.id, nil, { store = store })
    end)
  end)
end)

describe("starting", function()
  local function pausing()
    return workflow "w" { subject = "trigger.pr", step "a" { approval = true } }
  end

  it("is idempotent by id, and refuses another trigger under it", function()
    helper.run(function()
      local first = assert(start(pausing(), { pr = 1 }, { id = "one" }))
      local second = assert(start("w", { pr = 1 }, { id = "one" }))
      assert.same({ "one", first.started_at }, { second.id, second.started_at })
      local _, err = start("w", { pr = 2 }, { id = "one" })
      assert.equal("duplicate_run", err.kind)
      assert.equal(1, #workflows.list { store = store })
      for _, id in ipairs { "", "a/b", ("x"):rep(49) } do
        assert.error_matches(function() start("w", {}, { id = id }) end, "id must have 1 to 48 bytes")
      end
    end)
  end)

  it("takes the longest ids and names there may be", function()
    helper.run(function()
      T.answers { a = "yes" }
      local begun = assert(start(workflow "w" {
        step(("s"):rep(64)) { council = T.council { ids = { "a" } } },
      }, {}, { id = ("x"):rep(48) }))
      assert.equal("done", await(begun.id).status)
    end)
  end)

  it("refuses a second one for a subject while the first goes on, not another subject's, nor a later one", function()
    helper.run(function()
      local duplicates = 0
      local handle <close> = curia.telemetry.attach("workflow.duplicate", function() duplicates = duplicates + 1 end)
      local first = assert(start(pausing(), { pr = 7 }))
      assert.equal("7", first.subject)
      local _, err = start("w", { pr = 7 })
      assert.same({ "duplicate_run", "duplicate_in_flight", first.id }, { err.kind, err.code, err.context.workflow_id })
      assert.equal(1, duplicates)
      assert(start("w", { pr = 8 }))
      assert(start("w", {}))
      assert(start("w", {}))
      assert(start("w", { pr = 7 }, { stack = "other" }))
      assert(start("w", { pr = 7 }, { env = "other" }))
      assert(start("w", { pr = 7 }, { namespace = "other" }))
      assert(approve(first.id, "a", true))
      assert(start("w", { pr = 7 }))
      assert.is_not_nil(handle)
    end)
  end)

  it("lets one of many at once win for a subject, also through several connections", function()
    helper.run(function()
      workflows.register(pausing())
      local other <close> = assert(stores.open(store.url))
      local functions = {}
      for i = 1, 8 do
        functions[i] = function() return workflows.start("w", { pr = 7 }, { store = i % 2 == 0 and other or store }) or false end
      end
      local won = 0
      for _, made in ipairs((task.all(functions))) do won = won + (made and 1 or 0) end
      assert.equal(1, won)
      assert.equal(1, #workflows.list { store = store })
    end)
  end)

  it("takes the subject from a function, or from the caller, who wins", function()
    helper.run(function()
      local w = workflow "w" { subject = function(trigger) return trigger.x end, step "a" { approval = true } }
      assert.equal("y", start(w, { x = "y" }).subject)
      assert.equal("z", start(w, { x = "y" }, { subject = "z" }).subject)
      local _, err = start(w, { x = {} })
      assert.equal("wrong_type", err.code)
    end)
  end)

  it("stamps stack and env: the caller's, else the configuration's; blank and null are none", function()
    helper.run(function()
      local function scope(opts)
        local made = assert(start(workflow "w" { step "a" { run = echo } }, {}, opts))
        return { made.source_stack or "none", made.source_env or "none" }
      end
      assert.same({ "none", "none" }, scope {})
      curia.config { stack = "blue", env = "rc" }
      assert.same({ "blue", "rc" }, scope {})
      assert.same({ "green", "none" }, scope { stack = "green", env = curia.null })
      curia.config { stack = "", env = "" }
      assert.same({ "none", "none" }, scope {})
    end)
  end)

  it("of a faulty or unknown workflow gives its faults and the nearest name", function()
    helper.run(function()
      local _, err = start(workflow "w" {})
      assert.same({ "validation", "empty" }, { err.kind, err.code })
      workflows.register(workflow "release" { step "a" { run = echo } })
      _, err = start "relaese"
      assert.same({ "validation", "unknown workflow 'relaese'; did you mean 'release'?" }, { err.kind, err.message })
      assert.error_matches(function() start(7) end, "bad argument #1 to 'start'")
      assert.error_matches(function() start("release", { print }) end, "bad argument #2 to 'start'")
      assert.error_matches(function() start("release", {}, { subjct = "x" }) end, "did you mean 'subject'")
    end)
  end)
end)

describe("an equal step's result", function()
  local function counting(calls)
    return workflow "w" { step "a" { reuse = "10m", input = { x = "trigger.x" }, run = function()
      calls.n = calls.n + 1
      return { n = calls.n }
    end } }
  end

  it("is taken again while it is fresh, for the same subject and input", function()
    helper.virtual(function()
      local calls = { n = 0 }
      workflows.register(counting(calls))
      local function made(x, subject)
        return workflows.await(start("w", { x = x }, { subject = subject }).id, { store = store })
      end
      local first = made(1)
      local second = made(1)
      assert.same({ 1, first.id .. "/a" }, { second.result.a.n, second.steps[1].reused_from })
      assert.equal(2, made(2).result.a.n)
      assert.equal(3, made(1, "other").result.a.n)
      task.sleep(9 * 60 * 1000)
      assert.equal(1, made(1).result.a.n)
      task.sleep(2 * 60 * 1000) -- what was taken again is as old as it was
      assert.equal(4, made(1).result.a.n)
    end)
  end)
end)

describe("who watches", function()
  it("sees what happens on the workflow's topic, after it was stored", function()
    helper.run(function()
      local all = curia.subscribe { topic = "workflows" }
      local begun = assert(start(workflow "w" {
        step "a" { run = echo }, step "b" { after = "a", run = function() return nil, "no" end },
      }, {}, { subject = "s" }))
      await(begun.id)
      local seen = {}
      for event in all:each() do
        seen[#seen + 1] = ("%s %s"):format(event.type, event.step or "-")
        assert.same({ begun.id, "w", "s" }, { event.workflow_id, event.workflow, event.subject })
        assert.is_true(event.version <= workflows.get(begun.id, { store = store }).version)
        if event.type == "workflow_failed" then break end
      end
      assert.same({ "workflow_started -", "step_started a", "step_done a", "step_started b", "step_failed b",
        "workflow_failed -" }, seen)
    end)
  end)

  it("and raises does not stop it", function()
    helper.run(function()
      local made
      local lines = T.logged(function()
        local handle <close> = curia.telemetry.attach("workflow.step.start", function() error "telemetry" end)
        local watcher = curia.subscribe({ topic = "workflows" }, function() error "watcher" end)
        local begun = assert(start(workflow "w" { step "a" { run = echo }, step "b" { run = echo, after = "a" } }))
        made = await(begun.id)
        watcher:stop()
        assert.is_not_nil(handle)
      end)
      assert.equal("done a=done b=done", status_of(made))
      assert.is_true(#lines >= 2)
    end)
  end)

  it("is told of a cancel, on the topic and by telemetry", function()
    helper.run(function()
      local begun = assert(start(workflow "w" { step "a" { approval = true } }))
      local watcher, heard = curia.subscribe { topic = "workflow:" .. begun.id }, {}
      local handle <close> = curia.telemetry.attach({ "workflow.exception", "workflow.stop" }, function(name, _, metadata)
        heard[#heard + 1] = { name, metadata.status, metadata.error.kind }
      end)
      workflows.cancel(begun.id, "enough", { store = store })
      local event = watcher:next()
      watcher:stop()
      assert.same({ "workflow_failed", "cancelled", "enough" }, { event.type, event.status, event.error.reason })
      assert.same({ { "workflow.exception", "cancelled", "cancelled" }, { "workflow.stop", "cancelled", "cancelled" } },
        heard)
      assert.is_not_nil(handle)
    end)
  end)

  it("hears it as telemetry, with durations", function()
    helper.run(function()
      local heard = {}
      local names = { "workflow.start", "workflow.step.start", "workflow.step.stop", "workflow.stop" }
      local handle <close> = curia.telemetry.attach(names, function(name, measurements, metadata)
        heard[#heard + 1] = { name, metadata.step, metadata.status, measurements.duration_us ~= nil }
      end)
      await(assert(start(workflow "w" { step "a" { run = echo } })).id)
      assert.same({ { "workflow.start", nil, nil, false }, { "workflow.step.start", "a", "running", false },
        { "workflow.step.stop", "a", nil, true }, { "workflow.stop", nil, "done", true } }, heard)
      assert.is_not_nil(handle)
    end)
  end)
end)

describe("a process that stops", function()
  it("lets steps end for a while and leaves the rest", function()
    helper.virtual(function()
      assert(workflows.start(workflow "w" {
        step "short" { run = function() task.sleep(20) return 1 end }, step "long" { run = function() task.sleep(1e9) end },
        step "next" { run = function() end, after = "short" },
      }, nil, { id = "1", store = store }))
      assert.is_true(workflows.stop(200, { store = store }))
      assert.equal("running short=done long=running next=pending",
        support.statuses(store, { namespace = "default", id = "1" }))
    end)
  end)
end)

describe("looking", function()
  it("lists by status, workflow and subject, newest first, and gives one by id", function()
    helper.run(function()
      workflows.register(workflow "one" { step "a" { run = echo } })
      workflows.register(workflow "two" { step "a" { approval = true } })
      await(start("one", {}, { id = "1" }).id)
      start("two", {}, { id = "2", subject = "s" })
      start("two", {}, { id = "3" })
      local function ids(filter)
        filter.store = store
        local found = {}
        for i, made in ipairs(workflows.list(filter)) do found[i] = made.id end
        return table.concat(found, " ")
      end
      assert.equal("1", ids { status = "done" })
      assert.equal("3 2", ids { workflow = "two" })
      assert.equal("2", ids { subject = "s" })
      assert.equal("3", ids { limit = 1 })
      assert.equal("", ids { namespace = "other" })
      local _, err = workflows.get("none", { store = store })
      assert.equal("unknown_workflow", err.code)
      _, err = workflows.await("2", { store = store, timeout_ms = 1 })
      assert.is_nil(err)
    end)
  end)

  it("gives up waiting when the time is over", function()
    helper.virtual(function()
      local begun = assert(start(workflow "w" { step "a" { run = wait_for_ever } }))
      local _, err = workflows.await(begun.id, { store = store, timeout_ms = 50 })
      assert.equal("timeout", err.kind)
      workflows.cancel(begun.id, nil, { store = store })
    end)
  end)
end)
