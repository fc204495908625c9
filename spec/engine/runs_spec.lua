local curia = require "curia"
local errors = require "curia.errors"
local helper = require "spec.helper"
local redact = require "curia.redact"
local secrets = require "curia.language.secrets"
local task = require "curia.task"
local T = require "spec.engine.support"

local slow = { content = "slow", delay_ms = 1000 }

describe("starting", function()
  before_each(function() T.script "yes" end)

  it("takes a text or a table as input", function()
    local run = curia.start(T.council {}, "Why?")
    assert.same({ question = "Why?" }, run:await().input)
    run = curia.start(T.council {}, { question = "Why?", depth = 3 })
    assert.same({ question = "Why?", depth = 3 }, run:await().input)
  end)

  it("knows the keys of its members before anything is stored, and asks no command for one", function()
    local marker = os.tmpname()
    os.remove(marker)
    local file = os.tmpname()
    local handle = assert(io.open(file, "w"))
    handle:write "sk-of-the-first-member\n"
    handle:close()
    curia.config { providers = {
      first = { adapter = "scripted", script = "yes", api_key = secrets.file(file) },
      second = { adapter = "scripted", script = "yes", api_key = secrets.cmd("touch " .. marker .. "; echo sk-asked") },
    } }
    local run = assert(curia.start(T.council { ids = { "a", "b" },
      members = { a = { provider = "first" }, b = { provider = "second" } } }, "Why?"))
    assert.equal("Is [secret] safe?", redact.text "Is sk-of-the-first-member safe?")
    assert.is_nil((io.open(marker)))
    run:cancel()
    run:await()
    os.remove(file)
    os.remove(marker)
    redact.reset()
  end)

  it("refuses an invalid council with every fault, before anything is asked", function()
    local council = curia.council "wrong" { members = { { id = "a", temperature = 9 } }, rounds = { { type = "indepndent_analysis" } } }
    local run, err = curia.start(council, "Why?")
    assert.is_nil(run)
    assert.equal("invalid_council", err.kind)
    assert.is_true(#err.context.faults >= 3)
    assert.matches("did you mean 'independent_analysis'", table.concat((function()
      local texts = {}
      for i, fault in ipairs(err.context.faults) do texts[i] = fault.message end
      return texts
    end)(), "\n"))
    assert.equal("invalid_council", select(2, curia.run(council, "Why?")).kind)
  end)

  it("takes the name of a registered council, and names the nearest for a wrong one", function()
    curia.register("council", "spec_registered", T.council {})
    assert.equal("ok", curia.run("spec_registered", "Why?").status)
    local _, err = curia.start("spec_registred", "Why?")
    assert.equal("invalid_council", err.kind)
    assert.equal("unknown_council", err.code)
    assert.matches("did you mean 'spec_registered'", err.message)
    curia.unregister("council", "spec_registered")
    assert.has_error(function() curia.start(42, "Why?") end)
  end)

  it("refuses unknown and wrong options as an error value", function()
    local run, err = curia.start(T.council {}, "Why?", { subscrib = true })
    assert.is_nil(run)
    assert.is_true(errors.is(err))
    assert.equal("validation", err.kind)
    assert.equal("unknown_field", err.code)
    assert.matches("did you mean 'subscribe'", err.message)
    err = select(2, curia.run(T.council {}, "Why?", { deadline_ms = "soon", seed = "x" }))
    assert.equal("validation", err.kind)
    assert.equal(2, #err.context.faults)
  end)
end)

describe("a run's id", function()
  before_each(function() T.script(slow) end)

  it("is a UUIDv7 unless given, and finds the run", function()
    helper.virtual(function()
      local run = curia.start(T.council {}, "Why?")
      assert.matches("^%x%x%x%x%x%x%x%x%-%x%x%x%x%-7%x%x%x%-[89ab]%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$", run.id)
      assert.equal(run, curia.find(run.id))
      local own = curia.start(T.council {}, "Why?", { run_id = "mine" })
      assert.equal(own, curia.find "mine")
      assert.equal("mine", own:await().run_id)
      run:await()
    end)
  end)

  it("is the handle's equal", function()
    helper.virtual(function()
      local run = curia.start(T.council {}, "Why?", { run_id = "by id" })
      local seen, ended = {}, 0
      curia.subscribe("by id", function(event) seen[#seen + 1] = event.type end)
      curia.on_end("by id", function() ended = ended + 1 end)
      assert.equal("pending", curia.state("by id").status)
      assert.is_nil((curia.result "by id"))
      assert.equal("timeout", select(2, curia.await("by id", 10)).kind)
      assert.is_true(curia.cancel("by id", "by its id"))
      assert.equal("by its id", select(2, curia.await "by id").message)
      assert.equal(run:result(), (curia.result "by id"))
      local count = 0
      for _ in curia.events "by id" do count = count + 1 end
      task.sleep(0)
      assert.equal(count, #seen)
      assert.equal(1, ended)
      assert.is_true(curia.cancel "by id")
      assert.is_true(curia.terminate "by id")
    end)
  end)

  it("that nobody has is unknown_run; terminating it is well", function()
    for _, call in ipairs { curia.find, curia.await, curia.cancel, curia.state, curia.result, curia.events } do
      local value, err = call "nobody"
      assert.is_nil(value)
      assert.equal("unknown_run", err.kind)
    end
    assert.equal("unknown_run", select(2, curia.subscribe("nobody", print)).kind)
    assert.is_true(curia.terminate "nobody")
  end)

  it("given twice with the same council and input is the first run", function()
    helper.virtual(function()
      local council = T.council {}
      local first = curia.start(council, { question = "Why?", list = { 1, 2 } }, { run_id = "twice" })
      local again = curia.start(council, { question = "Why?", list = { 1, 2 } }, { run_id = "twice" })
      assert.equal(first, again)
      local equal = curia.start(T.council {}, { question = "Why?", list = { 1, 2 } }, { run_id = "twice" })
      assert.equal(first, equal)
      first:await()
      assert.equal(first, curia.start(council, { question = "Why?", list = { 1, 2 } }, { run_id = "twice" }))
    end)
  end)

  it("given twice for something else is duplicate_run", function()
    helper.virtual(function()
      local council = T.council {}
      local run = curia.start(council, "Why?", { run_id = "once" })
      local function kind(...) return select(2, curia.start(...)).kind end
      assert.equal("duplicate_run", kind(council, "Why not?", { run_id = "once" }))
      assert.equal("duplicate_run", kind(T.council { ids = { "a" } }, "Why?", { run_id = "once" }))
      assert.equal("duplicate_run", kind(council, "Why?", { run_id = "once", idempotent = false }))
      run:await()
    end)
  end)

  it("is free again once its run was terminated", function()
    helper.virtual(function()
      local first = curia.start(T.council {}, "Why?", { run_id = "again" })
      first:terminate()
      local second = curia.start(T.council {}, "Why not?", { run_id = "again" })
      assert.not_equal(first, second)
      assert.equal("ok", second:await().status)
      assert.equal(second, curia.find "again")
    end)
  end)
end)

describe("a finished run", function()
  after_each(function() curia.config { linger_ms = 60000 } end)

  it("lingers, then it is forgotten", function()
    helper.virtual(function()
      T.script "yes"
      curia.config { linger_ms = "5s" }
      curia.run(T.council {}, "Why?", { run_id = "old" })
      task.sleep(4990)
      assert.is_truthy(curia.find "old")
      task.sleep(60000) -- far: runs of earlier tests ended by other clocks
      assert.equal("unknown_run", select(2, curia.find "old").kind)
    end)
  end)
end)

describe("the list of runs", function()
  -- The ids of the list that are these runs', in its order.
  local function listed(filter, ...)
    local ids, wanted = {}, {}
    for _, run in ipairs { ... } do wanted[run.id] = true end
    for _, state in ipairs(curia.list(filter)) do
      if wanted[state.run_id] then ids[#ids + 1] = state.run_id end
    end
    return ids
  end

  it("holds the states of those that live or linger, newest first", function()
    helper.virtual(function()
      T.script(slow)
      local first = curia.start(T.council {}, "1")
      local second = curia.start(T.council {}, "2")
      assert.same({ second.id, first.id }, listed({}, first, second))
      task.sleep(1)
      first:cancel()
      first:await()
      assert.same({ second.id }, listed({ status = "running" }, first, second))
      assert.equal(1, #curia.list { limit = 1 })
      second:await()
    end)
  end)

  it("knows its filters", function()
    assert.has_error(function() curia.list { stauts = "running" } end,
      "list: unknown field 'stauts'; did you mean 'status'?")
  end)
end)

describe("curia.run", function()
  before_each(function() T.script(slow) end)

  it("cancels its run when await_timeout is over, and leaves nothing under way", function()
    helper.virtual(function()
      local run
      local result, err = curia.run(T.council {}, "Why?", { await_timeout = "100ms", run_id = "late",
        subscribe = function() run = curia.find "late" end })
      assert.is_nil(result)
      assert.equal("timeout", err.kind)
      assert.is_true(run.ended)
      assert.equal("cancelled", run:state().status)
    end)
  end)

  it("does so at top level too", function()
    local result, err = curia.run(T.council {}, "Why?", { await_timeout = 10, run_id = "late at top" })
    assert.is_nil(result)
    assert.equal("timeout", err.kind)
    assert.equal("cancelled", curia.state("late at top").status)
  end)

  it("gives the result and the first error", function()
    helper.virtual(function()
      assert.same({ "ok", nil }, { (function() local r, e = curia.run(T.council {}, "Why?") return r.status, e end)() })
      T.script { error = 401 }
      local result, err = curia.run(T.council {}, "Why?")
      assert.equal("error", result.status)
      assert.equal("auth", err.kind)
      assert.equal(result.errors[1], err)
    end)
  end)

  it("is cancelled with the task that waits for it", function()
    helper.virtual(function()
      local waiting = task.spawn(function() return curia.run(T.council {}, "Why?", { run_id = "deserted" }) end)
      task.sleep(10)
      waiting:cancel()
      waiting:await()
      assert.equal("cancelled", curia.state("deserted").status)
    end)
  end)
end)

describe("curia.ask", function()
  it("runs the council that the configuration names", function()
    T.script "yes"
    local result, err = curia.ask "Why?"
    assert.is_nil(result)
    assert.same({ "invalid_council", "missing" }, { err.kind, err.code })
    curia.register("council", "spec_default", T.council { name = "by name" })
    for given, name in pairs { spec_default = "by name", [T.council { name = "as such" }] = "as such" } do
      curia.config { default_council = given }
      result = curia.ask("Why?", { run_id = name })
      assert.same({ "ok", name, name }, { result.status, result.council, result.run_id })
    end
    curia.config { default_council = "spec_defualt" }
    err = select(2, curia.ask "Why?")
    assert.same({ "invalid_council", "unknown_council" }, { err.kind, err.code })
    assert.matches("did you mean 'spec_default'", err.message)
    curia.unregister("council", "spec_default")
  end)
end)

describe("many runs", function()
  it("beside each other keep apart what is theirs", function()
    helper.virtual(function()
      T.script(function(request) return { content = request.messages[1].content .. " yes", delay_ms = 100 } end)
      local council, jobs = T.council { ids = { "a" } }, {}
      for i = 1, 100 do
        jobs[i] = function() return curia.run(council, "q" .. i).final.content end
      end
      local ms, values = T.timed(task.all, jobs)
      assert.equal(100, ms)
      for i = 1, 100 do assert.equal(("q%d yes"):format(i), values[i]) end
    end)
  end)
end)
