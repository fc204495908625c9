local curia = require "curia"
local estimate = require "curia.engine.estimate".estimate
local helper = require "spec.helper"
local T = require "spec.engine.support"

local PRICES = { m = { input = 1, output = 2 }, n = { input = 10, output = 20 } }

local function configure()
  curia.config { prices = PRICES, providers = { test = { adapter = "scripted", script = "yes" } } }
end

describe("curia.estimate", function()
  before_each(configure)

  it("counts the calls of every round, and the attempts that retries may make of them", function()
    local got = assert(estimate(T.council { chair = true, rounds = {
      { type = "independent_analysis" }, { type = "critique", members = { "a", "b" } } } }, "Why?"))
    assert.same({ min = 6, max = 6 }, got.calls)
    assert.equal(10, got.attempts)
    local names = {}
    for i, round in ipairs(got.rounds) do names[i] = ("%s %d"):format(round.name, round.calls.max) end
    assert.same({ "independent_analysis 3", "critique 2", "synthesis 1" }, names)
  end)

  it("asks the round itself where it knows better", function()
    local own = { name = "own", build = function() end, calls = function(round, plan) return 1, #plan.members * round.depth end,
      options = { depth = { type = "integer", doc = "how deep" } } }
    local council = curia.council "c" {
      curia.member "a" { provider = "test", model = "m" }, curia.member "b" { provider = "test", model = "m" },
      curia.round(own) { depth = 4 },
    }
    assert.same({ min = 1, max = 8 }, estimate(council, "x").calls)
  end)

  it("tells apart the models, and what each will cost", function()
    local got = estimate(T.council { ids = { "a", "b" }, members = { a = { max_tokens = 100 }, b = { model = "n" } } },
      ("x"):rep(400))
    assert.same({ "m", "n" }, { got.models[1].model, got.models[2].model })
    local m = got.models[1]
    assert.same({ 100, 100 }, { m.input_tokens.min, m.output_tokens.max })
    assert.equal((100 * 1 + 1 * 2) / 1e6, m.usd.min)
    assert.equal(got.models[1].usd.max + got.models[2].usd.max, got.usd.max)
    assert.is_true(got.tokens.min >= 200 and got.tokens.max > got.tokens.min)
  end)

  it("knows no dollars where a model has no price", function()
    local got = estimate(T.council { ids = { "a", "b" }, members = { a = { model = "unheard-of" } } }, "x")
    assert.is_nil(got.usd)
    assert.is_nil(got.models[1].usd)
    assert.is_number(got.models[2].usd.max)
  end)

  it("counts tool turns, repairs and fallbacks among what may come", function()
    configure()
    local council = T.council { ids = { "a" }, members = { a = { fallback = { { model = "n" } } } } }
    assert.equal(5, estimate(council, "x").attempts)
  end)

  it("names what has no bound", function()
    local free = estimate(T.council { run = print, members = { a = { provider = "test", model = "m" } } }, "x")
    assert.same({ min = 0 }, free.calls)
    assert.matches("asks as it likes", free.unknown[1])
    local lua = estimate(T.council { members = { b = { run = print } } }, "x")
    assert.equal(2, lua.calls.min)
    assert.matches("b in independent_analysis has no model of its own", lua.unknown[1])
    local elected = estimate(curia.council "c" { curia.member "a" { provider = "test", model = "m" },
      curia.round "independent_analysis" {}, curia.chair { elect = true } }, "x")
    assert.same({ min = 1, max = 1 }, elected.rounds[2].calls)
    assert.same({ min = 2 }, elected.calls)
  end)

  it("holds for a real run, and makes no call", function()
    local calls = 0
    curia.config { prices = PRICES, providers = { test = { adapter = "scripted", script = function(request)
      calls = calls + 1
      local bytes = 0
      for _, message in ipairs(request.messages) do bytes = bytes + #message.content end
      return { content = ("word "):rep(50), usage = { input_tokens = bytes // 4, output_tokens = 63 } }
    end } } }
    local council = T.council { chair = true, rounds = { { type = "independent_analysis" }, { type = "peer_review" } } }
    local got = estimate(council, "Why is it so?")
    assert.equal(0, calls)
    local result = helper.virtual(function() return curia.run(council, "Why is it so?") end)
    assert.equal(calls, got.calls.max)
    local used = result.usage.input_tokens + result.usage.output_tokens
    assert.is_true(got.tokens.min <= used and used <= got.tokens.max)
    assert.is_true(got.usd.min <= result.cost.usd and result.cost.usd <= got.usd.max)
  end)

  it("refuses what start refuses", function()
    assert.equal("invalid_council", select(2, estimate(curia.council "bad" {}, "x")).kind)
    assert.equal("validation", select(2, estimate(T.council {}, "x", { budgte = {} })).kind)
    assert.has_error(function() estimate(3) end)
  end)
end)
