local curia = require "curia"
local errors = require "curia.errors"
local helper = require "spec.helper"
local T = require "spec.engine.support"

-- The messages of the last request, as "role:content".
local function hear(answer)
  local heard = {}
  T.script(function(request)
    for i = #heard, 1, -1 do heard[i] = nil end
    for i, message in ipairs(request.messages) do heard[i] = message.role .. ":" .. message.content end
    heard.request = request
    return answer or "yes"
  end)
  return heard
end

local function one(fields, opts, input)
  local result, err = T.ask({ ids = { "a" }, members = { a = fields } }, input, opts)
  return result and result.rounds[1].results.a, result, err
end

local function retrying(attempts)
  return { retry = { attempts = attempts, base_ms = 100, max_ms = 1000 } }
end

describe("what a member is asked", function()
  it("is the question, behind its system prompt", function()
    local heard = hear()
    one { system = "Be brief." }
    assert.same({ "system:Be brief.", "user:Why?" }, { heard[1], heard[2] })
    one {}
    assert.same({ "user:Why?" }, { heard[1], heard[2] })
  end)

  it("carries what the adapters need to know", function()
    local heard = hear()
    one { temperature = 0.5, top_p = 0.9, max_tokens = 10, seed = 7, stop = "END", reasoning = "low", stream = true,
      cache = true, extra = { x = 1 } }
    local r = heard.request
    assert.same({ 0.5, 0.9, 10, 7, "low", true, true }, { r.temperature, r.top_p, r.max_tokens, r.seed, r.reasoning, r.stream, r.cache })
    assert.same({ "END" }, r.stop)
    assert.same({ "m", "a", "test", "independent_analysis" }, { r.model, r.member, r.provider, r.round })
    assert.is_string(r.run_id)
    assert.equal(1, r.extra.x)
  end)

  it("has a system prompt from a function of the input, or from a role", function()
    local heard = hear()
    one { system = function(input, ctx) return input.question .. ctx.council end }
    assert.equal("system:Why?spec", heard[1])
    one { role = "the skeptic" }
    assert.matches("^system:You are the skeptic", heard[1])
    one { role = function(input) return "asked " .. input.question end }
    assert.matches("^system:You are asked Why%?", heard[1])
    one { role = "r", system = "s" }
    assert.equal("system:s", heard[1])
  end)

  it("is transformed first, and the system prompt sees the transformed input", function()
    local heard = hear()
    local seen
    one { transform = function(input, ctx)
      seen = ctx.round.name
      return { question = input.question:lower(), tone = "calm" }
    end, system = function(input) return input.tone end, prompt = "{question} {tone}!" }
    assert.equal("independent_analysis", seen)
    assert.same({ "system:calm", "user:why? calm!" }, { heard[1], heard[2] })
  end)

  it("comes from its own prompt, a template or a function", function()
    local heard = hear()
    one({ prompt = "Q: {question} ({depth}, {list}, {missing})" }, nil, { question = "Why?", depth = 3, list = { 1, 2 } })
    assert.equal("user:Q: Why? (3, [1,2], {missing})", heard[1])
    one { prompt = function(input, ctx) return ctx.run_id and input.question .. "!" end }
    assert.equal("user:Why?!", heard[1])
  end)

  it("does not change the input of the others", function()
    local result = T.ask({ ids = { "a", "b" }, members = {
      a = { run = function(_, input) return input.question end, transform = function() return { question = "changed" } end },
      b = { run = function(_, input) return input.question end } } }, "Why?")
    assert.equal("changed", result.rounds[1].results.a.response.content)
    assert.equal("Why?", result.rounds[1].results.b.response.content)
  end)

  it("fails with its code: a typed error with place and traceback, the others' answers kept", function()
    local function broken() error "broken" end
    T.script "yes"
    for _, field in ipairs { "system", "role", "transform", "prompt", "validate" } do
      local result = T.ask { ids = { "a", "b" }, members = { a = { [field] = broken } } }
      local err = result.rounds[1].results.a.error
      assert.equal("script", err.kind, field)
      assert.matches(("%s of member a: .*member_spec.lua:%%d+: broken"):format(field), err.message)
      assert.matches("member_spec.lua", err.traceback)
      assert.equal("partial", result.status)
      assert.equal("yes", result.rounds[1].results.b.response.content)
    end
  end)

  it("refuses a system prompt that is no text", function()
    T.script "yes"
    assert.matches("gave a table, no text", one { system = function() return {} end }.error.message)
  end)
end)

describe("a member result", function()
  it("tells all that there is to tell", function()
    helper.virtual(function()
      T.script { content = "yes", delay_ms = 20, usage = { input_tokens = 5, output_tokens = 7 }, cost = 0.25, model = "m-2" }
      local result = one { metadata = { team = "red" } }
      assert.same({ "a", "ok", 1, 20, "m-2", "test" }, { result.member, result.status, result.attempts, result.duration_ms,
        result.model, result.provider })
      assert.equal("red", result.metadata.team)
      assert.equal("integer", math.type(result.started_at))
      assert.is_nil(result.error)
      assert.same({ input_tokens = 5, output_tokens = 7 }, result.response.usage)
      assert.same({ usd = 0.25, source = "provider" }, result.response.cost)
    end)
  end)

  it("tells when the first token came, of streams only", function()
    helper.virtual(function()
      T.script { stream = { "a", "b" }, delay_ms = 30, chunk_delay_ms = 20 }
      assert.equal(30, one({ stream = true }).first_token_ms)
      assert.is_nil(one({}).first_token_ms)
    end)
  end)

  it("is no answer when the model refused, was filtered, ran out of tokens or gave nothing", function()
    for reason, kind in pairs { refusal = "refusal", content_filter = "content_filter" } do
      T.script { content = "I will not.", finish_reason = reason }
      local result, whole = one {}
      assert.same({ "error", kind, "I will not." }, { result.status, result.error.kind, result.error.reason })
      assert.equal("error", whole.status)
    end
    T.script { content = "", finish_reason = "length", usage = { output_tokens = 9, reasoning_tokens = 9 } }
    local result = one {}
    assert.same({ "invalid_output", "invalid_output", "length" }, { result.status, result.error.kind, result.error.code })
    assert.matches("9 reasoning tokens", result.error.message)
    T.script { content = "  \n " }
    assert.equal("invalid_output", one({}).status)
    T.script { content = "", tool_calls = { { name = "search" } } }
    assert.equal("unsupported", one({}).error.kind)
    T.script { content = "cut sho", finish_reason = "length" }
    assert.equal("ok", one({}).status)
  end)

  it("is judged by validate, which sees the answer", function()
    T.script "forty"
    assert.equal("ok", one({ validate = function(answer) return answer == "forty" end }).status)
    local result = one { validate = function() return nil, "no number" end }
    assert.same({ "invalid_output", "invalid_output" }, { result.status, result.error.kind })
    assert.matches("member a: no number", result.error.message)
    assert.equal("forty", result.response.content)
    assert.matches("did not validate", one({ validate = function() return false end }).error.message)
    local own = errors.new("permanent", "never")
    assert.equal(own, one({ validate = function() return nil, own end }).error)
  end)

  it("of a failure says who, where, and how often", function()
    T.script { error = { status = 403, message = "Not for you.", code = "forbidden" } }
    local err = one({}).error
    assert.same({ "a", "independent_analysis", "test", 403, 1, "Not for you.", "forbidden" },
      { err.member, err.round, err.provider, err.status, err.attempts, err.reason, err.code })
  end)
end)

describe("a member in plain Lua", function()
  it("gives a text, a table, or a response", function()
    local function content(value)
      return one({ run = function() return value end }).response
    end
    assert.equal("text", content("text").content)
    assert.same({ 1, 2 }, content({ 1, 2 }).parsed)
    assert.equal("[\n  1,\n  2\n]", content({ 1, 2 }).content)
    assert.equal("r", content({ content = "r", finish_reason = "stop", usage = {} }).content)
    assert.equal("42", content(42).content)
  end)

  it("has ctx and input, may wait and ask others", function()
    helper.virtual(function()
      T.script "yes"
      local result = T.ask { ids = { "a", "b" }, members = { b = { run = function(ctx, input)
        ctx:sleep(10)
        return input.question .. ctx.round.name .. #ctx.members
      end } } }
      assert.equal("Why?independent_analysis2", result.rounds[1].results.b.response.content)
    end)
  end)

  it("fails by raising, by an error value, by giving nothing", function()
    local result = one { run = function() error "broken" end }
    assert.same({ "error", "script" }, { result.status, result.error.kind })
    assert.matches("member a: .*broken", result.error.message)
    assert.matches("traceback", result.error.traceback)
    result = one { run = function() return nil, "no luck" end }
    assert.same({ "script" }, { result.error.kind })
    local own = errors.new("rate_limited", "mine")
    assert.equal(own, one({ run = function() return nil, own end }).error)
    assert.equal("invalid_output", one({ run = function() end }).error.kind)
    assert.equal("invalid_output", one({ run = function() return " " end }).status)
  end)

  it("may give the same error as others do: each has its own", function()
    local shared = errors.new("permanent", "closed today")
    local function closed() return nil, shared end
    local result = T.ask { ids = { "a", "b" }, members = { a = { run = closed }, b = { run = closed } } }
    assert.same({ "a", "b" }, { result.errors[1].member, result.errors[2].member })
    assert.equal("permanent: closed today", tostring(result.errors[2]))
  end)

  it("may run councils of its own, which end with it", function()
    helper.virtual(function()
      T.script { content = "inner", delay_ms = 100 }
      local inner = T.council { ids = { "x" }, name = "inner" }
      local outer = T.council { ids = { "a" }, members = { a = { run = function(_, input)
        return curia.run(inner, input, { run_id = input.question }).final.content
      end } } }
      assert.equal("inner", curia.run(outer, "Why?").final.content)
      local run = curia.start(outer, "Why not?")
      require("curia.task").sleep(10)
      run:cancel()
      run:await()
      assert.equal("completed", curia.state("Why?").status)
      assert.equal("cancelled", curia.state("Why not?").status)
    end)
  end)

  it("is held to what the round and validate ask, like any other", function()
    local result = one { run = function() return "forty" end, validate = function() return nil, "no number" end }
    assert.equal("invalid_output", result.status)
  end)
end)

describe("retries", function()
  local function times(script, fields, opts)
    T.script(script)
    return helper.virtual(function()
      local ms, result, whole = T.timed(one, fields, opts)
      return { ms = ms, result = result, whole = whole }
    end)
  end

  it("follow what may pass: 408, 409, 429, 5xx, faults of the connection", function()
    for _, status in ipairs { 408, 409, 429, 500, 502, 503, 529 } do
      local got = times({ { error = status }, "yes" }, {})
      assert.same({ "ok", 2 }, { got.result.status, got.result.attempts }, status)
    end
    for _, fault in ipairs { "refuse_connection", "cut_before", "error_in_200" } do
      local got = times({ { fault = fault, content = "x" }, "yes" }, {})
      assert.same({ "ok", 2 }, { got.result.status, got.result.attempts }, fault)
    end
  end)

  it("do not follow what will not pass: 400, 401, 402, 403, 404, a quota", function()
    for _, status in ipairs { 400, 401, 402, 403, 404 } do
      assert.equal(1, times({ { error = status }, "yes" }, {}).result.attempts, status)
    end
    local got = times({ { error = { status = 429, code = "insufficient_quota" } }, "yes" }, {})
    assert.same({ 1, "quota_exhausted" }, { got.result.attempts, got.result.error.kind })
  end)

  it("obey x-should-retry, both ways", function()
    assert.equal(1, times({ { error = { status = 500, should_retry = false } }, "yes" }, {}).result.attempts)
    assert.equal(2, times({ { error = { status = 400, should_retry = true } }, "yes" }, {}).result.attempts)
  end)

  it("wait as long as the vendor says", function()
    local got = times({ { error = { status = 429, retry_after_ms = 1500 } }, "yes" }, {})
    assert.same({ "ok", 1500 }, { got.result.status, got.ms })
  end)

  it("do not wait for a vendor that says hours, and tell when it will answer", function()
    local got = times({ { error = { status = 429, retry_after_ms = 3600000 } }, "yes" }, {})
    assert.same({ 0, "rate_limited", 3600000 }, { got.ms, got.result.error.kind, got.result.error.retry_after_ms })
    assert.equal(300000, times({ { error = { status = 429, retry_after_ms = 300000 } }, "yes" }, {}).ms)
  end)

  it("never come at once, though a vendor says 0", function()
    local waited = 0
    for _ = 1, 20 do waited = waited + times({ { error = { status = 429, retry_after_ms = 0 } }, "yes" }, {}).ms end
    assert.is_true(waited > 1000 and waited < 10000)
  end)

  it("back off, within the limits of the policy", function()
    local got = times({ { error = 500 }, { error = 500 }, { error = 500 }, "yes" }, retrying(4))
    assert.equal(4, got.result.attempts)
    assert.is_true(got.ms <= 100 + 200 + 400)
  end)

  it("end with the error when they are used up", function()
    local got = times({ error = { status = 503, message = "Busy." } }, retrying(3))
    assert.same({ "error", 3, "overloaded", "Busy.", 3 }, { got.result.status, got.result.attempts, got.result.error.kind,
      got.result.error.reason, got.result.error.attempts })
  end)

  it("are two tries in all unless somebody says more; the strongest that speaks counts", function()
    local function attempts(body, opts)
      return helper.virtual(function()
        T.script { error = 503 }
        body.ids = { "a" }
        return T.ask(body, "Why?", opts).rounds[1].results.a.attempts
      end)
    end
    local function tries(count) return { attempts = count, base_ms = 1 } end
    local function round_with(retry) return { { type = "independent_analysis", retry = retry } } end
    assert.equal(2, attempts({}))
    assert.equal(3, attempts({ retry = tries(3) }))
    assert.equal(4, attempts({ retry = tries(3) }, { retry = tries(4) }))
    assert.equal(1, attempts({ retry = tries(3), rounds = round_with(tries(1)) }, { retry = tries(4) }))
    assert.equal(2, attempts({ retry = tries(3), rounds = round_with(tries(1)), members = { a = { retry = tries(2) } } },
      { retry = tries(4) }))
    curia.config { default_retry = tries(1) }
    assert.equal(1, attempts({}))
    curia.config { default_retry = { attempts = 2, base_ms = 1000, max_ms = 30000 } }
  end)

  it("fail now where the wait would go beyond the deadline", function()
    local script = { { error = { status = 429, retry_after_ms = 5000 } }, "yes" }
    for _, opts in ipairs { { deadline_ms = 3000 }, { member_timeout_ms = 3000 } } do
      local got = times(script, {}, opts)
      assert.same({ 0, "rate_limited", 5000 }, { got.ms, got.result.error.kind, got.result.error.retry_after_ms })
    end
    assert.equal("ok", times(script, {}, { deadline_ms = 6000 }).result.status)
  end)

  it("are told", function()
    T.script { { error = { status = 503, message = "Busy." } }, "yes" }
    local events = helper.virtual(function() return T.events(T.council { ids = { "a" } }) end)
    local told = T.of_type(events, "member_retry")
    assert.equal(1, #told)
    assert.same({ "a", "independent_analysis", 1, 1, "overloaded", "a" }, { told[1].member, told[1].round, told[1].idx,
      told[1].attempt, told[1].error.kind, told[1].error.member })
    assert.is_true(told[1].wait_ms >= 0 and told[1].wait_ms <= 1000)
  end)

  it("keep to the run's budget: 1.2 times the calls and 3, two of them the chair's", function()
    helper.virtual(function()
      local calls = 0
      T.script(function(request)
        calls = calls + 1
        if request.member == "chair" then return "the end" end
        return { error = 503 }
      end)
      local ids = {}
      for i = 1, 20 do ids[i] = "m" .. i end
      T.ask { ids = ids, retry = { attempts = 10, base_ms = 1 } }
      assert.is_true(calls <= 1.2 * 20 + 3, calls)
      assert.is_true(calls >= 1.2 * 20 + 2, calls)
    end)
  end)

  it("leave the chair its two", function()
    helper.virtual(function()
      local chair = 0
      T.script(function(request)
        if request.member == "a" then return "yes" end
        if request.member == "chair" then
          chair = chair + 1
          return chair == 3 and "the end" or { error = 503 }
        end
        return { error = 503 }
      end)
      local result = T.ask { chair = { retry = { attempts = 3, base_ms = 1 } }, retry = { attempts = 10, base_ms = 1 } }
      assert.equal("the end", result.final.content)
      assert.equal(3, chair)
    end)
  end)
end)

describe("a streamed answer", function()
  local function streamed(script, fields)
    T.script(script)
    fields.stream = true
    return helper.virtual(function()
      local events, run = T.events(T.council { ids = { "a" }, members = { a = fields } })
      return run:result().rounds[1].results.a, events
    end)
  end

  it("is not tried again once it has begun", function()
    local result = streamed({ { stream = { "one", "two" }, fault = "cut", after = 1 }, "again" }, {})
    assert.same({ "error", 1, "transient" }, { result.status, result.attempts, result.error.kind })
    assert.equal("one", result.error.context.partial.content)
  end)

  it("is tried again before that", function()
    local result = streamed({ { content = "x", fault = "cut", after = 0 }, "again" }, {})
    assert.same({ "ok", 2, "again" }, { result.status, result.attempts, result.response.content })
    result = streamed({ { reasoning = "hm", content = "x", fault = "cut", after = 0 }, "again" }, {})
    assert.same({ "ok", 2 }, { result.status, result.attempts })
  end)

  it("is begun anew where restart_stream allows it, and says so", function()
    local result, events = streamed({ { stream = { "one", "two" }, fault = "cut", after = 1 }, "again" }, { restart_stream = true })
    assert.same({ "ok", 2, "again" }, { result.status, result.attempts, result.response.content })
    assert.same({ "run_started", "round_started", "member_started:a", "member_retry:a", "member_restarted:a",
      "member_completed:a", "round_completed", "run_completed" }, T.names(events))
  end)

  it("numbers its attempts, each with offsets from 0", function()
    T.script { { stream = { "one", "two" }, fault = "cut", after = 1 }, { stream = { "three" } } }
    local told = {}
    helper.virtual(function()
      curia.run(T.council { ids = { "a" }, members = { a = { stream = true, restart_stream = true } } }, "Why?",
        { subscribe = function(event)
          if event.type == "member_token" and event.text ~= "" then
            told[#told + 1] = event.attempt .. ":" .. event.index .. event.text
          end
        end })
    end)
    assert.same({ "1:0one", "2:0three" }, told)
  end)
end)

describe("time-outs of an attempt", function()
  local function timed_out(answer, fields)
    T.script(answer)
    return helper.virtual(function()
      local ms, result = T.timed(one, fields)
      return ms, result
    end)
  end

  it("end one that has not begun, and it is tried again", function()
    local ms, result = timed_out({ { fault = "hang" }, "yes" }, { first_byte_timeout = "2s" })
    assert.same({ "ok", 2 }, { result.status, result.attempts })
    assert.is_true(ms >= 2000 and ms <= 3000)
    ms, result = timed_out({ fault = "hang" }, { first_byte_timeout_ms = 2000, retry = { attempts = 1 } })
    assert.same({ 2000, "timeout", "timeout", "EFIRSTBYTE" }, { ms, result.status, result.error.kind, result.error.code })
    assert.matches("no byte of the answer within 2000 ms", result.error.message)
  end)

  it("are 600 s for whole answers, 60 s for streams, unless said", function()
    assert.equal(600000, (timed_out({ fault = "hang" }, { retry = { attempts = 1 } })))
    assert.equal(60000, (timed_out({ fault = "hang" }, { stream = true, retry = { attempts = 1 } })))
  end)

  it("end a stream that falls silent; at most one silence is forgiven", function()
    local silent = { stream = { "one", "two" }, fault = "silence", after = 1 }
    local ms, result = timed_out(silent, { stream = true, timeout = "5s" })
    assert.same({ 5000, 1, "timeout", "ESILENCE" }, { ms, result.attempts, result.status, result.error.code })
    ms, result = timed_out(silent, { stream = true, timeout = "5s", restart_stream = true, retry = { attempts = 5, base_ms = 1 } })
    assert.same({ 2, "timeout" }, { result.attempts, result.status })
    assert.is_true(ms >= 10000 and ms < 10010)
  end)

  it("end one that takes too long in all, for good", function()
    local slow = { stream = { "1", "2", "3", "4", "5", "6" }, chunk_delay_ms = 900 }
    local ms, result = timed_out({ slow, "yes" }, { stream = true, total_timeout = "2s", restart_stream = true })
    assert.same({ 2000, 1, "ETOTAL" }, { ms, result.attempts, result.error.code })
  end)
end)

describe("secrets", function()
  it("that a vendor echoes stand in no error, no event, no verbose line", function()
    local key = "sk-live-0123456789abcdef"
    local lines, seen = {}, {}
    curia.config { providers = { echo = { adapter = "scripted", api_key = key, script = { error = {
      status = 401, message = "Incorrect API key provided: " .. key, code = key } } } } }
    local council = curia.council "echo" { members = { { id = "a", provider = "echo", model = "m" } },
      rounds = { { type = "independent_analysis" } } }
    local result, err = curia.run(council, "Why?", { verbose = "debug", verbose_to = function(line) lines[#lines + 1] = line end,
      subscribe = function(event) seen[#seen + 1] = require("curia.json").encode(event) end })
    assert.equal("Incorrect API key provided: [secret]", err.reason)
    for _, text in ipairs { table.concat(lines, "\n"), table.concat(seen, "\n"), require("curia.json").encode(result),
      tostring(err) } do
      assert.is_nil(text:find(key, 1, true))
      assert.is_truthy(text:find("[secret]", 1, true))
    end
  end)

  it("in a script's own error are masked too", function()
    local key = "sk-live-9876543210fedcba"
    require("curia.redact").add(key)
    local result = one { run = function() error("failed with " .. key) end }
    assert.matches("failed with %[secret%]", result.error.message)
  end)
end)
