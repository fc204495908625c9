local curia = require "curia"
local helper = require "spec.helper"
local T = require "spec.engine.support"

local BROKEN = { error = { status = 400, message = "no chair today" } }

-- A round that decides for an order of the members.
local function ranking(...)
  local order = { ... }
  return { name = "ballots", build = function() return "Rank." end,
    aggregate = function()
      return { rule = "peer_ranking", winner = order[1], ranking = order, scores = { [order[1]] = 1, [order[2]] = 0 },
        margin = 1, tie = false, ballots_used = {}, discarded = {}, effective_voters = 3, detail = {} }
    end }
end

local ROUNDS = { { type = "independent_analysis" } }

-- Providers: `test` answers with the member's id; `broken` never does; `spare` says "spare".
local function run(body, opts)
  curia.config { providers = {
    test = { adapter = "scripted", script = function(request) return request.model .. " as " .. request.member end },
    broken = { adapter = "scripted", script = BROKEN }, spare = { adapter = "scripted", script = "spare" },
  } }
  body.members = body.members or { a = { model = "ma" }, b = { model = "mb" }, c = { model = "mc" } }
  body.rounds = body.rounds or ROUNDS
  return helper.virtual(function()
    local result, err = curia.run(T.council(body), "Why?", opts)
    return { result = result, err = err, chairs = result and result.rounds[#result.rounds].results.chair }
  end)
end

local function reasons(result)
  return table.concat(result.degraded and result.degraded.reasons or {}, "\n")
end

describe("a chair that fails", function()
  it("is an error that keeps all rounds, where nothing stands in for it", function()
    local got = run { chair = { provider = "broken" } }
    assert.same({ "error", "permanent", 2 }, { got.result.status, got.err.kind, #got.result.rounds })
    assert.equal("ok", got.result.rounds[1].results.a.status)
  end)

  it("asks its own fallback first", function()
    local got = run { chair = { provider = "broken", fallback = { { provider = "spare", model = "s" } }, elect = true },
      without_chair = "best" }
    assert.same({ "ok", "spare", "spare" }, { got.result.status, got.result.final.content, got.chairs.provider })
    assert.is_nil(got.result.degraded)
  end)
end)

describe("an election", function()
  it("makes the best-ranked member of the last decision the chair", function()
    local got = run { chair = { provider = "broken", system = "You conclude.", elect = true },
      rounds = { ROUNDS[1], ranking("b", "a", "c") } }
    assert.same({ "partial", "mb as chair", "mb", "b" }, { got.result.status, got.result.final.content, got.chairs.model,
      got.result.rounds[3].metadata.elected })
    assert.matches("chair did not answer in synthesis: permanent; b was elected in its place", reasons(got.result), nil, true)
    local gap = got.result.degraded.missing[1]
    assert.same({ "chair", "synthesis", "permanent" }, { gap.member, gap.round, gap.kind })
  end)

  it("takes the first member that has answered where nothing was decided", function()
    local got = run { chair = { provider = "broken", elect = true },
      members = { a = { provider = "broken" }, b = { model = "mb" }, c = { model = "mc" } } }
    assert.equal("mb as chair", got.result.final.content)
  end)

  it("passes over the best-ranked where it has not answered, or has no model", function()
    local got = run { chair = { provider = "broken", elect = true }, rounds = { ROUNDS[1], ranking("a", "b", "c") },
      members = { a = { provider = "broken" }, b = { run = function() return "in Lua" end }, c = { model = "mc" } } }
    assert.equal("mc as chair", got.result.final.content)
  end)

  it("is the council's way to a chair where the chair has no model of its own", function()
    curia.config { providers = { test = { adapter = "scripted", script = function(request) return request.model end } } }
    helper.virtual(function()
      local council = curia.council "electing" {
        curia.member "a" { provider = "test", model = "ma" }, curia.member "b" { provider = "test", model = "mb" },
        curia.round "independent_analysis" {}, curia.round(ranking("b", "a")) {}, curia.chair { elect = true },
      }
      local result = curia.run(council, "Why?")
      assert.same({ "ok", "mb", "b" }, { result.status, result.final.content, result.rounds[3].metadata.elected })
      assert.is_nil(result.degraded)
    end)
  end)

  it("is held once: an elected member that fails is not asked again", function()
    local asked = 0
    curia.config { providers = { test = { adapter = "scripted", script = function(request)
      if request.round ~= "synthesis" then return "yes" end
      asked = asked + 1
      return BROKEN
    end } } }
    helper.virtual(function()
      local council = curia.council "electing" {
        curia.member "a" { provider = "test", model = "ma" }, curia.round "independent_analysis" {}, curia.chair { elect = true },
      }
      assert.same({ "error", 1 }, { curia.run(council, "Why?").status, asked })
    end)
  end)

  it("is not held where the chair answers by a function", function()
    local got = run { chair = { elect = true, run = function() return "in Lua" end } }
    assert.same({ "ok", "in Lua" }, { got.result.status, got.result.final.content })
  end)

  it("is told as an error where nobody can be elected", function()
    helper.virtual(function()
      local council = curia.council "electing" {
        curia.member "a" { run = function() return "in Lua" end }, curia.round "independent_analysis" {},
        curia.chair { elect = true },
      }
      local result, err = curia.run(council, "Why?")
      assert.same({ "error", "validation" }, { result.status, err.kind })
      assert.matches("nobody has answered who could be elected", err.message)
      assert.equal("in Lua", result.rounds[1].results.a.response.content)
    end)
  end)

  it("is followed by the best answer, should the elected member fail too", function()
    run { chair = { provider = "broken" } }
    curia.config { providers = { test = { adapter = "scripted", script = function(request)
      return request.round == "synthesis" and BROKEN or "good"
    end } } }
    helper.virtual(function()
      local result = T.ask { ids = { "a" }, chair = { provider = "broken", elect = true }, without_chair = "best" }
      assert.same({ "partial", "good" }, { result.status, result.final.content })
      assert.same({ member = "a", by = "order" }, result.metadata.without_chair)
    end)
  end)
end)

describe('without_chair = "best"', function()
  it("lets the best answer stand as it is, and says whose it is", function()
    local got = run { chair = { provider = "broken" }, without_chair = "best", rounds = { ROUNDS[1], ranking("c", "a", "b") } }
    assert.same({ "partial", "mc as c" }, { got.result.status, got.result.final.content })
    assert.same({ member = "c", by = "peer_ranking" }, got.result.metadata.without_chair)
    assert.matches("c's stands, first by peer_ranking", reasons(got.result), nil, true)
    assert.equal(got.result.rounds[1].results.c.response, got.result.final)
  end)

  it("changes nothing while the chair answers", function()
    local got = run { chair = { provider = "test" }, without_chair = "best" }
    assert.same({ "ok", "m as chair" }, { got.result.status, got.result.final.content })
    assert.is_nil(got.result.metadata.without_chair)
  end)

  it("does not make an answer of a run that failed otherwise", function()
    local got = run({ chair = { provider = "broken" }, without_chair = "best" }, { failure_mode = "fail_fast" })
    assert.equal("error", got.result.status)
    got = run { chair = { provider = "broken" }, without_chair = "best",
      members = { a = { provider = "broken" }, b = { provider = "broken" }, c = { provider = "broken" } } }
    assert.equal("error", got.result.status)
  end)
end)
