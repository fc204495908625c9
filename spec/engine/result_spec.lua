local curia = require "curia"
local T = require "spec.engine.support"

local failing = { error = { status = 401, message = "no such key" } }
local REVIEW = { { type = "independent_analysis" }, { type = "anonymized_peer_review" } }

describe("a result", function()
  it("has the form of SPEC 12", function()
    T.script "yes"
    local result = T.ask({ chair = true, name = "form" }, { question = "Why?" }, { run_id = "form-1" })
    assert.same({ "form-1", "form", "ok" }, { result.run_id, result.council, result.status })
    assert.same({ question = "Why?" }, result.input)
    assert.equal(2, #result.rounds)
    assert.equal("yes", result.final.content)
    assert.is_number(result.duration_ms)
    assert.same({}, { table.unpack(result.errors) })
    for _, name in ipairs { "degraded", "dissent", "decision", "cost" } do assert.is_nil(result[name], name) end
    for i, round in ipairs(result.rounds) do
      assert.equal(i, round.idx)
      assert.equal("integer", math.type(round.started_at))
      assert.is_number(round.duration_ms)
    end
  end)

  it("is ok, partial or error", function()
    T.script "yes"
    assert.equal("ok", T.ask({}).status)
    T.answers { a = failing, b = "yes", c = "yes", chair = "yes" }
    assert.equal("partial", T.ask({ chair = true }).status)
    T.script(failing)
    assert.equal("error", T.ask({ chair = true }).status)
    T.answers { a = "yes", b = "yes", c = "yes", chair = failing }
    assert.equal("error", T.ask({ chair = true }).status)
  end)

  it("names who is missing, where and why", function()
    T.answers { a = failing, b = { content = "", finish_reason = "length" }, c = "yes", chair = "the end" }
    local result = T.ask { chair = true }
    assert.equal("partial", result.status)
    assert.same({ { member = "a", round = "independent_analysis", kind = "auth", message = "test: 401 auth: no such key" },
      { member = "b", round = "independent_analysis", kind = "invalid_output",
        message = "test: the answer is empty: its token limit was used up" } },
      { table.unpack(result.degraded.missing) })
    assert.equal(2, #result.degraded.reasons)
    assert.equal(2, #result.errors)
  end)

  it("tells the same failure once", function()
    T.answers { a = failing, b = "yes", c = "yes" }
    local result = T.ask({}, "Why?", { failure_mode = "fail_fast" })
    assert.equal(1, #result.errors)
  end)
end)

describe("the final answer", function()
  it("is the chair's", function()
    T.answers { a = "one", b = "two", c = "three", chair = "the end" }
    local result = T.ask { chair = true }
    assert.equal("the end", result.final.content)
    assert.equal(result.rounds[2].results.chair.response, result.final)
  end)

  it("without a chair is the only answer, or none, which is well", function()
    T.script "yes"
    assert.equal("yes", T.ask({ ids = { "a" } }).final.content)
    local result = T.ask {}
    assert.is_nil(result.final)
    assert.equal("ok", result.status)
    T.answers { a = failing, b = "yes", c = failing }
    result = T.ask {}
    assert.equal("yes", result.final.content)
    assert.equal("partial", result.status)
  end)

  -- All judges put the answer of `winner` first; each member answers in its own words.
  local function judged(winner)
    T.script(function(request)
      if request.round ~= "anonymized_peer_review" then return request.round .. " of " .. request.member end
      local labels = { a = "Response A", b = "Response B", c = "Response C" }
      local ordering = {}
      if request.member ~= winner then ordering[1] = labels[winner] end
      for _, id in ipairs { "a", "b", "c" } do
        if id ~= winner and id ~= request.member then ordering[#ordering + 1] = labels[id] end
      end
      return require("curia.json").encode { ordering = ordering, rationale = "because" }
    end)
  end

  it("without a chair is that of the decision's winner", function()
    judged "b"
    local result = T.ask { rounds = REVIEW }
    assert.equal("b", result.decision.winner)
    assert.equal("independent_analysis of b", result.final.content)
    assert.equal("ok", result.status)
  end)

  it("is the answer that was judged, not an earlier one nor a critique", function()
    judged "b"
    local result = T.ask { rounds = { { type = "independent_analysis", name = "first" },
      { type = "independent_analysis", name = "second" }, { type = "critique" }, { type = "anonymized_peer_review" } } }
    assert.equal("second of b", result.final.content)
  end)

  it("knows who would have had it otherwise, and asks no winner why it did not choose itself", function()
    T.script(function(request)
      if request.round ~= "anonymized_peer_review" then return "x" end
      return ({
        a = '{"ordering": ["Response C", "Response B"], "rationale": "c is deeper"}',
        b = '{"ordering": ["Response A", "Response C"], "rationale": "a is right"}',
        c = '{"ordering": ["Response B", "Response A"], "rationale": "b is best"}',
      })[request.member]
    end)
    local result = T.ask { rounds = REVIEW }
    assert.equal("a", result.decision.winner)
    assert.same({ { member = "c", round = "anonymized_peer_review", choice = "b", rationale = "b is best" } }, result.dissent)
  end)
end)

describe("usage and cost", function()
  local function usage(input, output, more)
    local made = { input_tokens = input, output_tokens = output }
    for name, value in pairs(more or {}) do made[name] = value end
    return made
  end

  it("are summed; what nobody said stays unknown", function()
    T.answers { a = { content = "x", usage = usage(1, 2, { cached_tokens = 5 }) }, b = { content = "x", usage = usage(10, 20) },
      c = { content = "x", usage = false } }
    local result = T.ask {}
    assert.same({ input_tokens = 11, output_tokens = 22, cached_tokens = 5 }, result.usage)
    T.script { content = "x", usage = false }
    assert.same({}, T.ask({}).usage)
  end)

  it("count calls that cannot be priced beside those that can", function()
    T.answers { a = { content = "x", cost = 0.5 }, b = { content = "x", cost = 0.25 }, c = "x" }
    local result = T.ask {}
    assert.same({ usd = 0.75, source = "provider", unpriced_calls = 1 }, result.cost)
    T.script "x"
    assert.is_nil(T.ask({}).cost)
  end)

  it("come from the provider, from prices, or both", function()
    curia.config { prices = { ["priced"] = { input = 1000000, output = 2000000 } } }
    T.answers { a = { content = "x", usage = usage(1, 2), model = "priced" }, b = { content = "x", cost = 0.5 } }
    local result = T.ask { ids = { "a", "b" } }
    assert.same({ usd = 5.5, source = "mixed" }, result.cost)
    assert.same({ usd = 5, source = "price_table" }, result.rounds[1].results.a.response.cost)
  end)

  it("include answers that were none, which were paid for", function()
    T.script { content = "no", finish_reason = "refusal", usage = usage(3, 4) }
    assert.same(usage(3, 4), T.ask({ ids = { "a" } }).usage)
  end)
end)
