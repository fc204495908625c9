local curia = require "curia"
local helper = require "spec.helper"
local random = require "curia.engine.random"
local T = require "spec.engine.support"

-- Providers by name with what they answer; gives a function that says how often each was asked.
local function providers(scripts)
  local asked, made = {}, {}
  for name, answer in pairs(scripts) do
    asked[name] = 0
    made[name] = { adapter = "scripted", script = function(request)
      asked[name] = asked[name] + 1
      if type(answer) == "function" then return answer(request, asked[name]) end
      return answer
    end }
  end
  curia.config { providers = made }
  return asked
end

local SECOND, THIRD = { provider = "second", model = "m2" }, { provider = "third", model = "m3" }

local function ask(fields, opts)
  fields.provider = fields.provider or "first"
  return helper.virtual(function()
    return T.ask({ ids = { "a" }, members = { a = fields } }, "Why?", opts)
  end).rounds[1].results.a
end

local function fault(status, more)
  local made = { status = status }
  for name, value in pairs(more or {}) do made[name] = value end
  return { error = made }
end

describe("the fallback models of a member", function()
  it("are asked in order, after the tries of those before them", function()
    local asked = providers { first = fault(503), second = fault(400), third = "third time lucky" }
    local got = ask { fallback = { SECOND, THIRD } }
    assert.same({ "ok", "third time lucky", "third", "m3" }, { got.status, got.response.content, got.provider, got.model })
    assert.same({ first = 2, second = 1, third = 1 }, asked)
    assert.equal(4, got.attempts)
    assert.is_nil(got.error)
  end)

  it("give the last error when all have failed", function()
    providers { first = fault(503), second = fault(404) }
    local got = ask { fallback = { SECOND } }
    assert.same({ "error", "permanent", "second", 3 }, { got.status, got.error.kind, got.error.provider, got.attempts })
  end)

  it("are told before they are asked", function()
    providers { first = fault(401), second = "yes" }
    helper.virtual(function()
      local events = T.events(T.council { ids = { "a" }, members = { a = { provider = "first", fallback = { SECOND } } } })
      local told = T.of_type(events, "member_retry")
      assert.equal(1, #told)
      assert.same({ "m2", 0, 1, "auth" }, { told[1].model, told[1].wait_ms, told[1].attempt, told[1].error.kind })
    end)
  end)

  it("help against everything that is the model's or the vendor's own", function()
    for name, answer in pairs {
      auth = fault(401), permanent = fault(404), credit = fault(402), overloaded = fault(529),
      refusal = { content = "No.", finish_reason = "refusal" }, filter = { content = "", finish_reason = "content_filter" },
      empty = { content = "" }, html = { fault = "html" }, silence = { fault = "hang" },
    } do
      providers { first = answer, second = "yes" }
      assert.equal("ok", ask({ fallback = { SECOND } }).status, name)
    end
  end)

  it("do not help when the turn's time is over, nor against what is wrong with the request", function()
    local asked = providers { first = { content = "late", delay_ms = 5000 }, second = "yes" }
    assert.equal("timeout", ask({ fallback = { SECOND }, deadline_ms = 1000 }).status)
    assert.equal("error", ask({ fallback = { SECOND }, system = function() error "broken" end }).status)
    assert.equal(0, asked.second)
  end)

  it("take nothing over once an answer has begun, unless the stream may restart", function()
    local cut = { content = "half an answer", pieces = 2, fault = "cut", after = 1 }
    local asked = providers { first = cut, second = "whole" }
    assert.equal("error", ask({ stream = true, fallback = { SECOND } }).status)
    assert.equal(0, asked.second)
    providers { first = cut, second = "whole" }
    assert.equal("whole", ask({ stream = true, restart_stream = true, fallback = { SECOND } }).response.content)
    providers { first = cut, second = "whole" }
    assert.equal("whole", ask({ fallback = { SECOND } }).response.content)
  end)

  it("have capabilities of their own, and the member's for the rest", function()
    local seen
    providers { first = fault(400), second = function(request)
      seen = { request.model, request.temperature, request.max_tokens, request.member, request.provider }
      return "yes"
    end }
    ask { temperature = 0.5, max_tokens = 100, fallback = { { provider = "second", model = "m2", max_tokens = 7 } } }
    assert.same({ "m2", 0.5, 7, "a", "second" }, seen)
  end)

  it("keep the conversation: further requests of a turn go to the model that answered", function()
    local asked = providers { first = fault(400), second = "yes" }
    local tries = require "curia.engine.tries"
    helper.virtual(function()
      local twice = { name = "twice", build = function() return "Why?" end, parse = function() return nil end }
      local council = T.council { ids = { "a" }, members = { a = { provider = "first", fallback = { SECOND } } }, rounds = { twice } }
      local answer = tries.answer
      tries.answer = function(turn, request)
        local response = answer(turn, request)
        return response and answer(turn, request)
      end
      local ok, result = pcall(curia.run, council, "Why?")
      tries.answer = answer
      assert(ok, result)
      assert.same({ 1, 2, 3 }, { asked.first, asked.second, result.rounds[1].results.a.attempts })
    end)
  end)
end)

describe("the tries of a request", function()
  it("count for each request anew; the turn's attempts count all", function()
    local n = 0
    providers { first = function()
      n = n + 1
      return n % 2 == 1 and fault(503, { retry_after_ms = 1 }) or "yes"
    end }
    local tries = require "curia.engine.tries"
    local answer = tries.answer
    tries.answer = function(turn, request)
      answer(turn, request)
      return answer(turn, request)
    end
    local ok, got = pcall(ask, { retry = { attempts = 2 } })
    tries.answer = answer
    assert(ok, got)
    assert.same({ "ok", 4 }, { got.status, got.attempts })
  end)

  it("stay within 1.2 x calls + 3 under any faults, fallbacks being calls of their own", function()
    local numbers = random.new(20261128)
    local statuses = { 500, 503, 429, 529, 408, 400 }
    for _ = 1, 60 do
      local rate = numbers:number()
      local function unsteady()
        if numbers:number() > rate then return "yes" end
        return fault(statuses[numbers:integer(#statuses)], { retry_after_ms = 1 })
      end
      local asked = providers { first = unsteady, second = unsteady }
      helper.virtual(function()
        local ids, members = {}, {}
        for i = 1, numbers:integer(8) do
          ids[i] = "m" .. i
          members[ids[i]] = { provider = "first", fallback = numbers:number() < 0.5 and { SECOND } or nil }
        end
        local result = T.ask({ ids = ids, members = members, chair = { provider = "first", model = "m" } }, "Why?",
          { retry = { attempts = 4 } })
        local attempts, calls = 0, 0
        for _, round in ipairs(result.rounds) do
          for _, member in pairs(round.results) do
            attempts, calls = attempts + member.attempts, calls + (member.attempts > 0 and 1 or 0)
          end
        end
        assert.equal(attempts, asked.first + asked.second)
        assert.is_true(attempts <= 1.2 * (calls + asked.second) + 3)
      end)
    end
  end)
end)
