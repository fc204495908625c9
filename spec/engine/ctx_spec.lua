local errors = require "curia.errors"
local helper = require "spec.helper"
local json = require "curia.json"
local T = require "spec.engine.support"

-- Runs a function as a council and gives its result and error.
local function free(fn, body, opts)
  body = body or {}
  body.run = fn
  return T.ask(body, "Why?", opts)
end

describe("ctx", function()
  before_each(function() T.script "yes" end)

  it("tells about the run", function()
    local seen
    local result = free(function(ctx, input)
      seen = { ctx.council, ctx.input == input, ctx.run_id, ctx.metadata.team, #ctx.members, ctx.members[1].id, #ctx.rounds,
        ctx.deadline }
      return "x"
    end, { metadata = { team = "red" } })
    assert.same({ "spec", true, result.run_id, "red", 3, "a", 0, nil }, seen)
  end)

  it("gives time, numbers, ids", function()
    free(function(ctx)
      assert.equal("integer", math.type(ctx:now()))
      assert.is_true(ctx:now() > 1.6e12)
      local number = ctx:random()
      assert.is_true(number >= 0 and number < 1)
      assert.matches("^%x+%-%x+%-7", ctx:uuid())
      return "x"
    end)
  end)

  it("sleeps", function()
    helper.virtual(function()
      local ms = T.timed(free, function(ctx)
        ctx:sleep(250)
        return "x"
      end)
      assert.equal(250, ms)
    end)
  end)

  it("logs into the events", function()
    local events = T.events(T.council { run = function(ctx)
      ctx:log("warn", "careful")
      return "x"
    end })
    assert.same({ "log", "warn", "careful" }, { events[2].type, events[2].level, events[2].text })
    local _, err = free(function(ctx) ctx:log("loud", "x") end)
    assert.matches("debug, info, warn or error expected", err.message)
  end)

  it("does steps, whose values are JSON values", function()
    local result, err = free(function(ctx)
      return ctx:step("sum", function() return { total = 1 + 2 } end).total .. tostring(ctx:step("none", function() end))
    end)
    assert.is_nil(err)
    assert.equal("3nil", result.final.content)
    err = select(2, free(function(ctx) ctx:step("bad", function() return print end) end))
    assert.matches("step 'bad' gave what is no JSON value", err.message)
    err = select(2, free(function(ctx) ctx:step(print) end))
    assert.matches("a name expected", err.message)
  end)

  it("decides", function()
    local result = free(function(ctx)
      return ctx:decide("peer_ranking", { { voter = "a", ordering = { "x", "y" } } }).winner
    end)
    assert.equal("x", result.final.content)
  end)

  it("breaks ties at random with the run's dice", function()
    local function winners(seed)
      local made = {}
      free(function(ctx)
        for i = 1, 20 do
          made[i] = ctx:decide("plurality", { { choice = "x" }, { choice = "y" } }, { tie_break = "random" }).winner
        end
        return "x"
      end, nil, { seed = seed })
      return table.concat(made)
    end
    assert.equal(winners(1), winners(1))
    assert.not_equal(winners(1), winners(2))
  end)
end)

describe("ctx:ask", function()
  it("gives a member result; a provider's failure is a result too", function()
    T.answers { a = "yes", b = { error = 401 } }
    local good, bad
    local result, err = free(function(ctx)
      good, bad = ctx:ask("a", "one?"), ctx:ask("b", "two?")
      return "done"
    end)
    assert.is_nil(err)
    assert.same({ "ok", "a", "yes" }, { good.status, good.member, good.response.content })
    assert.same({ "error", "auth" }, { bad.status, bad.error.kind })
    assert.equal("partial", result.status)
    assert.equal("done", result.final.content)
  end)

  it("sends a text, a table, messages, or the question", function()
    local heard
    T.script(function(request)
      heard = {}
      for i, message in ipairs(request.messages) do heard[i] = message.role .. ":" .. message.content end
      return "yes"
    end)
    local function sent(input, fields)
      free(function(ctx)
        ctx:ask("a", input)
        return "x"
      end, { members = { a = fields } })
      return heard
    end
    assert.same({ "user:one?" }, sent "one?")
    assert.same({ "user:Why?" }, sent(nil))
    assert.same({ "user:in my words: Why?" }, sent(nil, { prompt = "in my words: {question}" }))
    assert.same({ "system:s", "user:one?" }, sent("one?", { system = "s" }))
    assert.same({ 'user:[\n  1,\n  2\n]' }, sent { 1, 2 })
    assert.same({ "system:mine", "user:u", "assistant:v", "user:w" }, sent({
      { role = "system", content = "mine" }, { role = "user", content = "u" }, { role = "assistant", content = "v" },
      { role = "user", content = "w" } }, { system = "s" }))
    assert.same({ "user:ONE?" }, sent("one?", { transform = function(input) return { question = input.question:upper() } end }))
  end)

  it("gives members in plain Lua what it was given", function()
    local result = free(function(ctx) return ctx:ask("a", "one?") end, { members = {
      a = { run = function(_, input) return "heard " .. input.question end } } })
    assert.equal("heard one?", result.final.content)
  end)

  it("by members that ask others, which ask others, comes to an end", function()
    local function echo(ctx) return ctx:ask("a", "x") end
    local result, err = free(function(ctx) return ctx:ask("a", "x") end, { members = { a = { run = function(ctx)
      local inner = ctx:ask("a", "x")
      if inner.error then error(inner.error, 0) end
      return inner.response.content
    end } } })
    assert.equal("error", result.status)
    assert.matches("asks stand deeper than 8 in asks", err.message)
    result = free(echo, { members = { a = { run = function(ctx) return ctx:ask("b", "y").response.content end } } })
    assert.equal("yes", result.final.content)
  end)

  it("takes a member of ctx.members, and the chair", function()
    T.answers { a = "from a", chair = "from the chair" }
    local result = free(function(ctx) return ctx:ask(ctx.members[1]).response.content .. ctx:ask("chair", "x").response.content end,
      { chair = true })
    assert.equal("from afrom the chair", result.final.content)
  end)

  it("names the nearest member for a wrong one", function()
    T.script "yes"
    local result, err = free(function(ctx) ctx:ask("skeptc", "x") end, { ids = { "skeptic" } })
    assert.equal("error", result.status)
    assert.equal("script", err.kind)
    assert.matches("ctx_spec.lua:%d+: ask: no member 'skeptc'; did you mean 'skeptic'", err.message)
    assert.matches("traceback", err.traceback)
    err = select(2, free(function(ctx) ctx:ask({ id = "a" }, "x") end))
    assert.matches("no member", err.message)
  end)

  it("has options: a policy for retries, a deadline, a parser; unknown ones are named", function()
    helper.virtual(function()
      T.script { { error = 503 }, "yes" }
      local function ask(opts, fields)
        local got
        local result, err = free(function(ctx)
          got = ctx:ask("a", "x", opts)
          return "x"
        end, { members = { a = fields } })
        return got, err, result
      end
      assert.equal(1, ask({ retry = { attempts = 1 } }, { retry = { attempts = 5 } }).attempts)
      T.script { content = "slow", delay_ms = 1000 }
      assert.same({ "timeout", "deadline" }, { ask({ deadline = "50ms" }).status, ask({ deadline_ms = 50 }).error.kind })
      T.script "7"
      assert.equal(7, ask({ parse = function(_, _, response) return tonumber(response.content) end }).response.parsed)
      local _, err = ask { rond = "x" }
      assert.matches("ask: unknown field 'rond'; did you mean 'round'", err.message)
      _, err = ask { retry = { attemps = 3 } }
      assert.matches("did you mean 'attempts'", err.message)
    end)
  end)
end)

describe("the rounds of a free run", function()
  before_each(function() T.script "yes" end)

  -- "name:member,member" of each round of a result.
  local function rounds_of(result)
    local texts = {}
    for i, round in ipairs(result.rounds) do
      local ids = {}
      for id in pairs(round.results) do ids[#ids + 1] = id end
      table.sort(ids)
      assert.equal(i, round.idx)
      assert.is_number(round.duration_ms)
      texts[i] = round.name .. ":" .. table.concat(ids, ",")
    end
    return texts
  end

  it("are named by labels, in the order of asking", function()
    local events, run = T.events(T.council { run = function(ctx)
      ctx:ask("a", "x", { round = "draft" })
      ctx:ask("b", "x", { round = "draft" })
      ctx:ask("a", "x", { round = "review" })
      ctx:ask("c", "x")
      return "done"
    end })
    assert.same({ "draft:a,b", "review:a", "run:c" }, rounds_of(run:result()))
    assert.same({ "run_started", "round_started", "member_started:a", "member_completed:a", "member_started:b",
      "member_completed:b", "round_completed", "round_started", "member_started:a", "member_completed:a", "round_completed",
      "round_started", "member_started:c", "member_completed:c", "round_completed", "run_completed" }, T.names(events))
  end)

  it("hold one answer of each member: nothing is lost when a member is asked again", function()
    local result = free(function(ctx)
      for _ = 1, 3 do
        ctx:ask("a", "x")
        ctx:ask("b", "x")
      end
      return "done"
    end)
    assert.same({ "run:a,b", "run:a,b", "run:a,b" }, rounds_of(result))
  end)

  it("hold all answers also when one member is asked several times at once", function()
    helper.virtual(function()
      local count = 0
      T.script(function()
        count = count + 1
        return { content = "answer " .. count, delay_ms = 100 - count }
      end)
      local texts
      local result = free(function(ctx)
        local function ask() return ctx:ask("a", "x").response.content end
        texts = ctx:all { ask, ask, ask }
        return "done"
      end)
      assert.same({ "answer 1", "answer 2", "answer 3" }, texts)
      assert.same({ "run:a", "run:a", "run:a" }, rounds_of(result))
      assert.equal("answer 2", result.rounds[2].results.a.response.content)
    end)
  end)

  it("may overlap under different labels, and each ends once", function()
    helper.virtual(function()
      T.script { content = "yes", delay_ms = 10 }
      local events, run = T.events(T.council { run = function(ctx)
        ctx:all {
          function() ctx:ask("a", "x", { round = "one" }) ctx:ask("a", "x", { round = "two" }) end,
          function() ctx:sleep(5) ctx:ask("b", "x", { round = "one" }) ctx:ask("b", "x", { round = "two" }) end,
        }
        return "done"
      end })
      assert.same({ "one:a,b", "two:a,b" }, rounds_of(run:result()))
      assert.equal(2, #T.of_type(events, "round_started"))
      local completed = T.of_type(events, "round_completed")
      assert.same({ 1, 2 }, { completed[1].idx, completed[2].idx })
      assert.equal(2, run:state().rounds_completed)
    end)
  end)

  it("stand beside those that ctx:round runs, which see them", function()
    T.script(function(request) return request.messages[#request.messages].content end)
    local result, err = free(function(ctx)
      ctx:ask("a", "a's word")
      ctx:ask("b", "b's word")
      local review = ctx:round("critique", { members = { "c" } })
      return review.results.c.response.content
    end)
    assert.is_nil(err)
    assert.same({ "run:a,b", "critique:c" }, rounds_of(result))
    assert.matches("a's word", result.final.content)
    assert.matches("b's word", result.final.content)
  end)
end)

describe("ctx:round", function()
  before_each(function() T.script "yes" end)

  it("runs a round and gives its result", function()
    local seen
    local result = free(function(ctx)
      local first, err = ctx:round("independent_analysis", { name = "draft", members = { "a", "b" }, timeout = "5s" })
      assert.is_nil(err)
      seen = { first.name, #ctx.rounds, ctx.rounds[1] == first }
      return "done"
    end)
    assert.same({ "draft", 1, true }, seen)
    assert.same({ a = "ok", b = "ok" }, T.statuses(result))
  end)

  it("gives the error of a round that failed beside its result, and the script decides", function()
    T.answers { a = { error = 401 }, b = "yes" }
    local result, err = free(function(ctx)
      local round, why = ctx:round("independent_analysis", { quorum = "all" })
      assert.equal("quorum", why.kind)
      return round.results.b
    end)
    assert.is_nil(err)
    assert.equal("partial", result.status)
    assert.equal("yes", result.final.content)
  end)

  it("takes a round of one's own", function()
    local result = free(function(ctx)
      local round = ctx:round { name = "mine", build = function() return "x" end,
        aggregate = function() return { winner = "b", ranking = { "b" }, scores = {}, ballots_used = {} } end }
      return round.decision.winner
    end)
    assert.equal("b", result.final.content)
  end)

  it("checks type and options as councils do", function()
    for _, case in ipairs {
      { "critiqe", nil, "unknown round 'critiqe'; did you mean 'critique'", "unknown_round" },
      { "critique", { timout = "5s" }, "did you mean 'timeout'", "unknown_field" },
      { "critique", { timeout = "soon" }, "timeout", "wrong_type" },
      { "critique", { members = { "d" } }, "no member has the id 'd'", "unknown_member" },
    } do
      local _, err = free(function(ctx) ctx:round(case[1], case[2]) end)
      assert.equal("validation", err.kind)
      assert.matches(case[3], err.message)
      assert.equal(case[4], err.code)
      assert.matches("ctx_spec.lua", err.traceback)
    end
  end)
end)

describe("ctx:all and ctx:first", function()
  it("do things at the same time", function()
    helper.virtual(function()
      local ms, result = T.timed(free, function(ctx)
        local values = ctx:all {
          function() ctx:sleep(100) return "slow" end,
          function() ctx:sleep(50) return "quick" end,
        }
        return table.concat(values, " ")
      end)
      assert.equal(100, ms)
      assert.equal("slow quick", result.final.content)
    end)
  end)

  it("all raises what failed once all have ended", function()
    helper.virtual(function()
      local ended = false
      local result, err = free(function(ctx)
        ctx:all { function() error "one failed" end, function()
          ctx:sleep(20)
          ended = true
        end }
      end)
      assert.equal("error", result.status)
      assert.matches("one failed", err.message)
      assert.matches("ctx_spec.lua", err.traceback)
      assert.is_true(ended)
    end)
  end)

  it("first takes the first; the others are cut short, which is no fault of theirs", function()
    helper.virtual(function()
      T.answers { a = { content = "slow", delay_ms = 1000 }, b = { content = "quick", delay_ms = 10 } }
      local ms, result = T.timed(free, function(ctx)
        return (ctx:first { function() return ctx:ask("a", "x") end, function() return ctx:ask("b", "x") end })
      end)
      assert.equal(10, ms)
      assert.equal("quick", result.final.content)
      assert.equal("ok", result.status)
      assert.same({ a = "skipped", b = "ok" }, T.statuses(result))
      assert.equal("abandoned", result.rounds[1].results.a.metadata.reason)
    end)
  end)
end)

describe("ctx:conclude", function()
  before_each(function() T.script "yes" end)

  it("takes a text, a response, a member result, a table; returning does the same", function()
    local function final(value) return free(function(ctx) ctx:conclude(value) end).final end
    assert.equal("text", final("text").content)
    assert.equal("42", final(42).content)
    assert.equal("r", final({ content = "r", model = "x" }).content)
    assert.equal("x", final({ content = "r", model = "x" }).model)
    assert.same({ answer = 42 }, final({ answer = 42 }).parsed)
    assert.same({ answer = 42 }, json.decode(final({ answer = 42 }).content))
    assert.equal("yes", free(function(ctx) ctx:conclude(ctx:ask "a") end).final.content)
    assert.equal("yes", free(function(ctx) return ctx:ask "a" end).final.content)
    assert.equal("first", free(function(ctx)
      ctx:conclude "first"
      return "second"
    end).final.content)
  end)

  it("of a failure ends the run with its error: it is never the answer", function()
    T.script { error = { status = 401, message = "no such key" } }
    for _, conclude in ipairs { function(ctx) return ctx:ask "a" end, function(ctx) ctx:conclude(ctx:ask "a") end } do
      local result, err = free(conclude)
      assert.equal("error", result.status)
      assert.same({ "auth", "no such key", "a" }, { err.kind, err.reason, err.member })
      assert.is_nil(result.final)
    end
  end)
end)

describe("a free run", function()
  before_each(function() T.script "yes" end)

  it("that gives nothing has no final", function()
    local result, err = free(function(ctx) ctx:ask("a", "x") end, { chair = true })
    assert.is_nil(err)
    assert.equal("ok", result.status)
    assert.is_nil(result.final)
    result = free(function() end)
    assert.equal("error", result.status)
  end)

  it("fails by raising, with place and traceback; what was answered is kept", function()
    local result, err = free(function(ctx)
      ctx:ask("a", "x")
      return ctx.nothing.field
    end)
    assert.equal("error", result.status)
    assert.equal("script", err.kind)
    assert.matches("run of council spec: .*ctx_spec.lua:%d+: attempt to index a nil value", err.message)
    assert.matches("ctx_spec.lua", err.traceback)
    assert.equal("yes", result.rounds[1].results.a.response.content)
  end)

  it("fails by giving an error, or raising one", function()
    local own = errors.new("validation", "not like this")
    local _, err = free(function() return nil, own end)
    assert.equal(own, err)
    _, err = free(function() error(own) end)
    assert.equal(own, err)
    _, err = free(function() return nil, "just a text" end)
    assert.same({ "script", "run of council spec: just a text" }, { err.kind, err.message })
  end)

  it("survives errors whose text cannot be made", function()
    local _, err = free(function() error(setmetatable({}, { __tostring = function() error "no" end })) end)
    assert.equal("script", err.kind)
  end)

  it("may use luv beside ctx", function()
    local result = free(function(ctx)
      local uv, done = require "luv", require("curia.task").signal()
      local timer = uv.new_timer()
      timer:start(5, 0, function()
        timer:close()
        done:notify()
      end)
      done:wait()
      return ctx:ask("a", "x")
    end)
    assert.equal("yes", result.final.content)
  end)

  it("counts usage and retries like any other", function()
    T.script { content = "yes", usage = { input_tokens = 2, output_tokens = 3 } }
    local result = free(function(ctx)
      ctx:ask("a", "x")
      ctx:ask("b", "x")
      return "x"
    end)
    assert.same({ input_tokens = 4, output_tokens = 6 }, result.usage)
  end)
end)

-- Runs one round with a `run` of its own and gives the run's result, its events and its error.
local function own(fn, body, opts)
  body = body or {}
  body.rounds = { { type = { name = "own", run = fn, options = opts } } }
  local events, run = T.events(T.council(body))
  return run:result(), events
end

describe("ctx in a round with a run of its own", function()
  before_each(function() T.script(function(request) return request.round .. " " .. request.member end) end)

  it("gives the members that take part, by members and router", function()
    local seen
    local round = { name = "own", run = function(ctx)
      local members, err = ctx:participants()
      if not members then return nil, err end
      seen = {}
      for i, member in ipairs(members) do seen[i] = member.id end
    end }
    local result = T.ask { rounds = { { type = round, members = { "a", "c" }, router = function() return { "c" } end } } }
    assert.same({ "c" }, seen)
    assert.same({ a = "skipped" }, T.statuses(result))
    assert.equal("router_excluded", result.rounds[1].results.a.metadata.reason)
    result = T.ask { rounds = { { type = round, router = function() return { "x" } end } } }
    assert.matches("'x' is no member", tostring(result.errors[1]))
  end)

  it("settles results, which the events tell", function()
    local result, events = own(function(ctx)
      ctx:settle { member = "a", status = "ok", response = { content = "yes" } }
      ctx:settle { member = "b", status = "eliminated", metadata = { reason = "why not" } }
    end)
    assert.same({ a = "ok", b = "eliminated" }, T.statuses(result))
    assert.same({ "ok", nil, 0 }, { result.status, result.degraded, result.rounds[1].results.b.attempts })
    assert.same({ "run_started", "round_started", "member_completed:a", "member_completed:b", "round_completed", "run_completed" },
      T.names(events))
  end)

  it("knows its quorum, and whether a failure ends it", function()
    local seen
    local function look(ctx) seen = { ctx:quorum(5), ctx:fails_fast() } end
    own(look, { quorum = "majority" })
    assert.same({ 3, false }, seen)
    own(look, { failure_mode = "fail_fast" })
    assert.same({ nil, true }, seen)
  end)

  it("has what is known of the result so far", function()
    local result = own(function(ctx)
      ctx:ask("a")
      ctx.result.metadata.heard = ctx.result.results.a.response.content
      ctx.result.answers = { ["no member"] = { content = "the winner's" } }
      return { winner = "no member" }
    end)
    assert.equal("own a", result.rounds[1].metadata.heard)
    assert.equal("the winner's", result.final.content)
  end)

  it("asks a member several times: events say which, results are kept where that is wanted", function()
    local heard
    local result, events = own(function(ctx)
      heard = ctx:all {
        function() return ctx:ask("a", nil, { iteration = 1, keep = false }) end,
        function() return ctx:ask("a", nil, { iteration = 2, keep = false }) end,
      }
    end)
    assert.same({}, result.rounds[1].results)
    assert.same({ "ok", "ok" }, { heard[1].status, heard[2].status })
    local iterations = {}
    for i, event in ipairs(T.of_type(events, "member_completed")) do iterations[i] = event.iteration end
    assert.same({ 1, 2 }, iterations)
  end)

  it("asks with a seed of its own", function()
    local seeds = {}
    T.script(function(request)
      seeds[#seeds + 1] = request.seed
      return "x"
    end)
    own(function(ctx)
      ctx:ask("a", nil, { seed = 9 })
      ctx:ask("a")
    end, { members = { a = { seed = 7 } } })
    assert.same({ 9, 7 }, seeds)
  end)

  it("runs rounds as its iterations", function()
    local seen = {}
    local think = { name = "think", build = function(ctx)
      seen[#seen + 1] = ("%s %d %d %d"):format(ctx.round.name, ctx.round.idx, ctx.round.iteration, #ctx.rounds)
      return "x"
    end }
    local result, events = own(function(ctx)
      ctx:round(think, { members = { "a" } })
      ctx:round(think, { members = { "b" } })
      ctx.result.results = ctx.result.metadata.iterations[2].results
    end, { rounds = { { type = "independent_analysis" } } })
    assert.same({ "think 1 1 0", "think 1 2 1" }, seen)
    assert.equal(1, #result.rounds)
    assert.same({ "think", "think" }, { result.rounds[1].metadata.iterations[1].name, result.rounds[1].metadata.iterations[2].name })
    local places = {}
    for i, event in ipairs(T.of_type(events, "round_started")) do places[i] = { event.round, event.idx, event.iteration } end
    assert.same({ { "own", 1 }, { "think", 1, 1 }, { "think", 1, 2 } }, places)
  end)

  it("names the round of the moment", function()
    local names = {}
    local think = { name = "think", build = function(ctx)
      names[#names + 1] = ctx._run:state().current_round.name
      return "x"
    end }
    own(function(ctx)
      ctx:round(think)
      names[#names + 1] = ctx._run:state().current_round.name
    end, { ids = { "a" } })
    assert.same({ "think", "own" }, names)
  end)

  it("refuses outside of a round what needs one", function()
    local _, err = free(function(ctx) ctx:participants() end)
    assert.matches("participants: this is no round", err.message)
    _, err = free(function(ctx) ctx:settle {} end)
    assert.matches("settle: this is no round", err.message)
    local result = own(function(ctx) ctx:settle {} end)
    assert.matches("bad argument #1 to 'settle'", result.errors[1].message)
  end)
end)
