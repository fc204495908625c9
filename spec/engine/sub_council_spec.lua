local T = require "spec.engine.support"
local curia = require "curia"
local helper = require "spec.helper"
local task = require "curia.task"

local function inner(body)
  body = body or {}
  body.name, body.ids = body.name or "inner", body.ids or { "x", "y" }
  if body.chair == nil then body.chair = true end
  return T.council(body)
end

local function outer(council, more)
  local body = { ids = { "a", "team" }, members = { team = { council = council } } }
  for name, value in pairs(more or {}) do body[name] = value end
  local made = T.council(body)
  return made
end

local function answers(more)
  local all = { a = "A's view", x = "X's view", y = "Y's view", chair = "the team's view" }
  for name, value in pairs(more or {}) do all[name] = value end
  T.answers(all)
end

local function run(council, input, opts)
  return helper.virtual(function() return curia.run(council, input or "Why?", opts) end)
end

describe("a member that is a council", function()
  it("answers with its council's final answer, and tells of the run inside", function()
    answers()
    local result = run(outer(inner()))
    local team = result.rounds[1].results.team
    assert.same({ "ok", "ok", "the team's view" }, { result.status, team.status, team.response.content })
    assert.equal(1, team.attempts)
    assert.equal("council/inner", team.model)
    assert.equal(team.metadata.sub_run_id, team.metadata.sub_result.run_id)
    assert.equal("X's view", team.metadata.sub_result.rounds[1].results.x.response.content)
    assert.equal(team.metadata.sub_run_id, curia.find(team.metadata.sub_run_id).id)
  end)

  it("is found by name, and keeps the member's own metadata", function()
    answers()
    curia.register("sub_council", "spec_inner", inner())
    local result = run(outer("spec_inner", { members = { team = { council = "spec_inner", metadata = { k = 1 } } } }))
    curia.unregister("sub_council", "spec_inner")
    assert.equal("the team's view", result.rounds[1].results.team.response.content)
    assert.equal(1, result.rounds[1].results.team.metadata.k)
  end)

  it("asks in the outer run's input, through its mapper", function()
    local seen = {}
    local council = T.council { name = "inner", ids = { "x" }, members = { x = {
      run = function(_, input)
        seen[#seen + 1] = input
        return "ok"
      end,
    } } }
    T.answers { a = "A" }
    run(outer(council), { question = "Q", depth = 2 })
    run(T.council { ids = { "team" }, members = { team = { council = council,
      input_mapper = function(input) return { question = input.question .. "?", only = true } end } } }, "Q")
    assert.same({ { question = "Q", depth = 2 }, { question = "Q?", only = true } }, seen)
  end)

  it("reviews as any member does: the round's prompt is its question", function()
    local seen
    local council = T.council { name = "inner", ids = { "x" }, members = { x = {
      run = function(_, input)
        seen = input.question
        return "a review"
      end,
    } } }
    T.answers { a = "A's own view" }
    local result = run(outer(council, { rounds = { { type = "independent_analysis", members = { "a" } },
      { type = "peer_review", members = { "team" } } } }))
    assert.equal("a review", result.rounds[2].results.team.response.content)
    assert.matches("A's own view", seen, 1, true)
  end)

  it("counts what the inner run used as the outer run's", function()
    T.script { rules = { { match = { member = "a" }, answer = { content = "A", usage = { input_tokens = 1, output_tokens = 2 } } },
    }, default = { content = "inner", usage = { input_tokens = 10, output_tokens = 20 } } }
    local result = run(outer(inner()))
    assert.same({ input_tokens = 31, output_tokens = 62 }, result.usage)
    assert.same({ input_tokens = 30, output_tokens = 60 }, result.rounds[1].results.team.response.usage)
  end)

  it("spends from the outer run's budget, and from its own", function()
    answers()
    local result = run(outer(inner()), "Why?", { budget = { calls = 2 } })
    assert.same({ "error", "budget" }, { result.status, result.errors[1].kind })
    assert.equal("A's view", result.rounds[1].results.a.response.content)
    assert.equal("ok", run(outer(inner()), "Why?", { budget = { calls = 4 } }).status)
    local tight = run(outer(inner { budget = { calls = 2 } }))
    assert.same({ "partial", "budget" }, { tight.status, tight.rounds[1].results.team.error.kind })
  end)

  it("stops the outer run's clock while a call inside waits for approval", function()
    T.script(function(request)
      if request.messages[#request.messages].role == "tool" then return "done" end
      return request.tools and { tool_calls = { { id = "call", name = "rm", arguments = {} } } } or "A's view"
    end)
    local rm = curia.tool "rm" { approval = true, run = function() return "gone" end }
    local council = inner { ids = { "x" }, members = { x = { tools = { rm } } } }
    helper.virtual(function()
      local run_ = curia.start(outer(council, { ids = { "team" }, members = { team = { council = council,
        deadline_ms = 1000 } } }), "Why?")
      local nested
      for event in run_:events { sub_runs = true } do
        if event.type == "run_blocked" and event.call then
          nested = event.run_id
          break
        end
      end
      task.sleep(60000)
      assert.same({ "blocked", "blocked" }, { run_:state().status, curia.state(nested).status })
      assert.is_true(curia.approve(nested, "call", true))
      local result = run_:await()
      assert.same({ "ok", "A's view" }, { result.status, result.final.content })
    end)
  end)

  it("is partial outside when it is partial inside, and fails with what failed inside", function()
    answers { x = { error = { status = 401, message = "No." } } }
    assert.equal("ok", run(outer(inner())).rounds[1].results.team.status)
    answers { x = { error = { status = 401, message = "No." } }, y = { error = { status = 401, message = "No." } } }
    local result = run(outer(inner()))
    local team = result.rounds[1].results.team
    assert.same({ "partial", "error", "auth", "team", "No." },
      { result.status, team.status, team.error.kind, team.error.member, team.error.reason })
    assert.equal("error", team.metadata.sub_result.status)
  end)

  it("ends with the outer run, however that ends", function()
    answers { x = { content = "late", delay_ms = 60000 } }
    local function start() return curia.start(outer(inner()), "Why?") end
    local function sub_run(outer_run)
      for _, state in ipairs(curia.list { status = "running" }) do
        if state.run_id ~= outer_run.id and state.council == "inner" then return curia.find(state.run_id) end
      end
    end
    helper.virtual(function()
      local cancelled, terminated = start(), start()
      task.sleep(10)
      cancelled:cancel()
      local nested = sub_run(cancelled)
      cancelled:await()
      assert.equal("cancelled", cancelled:state().status)
      task.sleep(10)
      nested = sub_run(terminated) or nested
      terminated:terminate()
      task.sleep(10)
      assert.equal("terminated", nested.status)
      assert.equal(0, #curia.list { status = "running" })
    end)
  end)

  it("stops at the member's deadline", function()
    answers { x = { content = "late", delay_ms = 60000 } }
    local result = run(outer(inner(), { members = { team = { council = inner(), deadline_ms = 500 } } }))
    assert.same({ a = "ok", team = "timeout" }, T.statuses(result))
  end)

  it("relays its events to those who ask for them", function()
    answers()
    helper.virtual(function()
      local run_ = curia.start(outer(inner()), "Why?")
      local own, inside, seqs = 0, {}, {}
      for event in run_:events { sub_runs = true, tokens = false } do
        if event.run_id == run_.id then own = own + 1
        else
          inside[#inside + 1] = event.type
          seqs[#seqs + 1] = event.seq
          assert.equal(run_.id, event.parent_run_id)
          if event.type == "run_started" then assert.equal("team", event.parent_member) end
        end
      end
      assert.equal(run_.log.count, own)
      assert.equal("run_started", inside[1])
      assert.equal("run_completed", inside[#inside])
      for i, seq in ipairs(seqs) do assert.equal(i, seq) end
    end)
  end)

  it("streams its words to those who watch them", function()
    answers()
    local made = T.council { name = "inner", ids = { "x" }, members = { x = { stream = true } } }
    helper.virtual(function()
      local run_ = curia.start(outer(made), "Why?")
      local text = ""
      for event in run_:events { sub_runs = true } do
        if event.type == "member_token" and event.member == "x" then text = text .. event.text end
      end
      assert.equal("X's view", text)
    end)
  end)

  it("tells what its members are asked to those who watch requests", function()
    answers()
    local made = T.council { name = "inner", ids = { "x" } }
    helper.virtual(function()
      for requests, expected in pairs { [true] = { "a", "x" }, [false] = {} } do
        local asked = {}
        for event in curia.start(outer(made), "Why?"):events { sub_runs = true, requests = requests } do
          if event.type == "member_request" then asked[#asked + 1] = event.member end
        end
        table.sort(asked)
        assert.same(expected, asked)
      end
    end)
  end)

  it("stands at most eight deep in councils", function()
    local council = T.council { name = "deepest", ids = { "x" } }
    T.answers { x = "deep" }
    for i = 1, 7 do council = T.council { name = "level" .. i, ids = { "m" }, members = { m = { council = council } } } end
    assert.equal("deep", run(council).final.content)
    local loop
    loop = T.council { name = "loop", run = function(ctx) return ctx:run(loop) end, ids = {} }
    local result, err = run(loop)
    assert.equal("error", result.status)
    assert.matches("deeper than 8", tostring(err), 1, true)
  end)
end)

describe("ctx:run", function()
  it("runs a council inside of the run and gives its result", function()
    answers()
    local free = T.council { name = "free", ids = {}, run = function(ctx)
      local result, err = ctx:run(inner())
      assert(not err)
      ctx:conclude(result.final)
    end }
    assert.equal("the team's view", run(free).final.content)
  end)

  it("gives the error beside the result", function()
    answers { x = { error = 401 }, y = { error = 401 } }
    local kind, status
    run(T.council { name = "free", ids = {}, run = function(ctx)
      local result, err = ctx:run(inner())
      kind, status = err.kind, result.status
      return "went on"
    end })
    assert.same({ "auth", "error" }, { kind, status })
  end)
end)
