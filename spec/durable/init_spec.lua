local curia = require "curia"
local helper = require "spec.helper"
local redact = require "curia.redact"
local requests = require "curia.recovery.requests"
local rows = require "curia.store.runs"
local S = require "spec.durable.support"
local shared = require "curia.store.shared"
local task = require "curia.task"
local T = require "spec.engine.support"

local place, store
local started = 0

before_each(function()
  place = S.place()
  store = assert(shared.configured())
  T.script { content = "yes", delay_ms = 100 }
end)

after_each(function() place.close() end)

-- Runs linger, so that each has an id of its own.
local function new_id()
  started = started + 1
  return "durable-" .. started
end

local function row_of(run_id)
  return assert(rows.get(store, "default", run_id))
end

local function council(body)
  local made = { ids = { "a", "b" }, name = "durable" }
  for name, value in pairs(body or {}) do made[name] = value end
  return T.council(made)
end

describe("a durable run", function()
  it("is stored with all of its events when it has ended", function()
    helper.virtual(function()
      local run = S.start(council(), { question = "Why?" }, { run_id = new_id(), metadata = { tag = "x" } })
      local result = assert(run:await())
      local row = row_of(run.id)
      assert.same({ "completed", "sync", "durable", 1, 7 }, { row.status, row.durability, row.council, row.fence, row.seed })
      assert.same({ "Why?", "x" }, { row.input.question, row.options.metadata.tag })
      assert.same({ result.status, result.run_id }, { row.result.status, row.result.run_id })
      assert.is_nil(row.owner)
      assert.equal(row.events, #rows.events(store, "default", run.id))
      assert.is_truthy(row.finalized_at >= row.started_at)
    end)
  end)

  it("publishes an event once it is stored, and says at the end that all is", function()
    helper.virtual(function()
      local run, kinds = S.start(council(), nil, { run_id = new_id() }), {}
      for event in run:events { tokens = false } do
        kinds[#kinds + 1] = event.type
        if event.seq then assert.is_true(#rows.events(store, "default", run.id) >= event.seq, event.type) end
      end
      assert.same({ "run_completed", "run_recorded" }, { kinds[#kinds - 1], kinds[#kinds] })
    end)
  end)

  it("begins no call before that is stored, and asks nobody when nothing can be", function()
    helper.virtual(function()
      local asked = 0
      T.script(function()
        asked = asked + 1
        return "yes"
      end)
      S.die_at(store, 1, false)
      local _, err = S.start(council(), nil, { run_id = new_id() }):await()
      S.live(store)
      assert.same({ "storage", "lost", 0 }, { err.kind, err.code, asked })
    end)
  end)

  it("fails when its store cannot be opened", function()
    helper.virtual(function()
      curia.config { store = "sqlite:/no/such/folder/a.db" }
      local result, err = curia.run(council(), "Why?", { durability = "sync" })
      assert.is_nil(result)
      assert.equal("storage", err.kind)
      assert.matches("/no/such/folder", err.message)
    end)
  end)

  it("keeps what has finished while the disk is full, and goes on when it is not", function()
    helper.virtual(function()
      local write, failures = getmetatable(store).write, 0
      local run, stuck
      function store.write(self, unit)
        failures = failures + 1
        if failures == 4 then stuck = run.conductor.writer.stuck end
        if failures > 1 and failures < 5 then
          return nil, require "curia.errors".new("storage", "the disk is full", { code = "full" })
        end
        return write(self, unit)
      end
      local result
      local lines = T.logged(function()
        run = S.start(council(), nil, { run_id = new_id() })
        result = run:await()
      end)
      S.live(store)
      assert.equal("ok", result.status)
      assert.same({ "full", 3 }, { stuck.code, #lines })
      assert.matches("cannot be stored and goes on when it can be: the disk is full", lines[1])
    end)
  end)

  it("is written a little later in the mode async, and whole in the end", function()
    helper.virtual(function()
      local run = S.start(council(), nil, { run_id = new_id(), durability = "async" })
      assert(run:await())
      local row = row_of(run.id)
      assert.same({ "completed", "async" }, { row.status, row.durability })
      assert.equal(row.events, #rows.events(store, "default", run.id))
    end)
  end)

  it("is the first run of its id, if that has ended and was asked the same", function()
    helper.virtual(function()
      local id = new_id()
      local first = assert(S.start(council(), "Why?", { run_id = id }):await())
      curia.find(id):leave_to_others()
      local again = assert(S.start(council(), "Why?", { run_id = id }):await())
      assert.equal(S.steady(first), S.steady(again))
      curia.find(id):leave_to_others()
      local _, err = S.start(council(), "Why not?", { run_id = id }):await()
      assert.equal("duplicate_run", err.kind)
    end)
  end)

  it("that another process has taken ends here without telling anything, and its row is the other's", function()
    helper.virtual(function()
      local run = S.start(council(), nil, { run_id = new_id() })
      curia.task.sleep(50)
      assert(store:execute("UPDATE {runs} SET fence = fence + 1, incarnation = 'thief' WHERE run_id = ?", run.id))
      local ends, last = 0, nil
      run:on_end(function() ends = ends + 1 end)
      for event in run:events() do last = event.type end
      local result, err = run:await()
      assert.same({ "lost", "lost", "member_started" }, { err.code, run.status, last })
      curia.task.sleep(1)
      assert.same({ 1, "running", "thief" }, { ends, row_of(run.id).status, row_of(run.id).incarnation })
      assert.is_nil(result)
    end)
  end)

  it("is stamped with its stack and environment; the caller's are stronger than the configured", function()
    helper.virtual(function()
      curia.config { stack = "blue", env = "test" }
      local first = S.start(council(), nil, { run_id = new_id() })
      local second = S.start(council(), nil, { run_id = new_id(), stack = "green", env = curia.null })
      assert(first:await() and second:await())
      curia.config { stack = "", env = "" }
      local third = S.start(council(), nil, { run_id = new_id() })
      assert(third:await())
      assert.same({ "blue", "test" }, { row_of(first.id).source_stack, row_of(first.id).source_env })
      assert.same({ "green" }, { row_of(second.id).source_stack, row_of(second.id).source_env })
      assert.same({}, { row_of(third.id).source_stack, row_of(third.id).source_env })
    end)
  end)

  it("ends with its owner", function()
    helper.virtual(function()
      local id = new_id()
      local owner = curia.task.spawn(function()
        S.start(council(), nil, { run_id = id, owned = true })
        curia.task.sleep(50)
      end)
      owner:await()
      local _, err = curia.find(id):await()
      assert.equal("cancelled", err.kind)
      assert.equal("cancelled", row_of(id).status)
    end)
  end)

  it("that is terminated is revived by nobody", function()
    helper.virtual(function()
      local run = S.start(council(), nil, { run_id = new_id() })
      curia.task.sleep(50)
      run:terminate()
      local _, err = run:await()
      assert.equal("unknown_run", err.kind)
      curia.task.sleep(50)
      assert.equal("terminated", row_of(run.id).status)
      local _, problem = S.resume(store, run.id)
      assert.equal("ended", problem.code)
    end)
  end)

  it("waits for its place in a group before it begins", function()
    helper.virtual(function()
      local group = curia.group("durable-places", { max_runs = 1 })
      local first = S.start(council(), nil, { run_id = new_id(), group = group })
      local second = S.start(council(), nil, { run_id = new_id(), group = group })
      curia.task.sleep(50)
      assert.same({ "running", "pending" }, { first:state().status, second:state().status })
      assert.equal("pending", row_of(second.id).status)
      assert(second:await())

    end)
  end)

  it("starts no runs of its own", function()
    helper.virtual(function()
      local inner = council()
      local outer = council { run = function() return select(2, curia.start(inner, "x")).message end }
      local result = assert(S.start(outer, nil, { run_id = new_id() }):await())
      assert.matches("ctx:run", result.final.content)
    end)
  end)

  it("blocks while it waits for somebody, and nobody owns it then", function()
    helper.virtual(function()
      T.script(function(request)
        local last = request.messages[#request.messages]
        if last.role == "tool" then return last.content end
        return { content = "", tool_calls = { { id = "c1", name = "look", arguments = {} } } }
      end)
      local look = curia.tool "look" { about = "looks", approval = true, run = function() return "seen" end }
      local asks = council { ids = { "a" }, members = { a = { tools = { look } } } }
      local run = S.start(asks, nil, { run_id = new_id() })
      for event in run:events() do
        if event.type == "run_blocked" then break end
      end
      local row = row_of(run.id)
      assert.same({ "blocked" }, { row.status, row.owner })
      local asked = store:query("SELECT path, status, kind FROM {steps} WHERE run_id = ? AND kind = 'approval'", run.id)
      assert.same({ path = "approval/c1", status = "requested", kind = "approval" }, asked[1])
      run:leave_to_others()
      assert(store:execute([[INSERT INTO {steps} (namespace, run_id, path, kind, status, result, attempt, fence, started_at)
        VALUES ('default', ?, 'decision/c1', 'decision', 'started', ?, 1, 1, 0)]], run.id,
        require "curia.sql".bytes '{"approved":true,"call_id":"c1"}'))
      local again = assert(S.resume(store, run.id, { councils = { durable = asks } }))
      assert.equal("seen", again:await().rounds[1].results.a.response.content)
    end)
  end)

  it("that was asked to be cancelled while nobody had it is cancelled by who takes it up", function()
    helper.virtual(function()
      local id = new_id()
      S.die_at(store, 1, true)
      S.start(council(), nil, { run_id = id }):await()
      S.live(store)
      assert(store:execute("UPDATE {runs} SET cancel_requested = 'no more' WHERE run_id = ?", id))
      local _, err = assert(S.resume(store, id)):await()
      assert.same({ "cancelled", "cancelled" }, { err.kind, row_of(id).status })
    end)
  end)
end)

describe("a durable run that waits for somebody, whose process has died", function()
  it("is taken up by a sweep and ends, when it was asked to", function()
    helper.run(function()
      T.script(function() return { content = "", tool_calls = { { id = "c1", name = "look", arguments = {} } } } end)
      local look = curia.tool "look" { about = "looks", approval = true, run = function() return "seen" end }
      local asks = council { ids = { "a" }, members = { a = { tools = { look } } } }
      local run = S.start(asks, nil, { run_id = new_id() })
      for event in run:events() do
        if event.type == "run_blocked" then break end
      end
      local lines = T.logged(function()
        run:leave_to_others()
        assert.equal("lost", select(2, run:await()).code)
      end)
      assert.same({}, lines) -- it is meant to
      assert(curia.find(run.id):cancel "no more")
      assert.equal(1, curia.recovery.sweep { councils = { durable = asks } }.resumed)
      curia.find(run.id):await()
      assert.same({ "cancelled", "no more" }, { row_of(run.id).status, row_of(run.id).cancel_requested })
    end)
  end)
end)

describe("calls of tools with the same id", function()
  before_each(function()
    T.script(function(request)
      local last = request.messages[#request.messages]
      if last.role == "tool" then return last.content end
      return { content = "", tool_calls = { { id = "call_1", name = "look", arguments = {} } } }
    end)
  end)

  local function till(fn)
    while not fn() do task.sleep(5) end
  end

  local function inner(name, done)
    local look = curia.tool "look" { about = "looks", approval = true, run = function()
      done[#done + 1] = name
      return name
    end }
    return T.council { name = name, ids = { "a" }, members = { a = { tools = { look } } } }
  end

  it("are decided about one by one, in whatever council they stand", function()
    helper.virtual(function()
      local done = {}
      local one, two = inner("one", done), inner("two", done)
      local outer = council { run = function(ctx)
        local both = ctx:all { function() return ctx:run(one, "?").final.content end,
          function() return ctx:run(two, "?").final.content end }
        return table.concat(both, " ")
      end }
      local run = S.start(outer, nil, { run_id = new_id() })
      till(function() return run.status == "blocked" and run.waits == 2 end)
      task.sleep(50)
      local row = row_of(run.id)
      assert(requests.decide(store, row, "call_1", true))
      assert(requests.hear(store))
      till(function() return #done > 0 end)
      task.sleep(50)
      assert.equal(1, #done)
      assert(requests.decide(store, row_of(run.id), "call_1.2", true))
      assert(requests.hear(store))
      assert.equal("one two", run:await().final.content)
      assert.equal(2, #done)
    end)
  end)

  it("are told apart also when one comes after the other", function()
    helper.virtual(function()
      local done = {}
      local asks = inner("durable", done)
      local twice = council { name = "twice", run = function(ctx)
        ctx:run(asks, "?")
        return ctx:run(asks, "?").final.content
      end }
      local run, seen = S.start(twice, nil, { run_id = new_id(), subscribe = nil }), {}
      for _ = 1, 2 do
        till(function() return run.status == "blocked" end)
        task.sleep(50)
        local id = #seen == 0 and "call_1" or "call_1.2"
        assert(requests.decide(store, row_of(run.id), id, true))
        assert(requests.hear(store))
        seen[#seen + 1] = id
        till(function() return #done == #seen end)
      end
      assert.equal("durable", run:await().final.content)
    end)
  end)
end)

describe("a durable run that has failed", function()
  local function failing(times)
    local count = 0
    T.script(function(request)
      if request.member == "b" and count < times then
        count = count + 1
        return { error = 400, delay_ms = 50 }
      end
      return { content = request.member, delay_ms = 20 }
    end)
    return function() return count end
  end

  local function reopened(run_id, council_)
    assert(store:execute("UPDATE {runs} SET fence = fence + 1, status = 'running', finalized_at = NULL WHERE run_id = ?",
      run_id))
    local row = row_of(run_id)
    return assert(require "curia.durable.resume".resume(store, row, { councils = { durable = council_ }, reopen = true }))
  end

  local function records_of(run_id)
    local lines = {}
    for i, row in ipairs(store:query("SELECT path, status, finished FROM {steps} WHERE run_id = ? ORDER BY id", run_id)) do
      lines[i] = ("%s %s %s"):format(row.path, row.status, row.finished)
    end
    return table.concat(lines, "\n")
  end

  it("is taken up again: its last errors are tried once more, what was paid for is kept", function()
    helper.virtual(function()
      local id, failures, asked = new_id(), failing(1), 0
      local needs_all = council { rounds = { { type = "independent_analysis", quorum = "all" } } }
      local _, err = S.start(needs_all, nil, { run_id = id }):await()
      assert.same({ "quorum", 1 }, { err.kind, failures() })
      local told = row_of(id).events
      T.script(function(request)
        asked = asked + 1
        return request.member .. " again"
      end)
      local run = reopened(id, needs_all)
      local result = assert(run:await())
      assert.same({ "a", "b again", 1 }, { result.rounds[1].results.a.response.content,
        result.rounds[1].results.b.response.content, asked })
      local events = rows.events(store, "default", id)
      for i, event in ipairs(events) do assert.equal(i, event.seq) end
      assert.equal("run_resumed", events[told + 1].type)
      assert.equal("run_completed", events[#events].type)
      assert.equal("completed", row_of(id).status)
    end)
  end)

  it("keeps its record where another process has it by then", function()
    helper.virtual(function()
      local id, failures = new_id(), failing(1)
      local needs_all = council { rounds = { { type = "independent_analysis", quorum = "all" } } }
      S.start(needs_all, nil, { run_id = id }):await()
      local record = records_of(id)
      local run = reopened(id, needs_all)
      assert(store:execute("UPDATE {runs} SET fence = fence + 1 WHERE run_id = ?", id))
      assert.equal("lost", select(2, run:await()).code)
      assert.same({ record, 1 }, { records_of(id), failures() })
    end)
  end)

  it("ends well in another process still, when the one that has taken it up again dies", function()
    helper.virtual(function()
      local id, failures = new_id(), failing(1)
      local needs_all = council { rounds = { { type = "independent_analysis", quorum = "all" } } }
      S.start(needs_all, nil, { run_id = id }):await()
      S.die_at(store, 3, false) -- one takes the errors back, one begins again
      reopened(id, needs_all):await()
      S.live(store)
      assert.equal("running", row_of(id).status)
      local result = assert(assert(S.resume(store, id, { councils = { durable = needs_all } })):await())
      assert.same({ "ok", 1 }, { result.status, failures() })
      local events = rows.events(store, "default", id)
      for i, event in ipairs(events) do assert.equal(i, event.seq) end
      assert.is_nil(row_of(id).error)
    end)
  end)

  it("is tried as often again as it was at first", function()
    helper.virtual(function()
      local id = new_id()
      local left = 5
      T.script(function()
        left = left - 1
        return left >= 0 and { error = 503 } or "at last"
      end)
      local one = council { ids = { "a" }, members = { a = { retry = { attempts = 3, base_ms = 1 } } } }
      local _, err = S.start(one, nil, { run_id = id }):await()
      assert.equal("overloaded", err.kind)
      local result = assert(reopened(id, one):await())
      assert.same({ "at last", 3 }, { result.rounds[1].results.a.response.content, result.rounds[1].results.a.attempts })
      assert.is_nil(row_of(id).error)
    end)
  end)

  it("keeps the errors on which something was built", function()
    helper.virtual(function()
      local id = new_id()
      local asked = {}
      T.script(function(request)
        asked[#asked + 1] = request.member
        return request.member == "b" and { error = 400 } or "yes"
      end)
      local builds = council { run = function(ctx)
        local first = ctx:ask("b", "one").status
        ctx:ask("a", first)
        error(ctx:ask("b", "two").error, 0)
      end }
      S.start(builds, nil, { run_id = id }):await()
      assert.same({ "b", "a", "b" }, asked)
      reopened(id, builds):await()
      assert.same({ "b", "a", "b", "b" }, asked)
    end)
  end)
end)

describe("a row without anything on record", function()
  it("is a run that has not begun, and begins", function()
    helper.virtual(function()
      local id, unit, asks = new_id(), {}, council()
      rows.insert(store, unit, {
        namespace = "default", run_id = id, council = "durable", status = "pending", durability = "sync", attempt = 1,
        attempts = 1, fence = 1, events = 0, input = { question = "Why?" }, options = {}, seed = 1,
      })
      assert(store:write(unit))
      assert.equal("ok", assert(S.resume(store, id, { councils = { durable = asks } })):await().status)
    end)
  end)
end)

describe("durable runs that begin at the same moment with the same seed", function()
  it("have inner runs of their own", function()
    helper.virtual(function()
      local inner = T.council { name = "inner", ids = { "a" } }
      local outer = council { run = function(ctx) return ctx:run(inner, "?").final.content end }
      local one, other = S.start(outer, nil, { run_id = new_id() }), S.start(outer, nil, { run_id = new_id() })
      assert.same({ "yes", "yes" }, { one:await().final.content, other:await().final.content })
      local found = store:query("SELECT count(*) AS n FROM {runs} WHERE parent_run_id IN (?, ?)", one.id, other.id)
      assert.equal(2, found[1].n)
    end)
  end)
end)

describe("a step's name", function()
  it("may look like the number that another is given", function()
    helper.virtual(function()
      local named = council { run = function(ctx)
        local told = {}
        for i, name in ipairs { "issue#2", "issue", "issue", "issue#2", "issue" } do
          told[i] = ctx:step(name, function() return i end)
        end
        return table.concat(told, " ")
      end }
      assert.equal("1 2 3 4 5", S.start(named, nil, { run_id = new_id() }):await().final.content)
    end)
  end)
end)

describe("a step whose name holds a key", function()
  it("is stored without it, and is found again", function()
    helper.virtual(function()
      redact.add "sk-step-0123456789"
      local done = 0
      local fetches = council { run = function(ctx)
        ctx:step("get https://x/?key=sk-step-0123456789", function() done = done + 1 end)
        return ctx:ask("a", "and then?").response.content
      end }
      local id = new_id()
      S.die_at(store, 2, true)
      S.start(fetches, nil, { run_id = id }):await()
      S.live(store)
      assert.equal("yes", assert(S.resume(store, id, { councils = { durable = fetches } })):await().final.content)
      assert.equal(1, done)
      local found = store:query("SELECT path FROM {steps} WHERE run_id = ? AND kind = 'step'", id)
      assert.same({ { path = "step/get https://x/?key=[secret]" } }, { { path = found[1].path } })
      redact.reset()
    end)
  end)
end)

describe("a run whose store fails while it is written behind", function()
  it("goes on, says so once, and is not told to be recorded", function()
    helper.virtual(function()
      local run = S.start(council { rounds = { "independent_analysis", "critique" } }, nil,
        { run_id = new_id(), durability = "async" })
      local recorded = false
      run:subscribe(function(event) recorded = recorded or event.type == "run_recorded" end)
      function store.submit()
        return { await = function() return nil, { kind = "storage", code = "full", message = "the disk is full" } end }
      end
      local result
      local lines = T.logged(function() result = run:await() end)
      store.submit = nil
      assert.equal("ok", result.status)
      assert.same({ 1, false }, { #lines, recorded })
      assert.matches("is not stored any further: the disk is full", lines[1])
    end)
  end)
end)

describe("a durable run that is let go", function()
  it("has stored that a call waits for somebody, if that came of what was under way", function()
    helper.virtual(function()
      T.script(function(request)
        if request.messages[#request.messages].role == "tool" then return "done" end
        return { content = "", delay_ms = 100, tool_calls = { { id = "c1", name = "look", arguments = {} } } }
      end)
      local look = curia.tool "look" { about = "looks", approval = true, run = function() return "seen" end }
      local asks = council { ids = { "a" }, members = { a = { tools = { look } } } }
      local run = S.start(asks, nil, { run_id = new_id() })
      task.sleep(50)
      curia.recovery.release()
      assert.equal("released", select(2, run:await()).code)
      assert(requests.decide(store, row_of(run.id), "c1", true))
      local again = assert(S.resume(store, run.id, { councils = { durable = asks } }))
      assert.equal("done", again:await().rounds[1].results.a.response.content)
    end)
  end)
end)
