local curia = require "curia"
local errors = require "curia.errors"
local helper = require "spec.helper"
local task = require "curia.task"
local T = require "spec.engine.support"

local function after(ms, text)
  return { content = text or "yes", delay_ms = ms }
end

local failing = { error = { status = 401, message = "no such key" } }
local late_failing = { error = 401, delay_ms = 50 }
local once = { attempts = 1 }

describe("a round", function()
  it("asks its members at the same time", function()
    helper.virtual(function()
      T.script(after(100))
      local ms, result = T.timed(T.ask, {})
      assert.equal(100, ms)
      local round = result.rounds[1]
      assert.same({ "independent_analysis", 1 }, { round.name, round.idx })
      assert.equal(100, round.duration_ms)
      assert.equal("integer", math.type(round.started_at))
      assert.same({ a = "ok", b = "ok", c = "ok" }, T.statuses(result))
    end)
  end)

  it("asks one after another when it says so", function()
    helper.virtual(function()
      T.script(after(100))
      local order = {}
      local mine = { name = "in turn", parallel = false, build = function(_, member)
        order[#order + 1] = member.id
        return "x"
      end }
      local ms = T.timed(T.ask, { rounds = { { type = mine } } })
      assert.equal(300, ms)
      assert.same({ "a", "b", "c" }, order)
    end)
  end)

  it("has a name of its own, and may have some of the members only", function()
    T.script "yes"
    local result = T.ask { rounds = { { type = "independent_analysis", name = "draft", members = { "c", "a" } } } }
    assert.equal("draft", result.rounds[1].name)
    assert.same({ a = "ok", c = "ok" }, T.statuses(result))
    assert.equal("ok", result.status)
  end)
end)

describe("a router", function()
  before_each(function() T.script "yes" end)

  local function routed(router, body)
    body = body or {}
    body.router = router
    return T.ask(body)
  end

  it("chooses the members; the others are skipped, which is no fault", function()
    local result = routed(function(input, ctx)
      assert.equal("Why?", input.question)
      assert.equal("independent_analysis", ctx.round.name)
      return { "c", "a", "c" }
    end)
    assert.same({ a = "ok", b = "skipped", c = "ok" }, T.statuses(result))
    local left_out = result.rounds[1].results.b
    assert.equal("router_excluded", left_out.metadata.reason)
    assert.is_nil(left_out.error)
    assert.equal("ok", result.status)
    assert.is_nil(result.degraded)
  end)

  it("of a round is stronger than the council's, and chooses among the round's members", function()
    local result = routed(function() error "not asked" end, { rounds = {
      { type = "independent_analysis", members = { "a", "b" }, router = function() return "b" end } } })
    assert.same({ a = "skipped", b = "ok" }, T.statuses(result))
  end)

  it("never leaves the chair out", function()
    local result = routed(function() return { "a" } end, { chair = true })
    assert.equal("ok", result.status)
    assert.same({ chair = "ok" }, T.statuses(result, 2))
  end)

  it("may wait", function()
    helper.virtual(function()
      local result = routed(function(_, ctx)
        ctx:sleep(50)
        return { "a" }
      end)
      assert.equal("ok", result.rounds[1].results.a.status)
    end)
  end)

  it("that fails, or names nobody, ends the run with what went wrong", function()
    for _, case in ipairs {
      { function() error "lost" end, "router of round independent_analysis: .*lost" },
      { function() return { "d" } end, "'d' is no member of the round" },
      { function() return 7 end, "it gave no list of ids" },
      { function() return nil, "no idea" end, "no idea" },
    } do
      local result, err = routed(case[1])
      assert.equal("error", result.status)
      assert.equal("script", err.kind)
      assert.matches(case[2], err.message)
      assert.equal("independent_analysis", err.round)
    end
  end)
end)

describe("failure_mode continue", function()
  it("records the failure and goes on", function()
    T.answers { a = failing, b = "yes", c = "no" }
    local result, err = T.ask { chair = true }
    assert.is_nil(err)
    assert.equal("partial", result.status)
    assert.same({ a = "error", b = "ok", c = "ok" }, T.statuses(result))
    assert.equal("auth", result.errors[1].kind)
    assert.equal("no such key", result.errors[1].reason)
    assert.equal("a", result.degraded.missing[1].member)
    assert.equal("independent_analysis", result.degraded.missing[1].round)
    assert.equal("auth", result.degraded.missing[1].kind)
    assert.matches("a did not answer in independent_analysis: auth", result.degraded.reasons[1])
  end)

  it("goes on to the chair when a later round fails for all", function()
    T.script { rules = { { match = { round = "critique" }, answer = failing } }, default = "yes" }
    local result = T.ask { chair = true, rounds = { { type = "independent_analysis" }, { type = "critique" } } }
    assert.equal("partial", result.status)
    assert.equal("yes", result.final.content)
    assert.equal(3, #result.degraded.missing)
  end)

  it("stops where there is nothing to go on with", function()
    T.script { rules = { { match = { member = "chair" }, answer = "invented" } }, default = failing }
    local result, err = T.ask { chair = true }
    assert.equal("error", result.status)
    assert.equal("auth", err.kind)
    assert.equal("a", err.member)
    assert.equal(3, #result.errors)
    assert.equal(1, #result.rounds)
    assert.is_nil(result.final)
  end)

  it("keeps all rounds when the chair fails, and tells the chair's error first", function()
    T.script { rules = { { match = { member = "chair" }, answer = { error = 403 } }, { match = { member = "a" }, answer = failing } },
      default = "yes" }
    local result, err = T.ask { chair = true }
    assert.equal("error", result.status)
    assert.equal("chair", err.member)
    assert.equal(403, err.status)
    assert.equal(2, #result.rounds)
    assert.equal("ok", result.rounds[1].results.b.status)
  end)
end)

describe("failure_mode fail_fast", function()
  local function check_cut(result)
    assert.same({ a = "error", b = "skipped", c = "skipped" }, T.statuses(result))
    for _, id in ipairs { "b", "c" } do
      assert.equal("fail_fast", result.rounds[1].results[id].metadata.reason)
      assert.is_nil(result.rounds[1].results[id].error)
    end
  end

  it("on a run aborts the peers and ends the run as failed", function()
    helper.virtual(function()
      T.answers { a = late_failing, b = after(1000), c = { fault = "hang" }, chair = "no chair" }
      local run = curia.start(T.council { chair = true }, "Why?", { failure_mode = "fail_fast" })
      local ms, result, err = T.timed(run.await, run)
      assert.equal(50, ms)
      check_cut(result)
      assert.equal("error", result.status)
      assert.same({ "auth", "a" }, { err.kind, err.member })
      assert.equal(1, #result.errors)
      assert.equal(1, #result.rounds)
      assert.equal("failed", run:state().status)
    end)
  end)

  it("on a council or in the configuration does the same", function()
    T.answers { a = failing, b = after(50), c = after(50), chair = "no chair" }
    assert.equal("error", T.ask({ chair = true, failure_mode = "fail_fast" }).status)
    curia.config { default_failure_mode = "fail_fast" }
    assert.equal("error", T.ask({ chair = true }).status)
    assert.equal("partial", T.ask({ chair = true, failure_mode = "continue" }).status)
    curia.config { default_failure_mode = "continue" }
  end)

  it("on a round ends only that round", function()
    helper.virtual(function()
      T.answers { a = late_failing, b = after(1000), c = after(10, "quick"), chair = "the end" }
      local result, err = T.ask { chair = true, rounds = { { type = "independent_analysis", failure_mode = "fail_fast" } } }
      assert.is_nil(err)
      assert.same({ a = "error", b = "skipped", c = "ok" }, T.statuses(result))
      assert.equal("partial", result.status)
      assert.equal("the end", result.final.content)
      assert.equal("auth", result.rounds[1].error.kind)
    end)
  end)

  it("on a round that asks in turn leaves the rest unasked", function()
    T.answers { a = failing, b = "yes", c = "yes" }
    local mine = { name = "in turn", parallel = false, build = function() return "x" end }
    local result = T.ask({ rounds = { { type = mine } } }, "Why?", { failure_mode = "fail_fast" })
    check_cut(result)
    assert.equal("error", result.status)
  end)
end)

describe("a quorum", function()
  it("of the majority concludes as long as at most a third of the members fail, whichever and however", function()
    local numbers = require "curia.engine.random".new(9)
    local faults = { { error = { status = 500 } }, { error = { status = 429 } }, { error = { status = 400 } },
      { content = "" }, { content = "late", delay_ms = 60000 }, { fault = "hang" } }
    helper.virtual(function()
      for _ = 1, 300 do
        local ids, answers, count = {}, { chair = "the end" }, numbers:integer(9)
        local left = count // 3
        for i = 1, count do
          ids[i], answers["m" .. i] = "m" .. i, "yes"
          if left > 0 and numbers:number() < 0.5 then
            answers["m" .. i], left = faults[numbers:integer(#faults)], left - 1
          end
        end
        T.answers(answers)
        local result = T.ask({ ids = ids, chair = true, quorum = "majority", grace = "2s" }, "Why?",
          { member_timeout_ms = 30000 })
        assert.equal("the end", result.final and result.final.content)
      end
    end)
  end)

  it("is reached by as many answers, and the grace bounds the wait for the rest", function()
    helper.virtual(function()
      T.answers { a = after(10), b = after(20), c = after(10000), chair = "the end" }
      local ms, result = T.timed(T.ask, { chair = true, quorum = 2, grace = "30ms" })
      assert.equal(50, ms)
      assert.same({ a = "ok", b = "ok", c = "skipped" }, T.statuses(result))
      assert.equal("grace_over", result.rounds[1].results.c.metadata.reason)
      assert.equal("partial", result.status)
      assert.equal("c", result.degraded.missing[1].member)
    end)
  end)

  it("waits for stragglers that come within the grace", function()
    helper.virtual(function()
      T.answers { a = after(10), b = after(20), c = after(40) }
      local ms, result = T.timed(T.ask, { quorum = 2, grace_ms = 30 })
      assert.equal(40, ms)
      assert.equal("ok", result.status)
    end)
  end)

  it("without a grace waits for all", function()
    helper.virtual(function()
      T.answers { a = after(10), b = after(20), c = after(1000) }
      local ms, result = T.timed(T.ask, { quorum = 2 })
      assert.equal(1000, ms)
      assert.equal("ok", result.status)
    end)
  end)

  it("that is missed fails the run, with all rounds kept", function()
    for quorum, needed in pairs { [3] = 3, all = 3, majority = 2 } do
      T.answers { a = failing, b = needed == 2 and failing or "yes", c = "yes", chair = "no chair" }
      local result, err = T.ask { chair = true, quorum = quorum }
      assert.equal("error", result.status)
      assert.equal("quorum", err.kind)
      assert.matches(("%d of the %d answers that it needs"):format(3 - (needed == 2 and 2 or 1), needed), err.message)
      assert.equal("independent_analysis", err.round)
      assert.equal("ok", result.rounds[1].results.c.status)
    end
  end)

  it("of a council asks nothing of the chair, and no more of a round than it has members", function()
    T.script "yes"
    local result = T.ask { chair = true, quorum = 3, rounds = {
      { type = "independent_analysis", members = { "a", "b" } }, { type = "critique" } } }
    assert.equal("ok", result.status)
    result = T.ask({ chair = true }, "Why?", { quorum = "all" })
    assert.equal("ok", result.status)
  end)

  it("of a round is stronger", function()
    T.answers { a = failing, b = "yes", c = "yes" }
    local result = T.ask { quorum = "all", rounds = { { type = "independent_analysis", quorum = 1 } } }
    assert.equal("partial", result.status)
  end)
end)

describe("a round's time", function()
  it("is its wall time: who is not ready gets timeout", function()
    helper.virtual(function()
      T.answers { a = after(10), b = after(1000), c = { fault = "hang" }, chair = "the end" }
      local ms, result = T.timed(T.ask, { chair = true, rounds = { { type = "independent_analysis", timeout = "100ms" } } })
      assert.equal(100, ms)
      assert.same({ a = "ok", b = "timeout", c = "timeout" }, T.statuses(result))
      local err = result.rounds[1].results.b.error
      assert.equal("timeout", err.kind)
      assert.matches("the round's 100 ms are over", err.message)
      assert.equal("partial", result.status)
    end)
  end)

  it("bounds rounds that ask in turn, too", function()
    helper.virtual(function()
      T.script(after(60))
      local mine = { name = "in turn", parallel = false, build = function() return "x" end }
      local ms, result = T.timed(T.ask, { rounds = { { type = mine, timeout = 100 } } })
      assert.equal(100, ms)
      assert.same({ a = "ok", b = "timeout", c = "timeout" }, T.statuses(result))
      assert.equal(0, result.rounds[1].results.c.attempts)
    end)
  end)

  it("bounds rounds with a run of their own; what was answered is kept", function()
    helper.virtual(function()
      T.answers { a = after(10), b = after(1000), chair = "the end" }
      local mine = { name = "own", run = function(ctx)
        ctx:ask("a", "x")
        ctx:ask("b", "x")
      end }
      local ms, result = T.timed(T.ask, { chair = true, rounds = { { type = mine, timeout = 100 } } })
      assert.equal(100, ms)
      assert.same({ a = "ok", b = "timeout" }, T.statuses(result))
      assert.equal("timeout", result.rounds[1].error.kind)
      assert.equal("partial", result.status)
      assert.equal("the end", result.final.content)
    end)
  end)

  it("is known to retries: no wait goes beyond it", function()
    helper.virtual(function()
      T.answers { a = { { error = { status = 429, retry_after_ms = 5000 } }, "late" } }
      local ms, result = T.timed(T.ask, { ids = { "a" }, rounds = { { type = "independent_analysis", timeout = 1000 } } })
      assert.equal(0, ms)
      assert.equal("rate_limited", result.rounds[1].results.a.error.kind)
    end)
  end)
end)

describe("a member's deadline", function()
  it("bounds its whole turn, retries included", function()
    helper.virtual(function()
      T.answers { a = { error = 500, delay_ms = 80 }, b = after(50), c = after(1000) }
      local ms, result = T.timed(T.ask, { members = { a = { retry = { attempts = 100, base_ms = 1 } } } }, "Why?",
        { member_timeout = "100ms" })
      assert.equal(100, ms)
      assert.equal("ok", result.rounds[1].results.b.status)
      assert.same({ "timeout", "deadline" }, { result.rounds[1].results.c.status, result.rounds[1].results.c.error.kind })
      assert.is_true(result.rounds[1].results.a.attempts >= 1)
    end)
  end)

  it("of its own is stronger than the run's, the council's, the configuration's", function()
    helper.virtual(function()
      T.script(after(1000))
      local function took(body, opts)
        return (T.timed(T.ask, body, "Why?", opts))
      end
      local own = { a = { deadline_ms = 40 } }
      assert.equal(40, took({ ids = { "a" }, members = own, member_timeout_ms = 60 }, { member_timeout_ms = 50 }))
      assert.equal(50, took({ ids = { "a" }, member_timeout_ms = 60 }, { member_timeout_ms = 50 }))
      assert.equal(60, took({ ids = { "a" }, member_timeout_ms = 60 }))
      curia.config { default_member_timeout_ms = 70 }
      assert.equal(70, took({ ids = { "a" } }))
      curia.config { default_member_timeout_ms = 1e9 }
    end)
  end)
end)

describe("a round of one's own", function()
  before_each(function() T.script "forty-two" end)

  it("builds, parses and decides", function()
    local mine = {
      name = "count",
      build = function(ctx, member) return { { role = "user", content = member.id .. ctx.input.question } } end,
      parse = function(_, member, response) return { length = #response.content, by = member.id } end,
      aggregate = function(ctx, results)
        local sum = 0
        for _, member in ipairs(ctx.members) do sum = sum + results[member.id].response.parsed.length end
        return { winner = "b", ranking = { "b" }, scores = { b = sum }, ballots_used = {} }
      end,
    }
    local result = T.ask { rounds = { { type = "independent_analysis" }, { type = mine } } }
    assert.same({ length = 9, by = "a" }, result.rounds[2].results.a.response.parsed)
    assert.equal(27, result.decision.scores.b)
    assert.equal(result.decision, result.rounds[2].decision)
    assert.equal(result.rounds[1].results.b.response, result.final)
  end)

  it("may be registered, and take options of its own", function()
    local seen
    curia.register("round", "spec_round", { name = "spec_round", options = { depth = { type = "integer", min = 1 } },
      build = function(ctx)
        seen = ctx.opts.depth
        return "x"
      end })
    assert.equal("ok", T.ask({ rounds = { { type = "spec_round", depth = 3 } } }).status)
    assert.equal(3, seen)
    assert.equal("invalid_council", select(2, T.ask { rounds = { { type = "spec_round", depth = 0 } } }).kind)
    curia.unregister("round", "spec_round")
  end)

  it("sees the rounds that have ended, not itself", function()
    local counts = {}
    local mine = { name = "mine", build = function(ctx)
      counts[#counts + 1] = #ctx.rounds
      return "x"
    end }
    T.ask { ids = { "a" }, rounds = { { type = mine }, { type = mine }, { type = mine } } }
    assert.same({ 0, 1, 2 }, counts)
  end)

  it("may say who speaks with whom, one group after the other", function()
    helper.virtual(function()
      T.script(after(100))
      local mine = { name = "mine", build = function(ctx) return tostring(ctx.result.results.c ~= nil) end,
        groups = function(_, members) return { { members[3] }, { members[1], members[2] } } end }
      local ms, result = T.timed(T.ask, { rounds = { { type = mine } } })
      assert.equal(200, ms)
      assert.same({ a = "ok", b = "ok", c = "ok" }, T.statuses(result))
      ms, result = T.timed(T.ask, { rounds = { { type = mine, timeout = "50ms" } } })
      assert.equal(50, ms)
      assert.same({ a = "timeout", b = "timeout", c = "timeout" }, T.statuses(result))
    end)
    local mine = { name = "mine", build = function() return "x" end, groups = function() error("broken on purpose", 0) end }
    local _, err = T.ask { rounds = { { type = mine } } }
    assert.equal("script", err.kind)
  end)

  it("orchestrates itself with run", function()
    local mine = { name = "own", run = function(ctx)
      local first = ctx:ask("a", "one")
      local second = ctx:ask("b", first.response.content)
      ctx:log("info", "asked two")
      return { winner = "b", ranking = { "b", "a" }, scores = {}, ballots_used = {}, rationale = second.status }
    end }
    local events, run = T.events(T.council { rounds = { { type = mine } } })
    local result = run:result()
    assert.equal("ok", result.decision.rationale)
    assert.same({ a = "ok", b = "ok" }, T.statuses(result))
    assert.same({ "run_started", "round_started", "member_started:a", "member_completed:a", "member_started:b",
      "member_completed:b", "log", "round_completed", "run_completed" }, T.names(events))
  end)

  it("decides by its aggregate where run gives no decision, also when its time is over", function()
    helper.virtual(function()
      T.answers { a = { content = "x", delay_ms = 10 }, b = { content = "x", delay_ms = 1000 }, chair = "the end" }
      local mine = { name = "own", run = function(ctx)
        ctx:ask("a", "x")
        ctx:ask("b", "x")
      end, aggregate = function(_, results) return { winner = results.a.status } end }
      local result = T.ask { chair = true, rounds = { { type = mine, timeout = 100 } } }
      assert.same({ "ok", "timeout" }, { result.rounds[1].decision.winner, result.rounds[1].error.kind })
      mine.aggregate = function() error "broken" end
      assert.equal("script", T.ask({ rounds = { { type = mine } } }).errors[1].kind)
    end)
  end)

  it("keeps to its quorum, whoever asks", function()
    T.answers { a = "x", b = { error = 401 }, c = { error = 401 } }
    local mine = { name = "own", run = function(ctx)
      for _, member in ipairs(ctx:participants()) do ctx:ask(member) end
    end }
    local result = T.ask { rounds = { { type = mine, quorum = "majority" } } }
    assert.same({ "error", "quorum" }, { result.status, result.errors[1].kind })
    assert.equal("partial", T.ask({ rounds = { { type = mine, quorum = 1 } } }).status)
  end)

  it("may conclude the run", function()
    local mine = { name = "own", run = function(ctx) ctx:conclude(ctx:ask("a", "one")) end }
    local result = T.ask { chair = true, rounds = { { type = mine }, { type = "independent_analysis" } } }
    assert.equal("forty-two", result.final.content)
    assert.equal("ok", result.status)
    assert.equal(1, #result.rounds)
  end)

  it("whose functions fail is reported with place and traceback", function()
    local function broken() error "broken" end
    local function build() return "x" end
    local result, err = T.ask { rounds = { { type = { name = "mine", build = broken } } } }
    assert.equal("error", result.status)
    assert.same({ "script", "a", "mine" }, { err.kind, err.member, err.round })
    assert.matches("round_spec.lua:%d+: broken", err.message)
    assert.matches("round_spec.lua", err.traceback)

    result, err = T.ask { rounds = { { type = { name = "mine", build = build, parse = broken } } } }
    assert.same({ "error", "script", "a" }, { result.status, err.kind, err.member })
    assert.matches("parse of round mine: .*broken", err.message)
    assert.equal("forty-two", result.rounds[1].results.a.response.content)

    result, err = T.ask { rounds = { { type = { name = "mine", build = build, aggregate = broken } } } }
    assert.same({ "error", "script", nil }, { result.status, err.kind, err.member })
    assert.matches("aggregate of round mine: .*broken", err.message)
    assert.equal("ok", result.rounds[1].results.a.status)

    result, err = T.ask { rounds = { { type = { name = "mine", run = broken } } } }
    assert.same({ "error", "script", "mine" }, { result.status, err.kind, err.round })
    assert.matches("round_spec.lua", err.traceback)
  end)

  it("may give errors as values, typed or as texts", function()
    local function round_with(fields)
      fields.name = "mine"
      return { ids = { "a" }, rounds = { { type = fields } } }
    end
    local function give(value) return function() return nil, value end end
    local typed = errors.new("validation", "typed")
    local function build() return "x" end
    assert.equal("script", select(2, T.ask(round_with { build = give "why" })).kind)
    assert.equal(typed, select(2, T.ask(round_with { build = give(typed) })))
    assert.equal("invalid_output", select(2, T.ask(round_with { build = build, parse = give "unreadable" })).kind)
    local result = T.ask(round_with { build = build, parse = give "unreadable" })
    assert.equal("invalid_output", result.rounds[1].results.a.status)
    assert.equal("why", select(2, T.ask(round_with { run = give "why" })).message:match "why")
    assert.matches("gave no messages", select(2, T.ask(round_with { build = function() end })).message)
  end)

  it("of the chair needs a chair", function()
    local result, err = T.ask { rounds = { { type = "independent_analysis" }, { type = "synthesis" } } }
    if result then
      assert.equal("error", result.status)
      assert.matches("the council has none", err.message)
    else
      assert.equal("invalid_council", err.kind)
    end
  end)
end)

describe("cutting a round short", function()
  it("keeps the value of a member that ends all the same", function()
    helper.virtual(function()
      T.script "yes"
      local result = T.ask { ids = { "a", "b" }, members = { b = { run = function(ctx)
        pcall(ctx.sleep, ctx, 1000)
        return "saved"
      end } }, rounds = { { type = "independent_analysis", timeout = 50 } } }
      assert.equal("saved", result.rounds[1].results.b.response.content)
    end)
  end)

  it("reaches members in plain Lua", function()
    helper.virtual(function()
      T.script "yes"
      local ms, result = T.timed(T.ask, { ids = { "a", "b" }, members = { b = { run = function(ctx) ctx:sleep(1000) end } },
        rounds = { { type = "independent_analysis", timeout = 50 } } })
      assert.equal(50, ms)
      assert.same({ a = "ok", b = "timeout" }, T.statuses(result))
    end)
  end)

  it("leaves no task behind", function()
    helper.virtual(function()
      T.script { fault = "hang" }
      local before = task.count()
      T.ask({ retry = once }, "Why?", { deadline_ms = 10 })
      assert.equal(before, task.count())
    end)
  end)
end)
