local curia = require "curia"
local errors = require "curia.errors"
local helper = require "spec.helper"
local prompts = require "curia.prompts"
local T = require "spec.engine.support"

local SCORE = {
  type = "object", properties = { score = { type = "integer", minimum = 0, maximum = 10 } }, required = { "score" },
  additionalProperties = false,
}

-- Answers one after the other, and remembers the requests.
local function hear(...)
  local answers, requests = { ... }, {}
  T.script(function(request)
    requests[#requests + 1] = request
    return answers[math.min(#requests, #answers)]
  end)
  return requests
end

local function one(fields, opts, round)
  local body = { ids = { "a" }, members = { a = fields }, rounds = round and { round } or nil }
  local result = assert(T.ask(body, "Why?", opts))
  return result.rounds[1].results.a, result
end

local function last(request)
  return request.messages[#request.messages]
end

describe("an answer by a schema", function()
  it("is parsed, and the request carries the schema", function()
    local requests = hear '{"score": 7}'
    local result = one { schema = SCORE }
    assert.equal("ok", result.status)
    assert.same({ score = 7 }, result.response.parsed)
    assert.same(SCORE, requests[1].schema)
    assert.equal("Why?", last(requests[1]).content)
    assert.equal(1, result.attempts)
  end)

  it("is found in prose and in fences", function()
    for _, text in ipairs { 'I say {"score": 7}.', 'So:\n```json\n{"score": 7}\n```\nThat is all.' } do
      hear(text)
      assert.same({ score = 7 }, one({ schema = SCORE }).response.parsed)
    end
  end)

  it("may be of a registered schema", function()
    curia.register("schema", "score", SCORE)
    finally(function() curia.unregister("schema", "score") end)
    local requests = hear '{"score": 7}'
    assert.same({ score = 7 }, one({ schema = "score" }).response.parsed)
    assert.same(SCORE, requests[1].schema)
    one({}, nil, { type = "independent_analysis", schema = "score" })
    assert.same(SCORE, requests[2].schema)
  end)

  it("is that of the round before that of the member", function()
    local requests = hear '"yes"'
    local result = one({ schema = SCORE }, nil, { type = "independent_analysis", schema = { enum = { "yes", "no" } } })
    assert.equal("yes", result.response.parsed)
    assert.same({ "yes", "no" }, requests[1].schema.enum)
  end)

  it("is not asked for in the member's ballots and reviews", function()
    local asked = {}
    T.script(function(request)
      asked[request.round] = request.schema ~= nil
      return '{"score": 7, "ordering": ["Response A"]}'
    end)
    local open = { type = "object", required = { "score" } }
    local result = T.ask { ids = { "a", "b" }, members = { a = { schema = open }, b = { schema = open } },
      rounds = { { type = "independent_analysis" }, { type = "anonymized_peer_review" } } }
    assert.equal("ok", result.status)
    assert.same({ independent_analysis = true, anonymized_peer_review = false }, asked)
  end)

  it("is judged by validate once it fits", function()
    hear '{"score": 7}'
    local seen
    one { schema = SCORE, validate = function(value)
      seen = value
      return true
    end }
    assert.same({ score = 7 }, seen)
    hear "no JSON"
    seen = nil
    one { schema = SCORE, repair = 0, validate = function(value) seen = value end }
    assert.is_nil(seen)
  end)

  it("is the chair's too", function()
    T.script(function(request) return request.schema and '{"score": 9}' or "an opinion" end)
    local result = T.ask { chair = { schema = SCORE } }
    assert.same({ score = 9 }, result.final.parsed)
  end)

  it("of a member in plain Lua is judged, and not asked for again", function()
    local calls = 0
    local result = one { schema = SCORE, run = function()
      calls = calls + 1
      return { score = 11 }
    end }
    assert.same({ "invalid_output", 1 }, { result.status, calls })
    assert.same({ score = 3 }, one({ schema = SCORE, run = function() return { score = 3 } end }).response.parsed)
  end)
end)

describe("an answer that does not fit", function()
  it("goes back with its faults, and the next one counts", function()
    local requests = hear('{"score": "high"}', '{"score": 7}')
    local result = one { schema = SCORE, system = "S" }
    assert.same({ "ok", 7, 2 }, { result.status, result.response.parsed.score, result.attempts })
    local roles, history = {}, requests[2].messages
    for i, message in ipairs(history) do roles[i] = message.role end
    assert.same({ "system", "user", "assistant", "user" }, roles)
    assert.equal('{"score": "high"}', history[3].content)
    assert.equal(prompts.repair('- /score: must be a whole number, not "high"', true), history[4].content)
    assert.same(SCORE, requests[2].schema)
    assert.equal(2, #requests[1].messages)
  end)

  it("is invalid_output in the end: the faults are told, the last answer is kept", function()
    local requests = hear('{"score": 11}', '{"score": 12, "why": "so"}')
    local result, whole = one { schema = SCORE }
    assert.equal(2, #requests)
    assert.same({ "invalid_output", "invalid_output", "schema", 2 },
      { result.status, result.error.kind, result.error.code, result.error.attempts })
    assert.same({ { path = "/score", keyword = "maximum", message = "must be at most 10, not 12" },
      { path = "", keyword = "additionalProperties", message = 'must not have the member "why"' } },
      result.error.context.faults)
    assert.matches("member a: the answer does not fit its schema: /score must be at most 10, not 12 %(and 1 more%)",
      result.error.message)
    assert.equal('{"score": 12, "why": "so"}', result.response.content)
    assert.equal("error", whole.status)
  end)

  it("goes back as often as `repair` says", function()
    for repair, asks in pairs { [0] = 1, [1] = 2, [3] = 4 } do
      local requests = hear "never"
      assert.same({ "invalid_output", asks }, { one({ schema = SCORE, repair = repair }).status, #requests })
      assert.equal(1 + 2 * (asks - 1), #requests[asks].messages)
    end
  end)

  it("goes back after validate has refused it", function()
    local requests = hear("forty", "fifty")
    local result = one { validate = function(text) return text == "fifty", "no fifty" end }
    assert.same({ "ok", "fifty" }, { result.status, result.response.content })
    assert.equal(prompts.repair("- the whole: no fifty", false), last(requests[2]).content)
  end)

  it("stays where the error is another: raised, one of the user's own, or of the round", function()
    for _, validate in ipairs { function() error "broken" end, function() return nil, errors.new("permanent", "never") end } do
      local requests = hear "forty"
      one { validate = validate }
      assert.equal(1, #requests)
    end
    local requests = hear "forty"
    one({}, nil, { type = { name = "own", build = function() return "?" end, parse = function() return nil, "unreadable" end } })
    assert.equal(1, #requests)
  end)

  it("that was cut off says so", function()
    local requests = hear({ content = '{"score": 7, "and', finish_reason = "length" })
    local result = one { schema = SCORE }
    assert.same({ "invalid_output", "length" }, { result.status, result.error.code })
    assert.matches("cut off at its token limit", result.error.message)
    assert.matches("it must be shorter", last(requests[2]).content)
  end)

  it("counts what all asks have used", function()
    local function answer(content, tokens, cost)
      return { content = content, usage = { input_tokens = tokens, output_tokens = 1 }, cost = cost }
    end
    hear(answer("no", 10, 0.25), answer('{"score": 7}', 20, 0.5))
    local result, whole = one { schema = SCORE }
    assert.same({ input_tokens = 30, output_tokens = 2 }, result.response.usage)
    assert.same({ usd = 0.75, source = "provider" }, result.response.cost)
    assert.same({ input_tokens = 30, output_tokens = 2 }, whole.usage)
    hear(answer("no", 10, 0.25))
    result = one { schema = SCORE }
    assert.equal(20, result.response.usage.input_tokens)
  end)

  it("is kept where the provider fails in between", function()
    hear("no", { error = { status = 403, message = "Not for you." } })
    local result = one { schema = SCORE }
    assert.same({ "error", "auth", "no" }, { result.status, result.error.kind, result.response.content })
  end)

  it("does not go back once the member's time is over", function()
    helper.virtual(function()
      hear { content = "no", delay_ms = 80 }
      local result = one { schema = SCORE, deadline_ms = 100, repair = 5 }
      assert.same({ "timeout", "no", 100 }, { result.status, result.response.content, result.duration_ms })
    end)
  end)

  it("is told to those who watch", function()
    for stream, expected in pairs {
      [true] = { "member_started:a", "member_retry:a", "member_restarted:a", "member_completed:a" },
      [false] = { "member_started:a", "member_retry:a", "member_completed:a" },
    } do
      hear("no", '{"score": 7}')
      local events = T.events(T.council { ids = { "a" }, members = { a = { schema = SCORE, stream = stream } } })
      local names = T.names(events)
      assert.same(expected, { table.unpack(names, 3, #names - 2) })
      local retry = T.of_type(events, "member_retry")[1]
      assert.same({ 1, 0, "invalid_output", "a" }, { retry.attempt, retry.wait_ms, retry.error.kind, retry.error.member })
    end
  end)

  it("is streamed anew from the beginning", function()
    hear({ stream = { "n", "o" } }, { stream = { '{"score"', ": 7}" } })
    local run = curia.start(T.council { ids = { "a" }, members = { a = { schema = SCORE, stream = true } } }, "Why?")
    local told, texts = {}, {}
    for event in run:events() do
      if event.type == "member_restarted" then told[#told + 1] = "restarted"
      elseif event.type == "member_token" then
        if event.index == 0 and event.text ~= "" then told[#told + 1] = "attempt " .. event.attempt end
        texts[event.attempt] = (texts[event.attempt] or "") .. event.text
      end
    end
    assert.same({ "attempt 1", "restarted", "attempt 2" }, told)
    assert.same({ "no", '{"score": 7}' }, texts)
  end)
end)

describe("a provider that cannot be told a schema", function()
  local adapters = require "curia.adapters"

  local function with_adapter(able)
    local asked
    adapters.add { name = "spec_schema", capabilities = { json_schema = able }, call = function(request)
      asked = request
      return { content = '{"score": 7}', finish_reason = "stop", usage = {} }
    end }
    curia.config { providers = { test = { adapter = "spec_schema" } } }
    return function() return asked end
  end

  it("is told in the prompt, behind the question", function()
    local asked = with_adapter(nil)
    assert.same({ score = 7 }, one({ schema = SCORE }).response.parsed)
    assert.equal("Why?\n\n" .. prompts.schema(SCORE), last(asked()).content)
  end)

  it("is one that takes objects only, where the schema is of something else", function()
    local asked = with_adapter "object"
    one { schema = SCORE }
    assert.equal("Why?", last(asked()).content)
    one { schema = { anyOf = { SCORE } } }
    assert.matches("JSON Schema", last(asked()).content)
  end)

  it("does not see what a script gave for its own changed", function()
    with_adapter(false)
    local messages = { { role = "user", content = "Mine?" } }
    local result = assert(curia.run(T.council { ids = { "a" }, run = function(ctx)
      return ctx:ask("a", messages, { schema = SCORE })
    end }, "Why?"))
    assert.same({ score = 7 }, result.final.parsed)
    assert.same({ { role = "user", content = "Mine?" } }, messages)
  end)
end)

describe("ctx:ask with a schema", function()
  local function ask(opts, fields)
    return assert(curia.run(T.council { ids = { "a" }, members = { a = fields }, run = function(ctx)
      return ctx:ask("a", nil, opts)
    end }, "Why?"))
  end

  it("asks by it, before the member's own", function()
    local requests = hear("no", '{"score": 7}')
    local result = ask({ schema = SCORE }, { schema = { type = "array" } })
    assert.same({ score = 7 }, result.final.parsed)
    assert.equal("object", requests[2].schema.type)
  end)

  it("takes a registered name", function()
    curia.register("schema", "score", SCORE)
    finally(function() curia.unregister("schema", "score") end)
    hear '{"score": 7}'
    assert.same({ score = 7 }, ask({ schema = "score" }).final.parsed)
    assert.matches("unknown schema 'scor'; did you mean 'score'", ask({ schema = "scor" }).errors[1].message)
  end)

  it("refuses what is no schema", function()
    hear "never asked"
    assert.matches("ask: schema: unknown type 'objct'; did you mean 'object'", ask({ schema = { type = "objct" } }).errors[1].message)
  end)
end)
