local T = require "spec.engine.support"

-- A round of one's own whose members' parsed answers are given, counted by a rule.
local function counted(ballots, options, body)
  local kind = { name = "mine", build = function() return "x" end,
    parse = function(_, member) return ballots[member.id] end }
  local round = { type = kind }
  for name, value in pairs(options) do round[name] = value end
  body = body or {}
  body.rounds = { round }
  local result, err = T.ask(body)
  return result.rounds[1], result, err
end

local function list(of) return { table.unpack(of) } end

local TIE = { a = { choice = "x" }, b = { choice = "y" }, c = { discarded = "said nothing" } }

describe("the ballots of a round", function()
  before_each(function() T.script "yes" end)

  it("are counted by the rule that the council names, where the round does not decide itself", function()
    local round, result = counted({ a = { choice = "x", rationale = "why not" }, b = { choice = "x" }, c = { choice = "y" } },
      { rule = "plurality" })
    assert.same({ "x", "plurality", 3 }, { round.decision.winner, round.decision.rule, round.decision.effective_voters })
    assert.equal(round.decision, result.decision)
    assert.equal("why not", round.decision.ballots_used[1].rationale)
    assert.same({ { member = "c", round = "mine", choice = "y" } }, result.dissent)
  end)

  it("are left to a round that decides itself", function()
    local kind = { name = "mine", build = function() return "x" end, aggregate = function(ctx) return {
      winner = ctx.opts.rule, ranking = {}, scores = {}, ballots_used = {} } end }
    assert.equal("borda", T.ask({ rounds = { { type = kind, rule = "borda" } } }).decision.winner)
  end)

  it("are counted too where the round asks in its own way", function()
    local kind = { name = "mine", run = function(ctx)
      for _, member in ipairs(ctx.members) do
        ctx:ask(member, "which?", { parse = function() return { choice = member.id == "a" and "x" or "y" } end })
      end
    end }
    assert.equal("y", T.ask({ rounds = { { type = kind, rule = "plurality" } } }).decision.winner)
    assert.is_nil(T.ask({ rounds = { { type = kind } } }).decision)
  end)

  it("come in the order of the council, with weight and confidence of their voters", function()
    local seen
    counted({ a = { choice = "x", confidence = 0.5 }, b = { choice = "x" }, c = { choice = "y" } }, { rule = function(ballots)
      seen = ballots
      return { winner = "x" }
    end }, { members = { b = { weight = 3 } } })
    assert.same({ { voter = "a", choice = "x", confidence = 0.5 }, { voter = "b", choice = "x", weight = 3 },
      { voter = "c", choice = "y" } }, seen)
  end)

  it("that are none are named, not dropped", function()
    local round = counted({ a = { choice = "x" }, b = { length = 3 } }, { rule = "plurality" })
    assert.same({ { voter = "b", reason = "no ballot could be read" }, { voter = "c", reason = "no ballot could be read" } },
      list(round.decision.discarded))
    assert.equal("x", round.decision.winner)
  end)

  it("of those that failed are none", function()
    T.answers { a = "yes", b = { error = 401 }, c = "yes" }
    local round = counted({ a = { choice = "x" }, b = { choice = "y" }, c = { choice = "x" } }, { rule = "plurality" })
    assert.equal(2, round.decision.effective_voters)
    assert.same({}, list(round.decision.discarded))
  end)

  it("are counted by nobody's rule that fails", function()
    local round, _, err = counted(TIE, { rule = function() error("broken on purpose", 0) end })
    assert.is_nil(round.decision)
    assert.equal("script", err.kind)
    assert.matches("broken on purpose", err.message)
  end)
end)

describe("a tie", function()
  before_each(function() T.script "yes" end)

  it("is broken by name, by chance from the run's dice, or by a function", function()
    local round = counted(TIE, { rule = "plurality" })
    assert.same({ "x", true, "first" }, { round.decision.winner, round.decision.tie, round.decision.detail.tie_break })
    round = counted(TIE, { rule = "plurality", tie_break = function(ids) return ids[#ids] end })
    assert.same({ "y", "function" }, { round.decision.winner, round.decision.detail.tie_break })
    local seen = {}
    for seed = 1, 20 do
      local made = T.council { rounds = { { rule = "plurality", tie_break = "random", type = { name = "mine",
        build = function() return "x" end, parse = function(_, member) return TIE[member.id] end } } } }
      local winner = require("curia").run(made, "x", { seed = seed }).decision.winner
      assert.equal(winner, require("curia").run(made, "x", { seed = seed }).decision.winner)
      seen[winner] = true
    end
    assert.same({ x = true, y = true }, seen)
  end)

  -- What the chair is asked and what becomes of the tie.
  local function chaired(answer, options)
    local asked
    T.script(function(request)
      if request.member ~= "chair" then return "yes" end
      if request.round ~= "mine" then return "the end" end
      asked = request.messages[#request.messages].content
      return answer
    end)
    options = options or {}
    options.rule, options.tie_break = "plurality", "chair"
    local round, result, err = counted(TIE, options, { chair = true, retry = { attempts = 1 } })
    return round, asked, result, err
  end

  it("is broken by the chair, which sees what is tied", function()
    local round, asked, result = chaired '{"choice": "y", "rationale": "it is better"}'
    assert.matches("- x\n\n- y", asked, nil, true)
    assert.equal("y", chaired('FINAL CHOICE: "Y."').decision.winner)
    assert.same({ "y", true }, { round.decision.winner, round.decision.tie })
    assert.same({ by = "chair", choice = "y", rationale = "it is better" }, round.decision.detail.tie_break)
    assert.equal("y", round.decision.ranking[1])
    assert.equal("ok", round.results.chair.status)
    assert.equal("the end", result.final.content)
  end)

  it("stays where the chair fails or talks nonsense, and says so", function()
    for answer, wanted in pairs {
      ['{"choice": "z"}'] = "names none of the tied: z", ["I cannot choose."] = "no choice could be read",
    } do
      local round = chaired(answer)
      assert.is_nil(round.decision.winner)
      assert.same({ true, wanted }, { round.decision.tie, round.decision.detail.tie_break.error })
    end
    local round, _, result = chaired { error = 401 }
    assert.is_nil(round.decision.winner)
    assert.matches("auth", round.decision.detail.tie_break.error)
    assert.equal("partial", result.status)
  end)

  it("waits for the chair no longer than the round may take", function()
    require("spec.helper").virtual(function()
      local round, _, result = chaired({ content = '{"choice": "y"}', delay_ms = 60000 }, { timeout = "1s" })
      assert.is_nil(round.decision.winner)
      assert.is_true(round.duration_ms <= 1001)
      assert.equal("the end", result.final.content)
    end)
  end)

  it("for a chair needs one", function()
    T.script "yes"
    local _, err = T.ask { rounds = { { type = "vote", options = { "x", "y" }, tie_break = "chair" } } }
    assert.equal("invalid_council", err.kind)
    assert.same({ path = "rounds[1].tie_break", code = "conflict", message = "the council has no chair to break a tie" },
      err.context.faults[1])
  end)

  it("that a round of one's own leaves to the chair is its too", function()
    T.script(function(request) return request.member == "chair" and '{"choice": "y"}' or "yes" end)
    local kind = { name = "mine", build = function() return "x" end, aggregate = function(ctx)
      return ctx:decide("plurality", { { choice = "x" }, { choice = "y" } }, { tie_break = "chair" })
    end }
    local decision = T.ask({ chair = true, rounds = { { type = kind, tie_break = "chair" } } }).decision
    assert.same({ "y", "y" }, { decision.winner, decision.detail.tie_break.choice })
  end)

  it("between members shows the chair what they have answered", function()
    local asked
    T.script(function(request)
      if request.member ~= "chair" then return "the words of " .. request.member end
      if request.round == "mine" then asked = request.messages[#request.messages].content end
      return '{"choice": "b"}'
    end)
    local kind = { name = "mine", build = function() return "x" end,
      parse = function(_, member) return { choice = member.id == "c" and "c" or "b" } end }
    local result = T.ask { chair = true, ids = { "b", "c" }, rounds = { { type = "independent_analysis" },
      { type = kind, rule = "plurality", tie_break = "chair" } } }
    assert.matches('<answer from="b">\nthe words of b\n</answer>', asked, nil, true)
    assert.equal("b", result.decision.winner)
  end)

  it("that does not exist asks no chair", function()
    T.script(function(request)
      assert.is_true(request.member ~= "chair" or request.round ~= "vote")
      return '{"choice": "x"}'
    end)
    local result = T.ask { chair = true, rounds = { { type = "vote", options = { "x", "y" }, tie_break = "chair" } } }
    assert.equal("x", result.rounds[1].decision.winner)
    assert.is_nil(result.rounds[1].results.chair)
  end)
end)
