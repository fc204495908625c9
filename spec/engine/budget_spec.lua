local budgets = require "curia.engine.budget"
local curia = require "curia"
local helper = require "spec.helper"
local random = require "curia.engine.random"
local T = require "spec.engine.support"

local PRICES = { m = { input = 1, output = 1 } } -- a dollar for a million tokens

local function configure(script)
  curia.config { prices = PRICES, providers = { test = { adapter = "scripted", script = script } } }
end

-- An answer that has used so many tokens.
local function used(input, output, more)
  local made = { content = "yes", usage = { input_tokens = input, output_tokens = output } }
  for name, value in pairs(more or {}) do made[name] = value end
  return made
end

local TWICE = { { type = "independent_analysis", name = "first" }, { type = "independent_analysis", name = "second" } }

local function run(body, opts)
  return helper.virtual(function()
    local result, err = curia.run(T.council(body), "Why?", opts)
    return { result = result, err = err }
  end)
end

local function kinds(round)
  local found = {}
  for id, member in pairs(round.results) do found[id] = member.error and member.error.kind or member.status end
  return found
end

describe("a budget of calls", function()
  before_each(function() configure(used(10, 10)) end)

  it("lets no further call start, and the run fails with all rounds kept", function()
    local got = run { rounds = TWICE, budget = { calls = 4 } }
    assert.same({ "error", "budget", "calls" }, { got.result.status, got.err.kind, got.err.code })
    assert.equal(got.err, got.result.errors[1])
    assert.same({ a = "ok", b = "ok", c = "ok" }, kinds(got.result.rounds[1]))
    assert.same({ a = "ok", b = "budget", c = "budget" }, kinds(got.result.rounds[2]))
    assert.same({ 1, 0 }, { got.result.rounds[2].results.a.attempts, got.result.rounds[2].results.b.attempts })
  end)

  it("is no fault where it just suffices", function()
    assert.equal("ok", run({ rounds = TWICE, budget = { calls = 6 } }).result.status)
  end)

  it("counts retries and fallbacks: every attempt is a call", function()
    configure { error = { status = 503, retry_after_ms = 1 } }
    local got = run { ids = { "a" }, budget = { calls = 1 } }
    assert.same({ "budget", 1 }, { got.err.kind, got.result.rounds[1].results.a.attempts })
  end)

  it("of the run's options and of the council hold both", function()
    assert.equal("budget", run({ rounds = TWICE, budget = { calls = 6 } }, { budget = { calls = 5 } }).err.kind)
    assert.equal("budget", run({ rounds = TWICE, budget = { calls = 5 } }, { budget = { calls = 6 } }).err.kind)
  end)

  it("ends a script that would go on asking", function()
    local got = run { budget = { calls = 2 }, run = function(ctx)
      while true do pcall(ctx.ask, ctx, "a", "again") ctx:ask("b", "again") end
    end, members = { a = { provider = "test", model = "m" }, b = { provider = "test", model = "m" } } }
    assert.equal("budget", got.err.kind)
    assert.is_true(#got.result.rounds >= 1)
  end)
end)

describe("a budget of tokens", function()
  it("counts what was used, and asks one after another where estimates leave no room for two", function()
    configure(used(100, 100, { delay_ms = 10 }))
    local fields = { max_tokens = 500 }
    local members = { a = fields, b = fields, c = fields }
    local got = run { members = members, budget = { tokens = 1000 } }
    assert.equal("ok", got.result.status)
    assert.same({ 300, 300 }, { got.result.usage.input_tokens, got.result.usage.output_tokens })
    got = run { members = members, budget = { tokens = 800 } }
    assert.same({ a = "ok", b = "ok", c = "budget" }, kinds(got.result.rounds[1]))
    assert.matches("800 tokens are all that the run may use: it has used 400 tokens, and the next call may need 50%d tokens",
      got.err.message)
  end)

  it("counts what its provider does not tell as it was estimated", function()
    helper.run(function()
      local budget = budgets.new({ budget = { tokens = 1000 } }, { spec = {} })
      local function spend(response, begun)
        local claim = budget:claim({ max_tokens = 400 }, { messages = {} }, false)
        claim:settle(response, begun)
        return budget.spent.tokens
      end
      assert.equal(400, spend({ usage = {} }))
      assert.equal(400, spend(nil, false))
      assert.equal(800, spend(nil, true))
      local claim, err = budget:claim({ max_tokens = 400 }, { messages = {} }, false)
      assert.same({ nil, "budget" }, { claim, err.kind })
    end)
  end)
end)

describe("a budget of money", function()
  it("is held by the price table", function()
    configure(used(1000, 1000))
    local fields = { max_tokens = 1000 }
    local body = { rounds = TWICE, members = { a = fields, b = fields, c = fields } }
    local got = run(body, { budget = { usd = 0.0069 } })
    assert.same({ "budget", "usd" }, { got.err.kind, got.err.code })
    assert.equal(0.006, tonumber(("%.6f"):format(got.result.cost.usd)))
    assert.equal("ok", run(body, { budget = { usd = 0.0125 } }).result.status)
  end)

  it("is refused for a model without a price, in the council and in the options", function()
    configure "yes"
    local body = { members = { b = { model = "unheard-of" }, c = { fallback = { { model = "nor-of" } } } } }
    local got = run(body, { budget = { usd = 1 } })
    assert.same({ nil, "validation", 2 }, { got.result, got.err.kind, #got.err.context.faults })
    assert.equal("members[2].model", got.err.context.faults[1].path)
    assert.equal("members[3].fallback[1].model", got.err.context.faults[2].path)
    assert.equal("ok", run(body, { budget = { usd = 1 }, offline = true }).result.status)
    body.budget = { usd = 1 }
    got = run(body)
    assert.same({ "invalid_council", 2 }, { got.err.kind, #got.err.context.faults })
  end)
end)

describe("a budget of time", function()
  it("ends the run like a deadline, but as a budget; what was answered is kept", function()
    configure(used(1, 1, { delay_ms = 600 }))
    local got = run { rounds = TWICE, budget = { wall = "1s" } }
    assert.same({ "budget", "wall_ms" }, { got.err.kind, got.err.code })
    assert.same({ a = "ok", b = "ok", c = "ok" }, kinds(got.result.rounds[1]))
    assert.equal("deadline", got.result.rounds[2].results.a.error.kind)
    assert.equal(1000, math.floor(got.result.duration_ms))
  end)

  it("leaves a nearer deadline its own kind", function()
    configure(used(1, 1, { delay_ms = 600 }))
    assert.equal("deadline", run({ budget = { wall_ms = 1000 } }, { deadline_ms = 500 }).err.kind)
    assert.equal("ok", run({ budget = { wall_ms = 1000 } }, { deadline_ms = 5000 }).result.status)
  end)
end)

describe('on_budget = "conclude"', function()
  it("goes straight to the chair, whose call was kept in reserve", function()
    configure(used(10, 10))
    local got = run { rounds = TWICE, chair = true, budget = { calls = 4 }, on_budget = "conclude" }
    assert.same({ "partial", "yes" }, { got.result.status, got.result.final.content })
    assert.same({ a = "ok", b = "ok", c = "ok" }, kinds(got.result.rounds[1]))
    assert.equal("budget", got.result.rounds[2].results.a.error.kind)
    assert.equal("ok", got.result.rounds[3].results.chair.status)
    assert.matches("the council concluded with what there was", table.concat(got.result.degraded.reasons, "\n"))
  end)

  it("leaves out the rounds that are still to come", function()
    configure(used(10, 10))
    local rounds = { TWICE[1], TWICE[2], { type = "independent_analysis", name = "third" } }
    local got = run({ rounds = rounds, chair = true }, { budget = { calls = 5 }, on_budget = "conclude" })
    assert.same({ "first", "second", "synthesis" },
      { got.result.rounds[1].name, got.result.rounds[2].name, got.result.rounds[3].name })
  end)

  it("keeps tokens for what the chair will read", function()
    configure(used(100, 400))
    local fields = { max_tokens = 400 }
    local got = run { rounds = TWICE, members = { a = fields, b = fields, c = fields },
      chair = { max_tokens = 400 }, budget = { tokens = 4000 }, on_budget = "conclude" }
    assert.equal("partial", got.result.status)
    local usage = got.result.usage
    assert.is_true(usage.input_tokens + usage.output_tokens <= 4000)
  end)

  it("holds for the time too", function()
    configure(used(1, 1, { delay_ms = 600 }))
    local got = run { rounds = TWICE, chair = true, budget = { wall_ms = 1000 }, on_budget = "conclude" }
    assert.same({ "partial", 1600 }, { got.result.status, math.floor(got.result.duration_ms) })
  end)

  it("fails where there is nothing to conclude from, or no chair", function()
    configure(used(1, 1))
    assert.equal("budget", run({ chair = true, budget = { calls = 1 }, on_budget = "conclude" }).err.kind)
    assert.equal("budget", run({ budget = { calls = 2 }, on_budget = "conclude" }).err.kind)
  end)

  it("lets a script conclude by itself", function()
    configure(used(1, 1))
    local got = run { budget = { calls = 2 }, on_budget = "conclude", run = function(ctx)
      local last
      for _ = 1, 10 do
        local asked = ctx:ask "a"
        if asked.status ~= "ok" then break end
        last = asked
      end
      return last.response.content
    end, members = { a = { provider = "test", model = "m" } }, ids = { "a" } }
    assert.same({ "partial", "yes" }, { got.result.status, got.result.final.content })
  end)
end)

describe("budgets under any use", function()
  it("are never exceeded by more than the calls under way", function()
    local numbers = random.new(42)
    for _ = 1, 80 do
      local most = numbers:integer(200)
      configure(function()
        if numbers:number() < 0.2 then return { error = { status = 503, retry_after_ms = 1 } } end
        return used(numbers:integer(20), numbers:integer(most), { delay_ms = numbers:integer(50) })
      end)
      local limit, calls = numbers:integer(1500), numbers:integer(12)
      local fields = { max_tokens = 100 }
      local got = run({ rounds = TWICE, members = { a = fields, b = fields, c = fields }, chair = numbers:number() < 0.5 or nil },
        { budget = { tokens = limit, calls = calls }, on_budget = numbers:number() < 0.5 and "conclude" or nil })
      local usage, attempts = got.result.usage, 0
      for _, round in ipairs(got.result.rounds) do
        for _, member in pairs(round.results) do attempts = attempts + member.attempts end
      end
      assert.is_true(attempts <= calls)
      assert.is_true((usage.input_tokens or 0) + (usage.output_tokens or 0) <= limit + 4 * 220)
    end
  end)
end)
