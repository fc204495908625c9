local T = require "spec.rules.support"
local curia = require "curia"
local random = require "curia.engine.random"
local rules = require "curia.rules"

describe("deciding", function()
  it("takes a shipped rule's name, a registered one, or a function", function()
    assert.equal("a", curia.decide("plurality", T.choices "aab").winner)
    curia.register("rule", "spec_rule", function() return { winner = "r" } end)
    assert.equal("r", curia.decide("spec_rule", {}).winner)
    curia.unregister("rule", "spec_rule")
    local d = curia.decide(function(ballots, opts) return { winner = opts.x .. #ballots } end, T.choices "a", { x = "mine" })
    assert.equal("mine1", d.winner)
  end)

  it("has a module for each rule that councils may name", function()
    for _, name in ipairs(rules.names) do assert.is_function(require("curia.rules." .. name), name) end
  end)

  it("names the nearest rule, shipped or registered, for a wrong one", function()
    assert.error_matches(function() curia.decide("bord", {}) end, "unknown rule 'bord'; did you mean 'borda'")
    curia.register("rule", "loudest", function() return {} end)
    assert.error_matches(function() curia.decide("loudst", {}) end, "did you mean 'loudest'")
    curia.unregister("rule", "loudest")
    assert.error_matches(function() curia.decide(nil, {}) end, "unknown rule 'nil'")
  end)

  it("raises for wrong arguments and options, where it was called", function()
    for message, call in pairs {
      ["bad argument #2 to 'decide'"] = function() curia.decide("borda", "abc") end,
      ["bad argument #3 to 'decide'"] = function() curia.decide("borda", {}, "first") end,
      ["borda: unknown field 'tie_brek'; did you mean 'tie_break'?"] = function()
        curia.decide("borda", {}, { tie_brek = "first" })
      end,
      ["tie_break must be one of first, random, chair"] = function() curia.decide("borda", {}, { tie_break = "frist" }) end,
      ["needs random"] = function() curia.decide("borda", {}, { tie_break = "random" }) end,
      ["options names 'a' twice"] = function() curia.decide("borda", {}, { options = { "a", "a" } }) end,
      ["item 1 of options is no text"] = function() curia.decide("borda", {}, { options = { 1 } }) end,
      ["weights"] = function() curia.decide("borda", {}, { weights = { a = -1 } }) end,
    } do
      assert.error_matches(call, message)
      local _, err = pcall(call)
      assert.matches("rules/init_spec.lua:%d+: ", err)
    end
  end)

  it("fills in what a user's rule leaves out", function()
    local ballots = T.choices "ab"
    local d = rules.decide(function() return { winner = "a", scores = { a = 1 } } end, ballots)
    assert.same({ "function", "a", 0, false, 2 }, { d.rule, d.winner, d.margin, d.tie, d.effective_voters })
    assert.same({ { "a" }, ballots, {}, {} }, { T.plain(d.ranking), T.plain(d.ballots_used), T.plain(d.discarded), d.detail })
    assert.same({}, T.plain(rules.decide(function() return {} end, {}).ranking))
  end)

  it("refuses a decision of the wrong shape", function()
    for message, made in pairs {
      ["a decision is a table, not a string"] = "a", ["unknown field 'winer'; did you mean 'winner'"] = { winer = "a" },
      ["margin must be between 0 and 1"] = { margin = 2 }, ["ranking must be a list"] = { ranking = "a" },
      ["scores"] = { scores = { a = "much" } },
    } do assert.error_matches(function() rules.decide(function() return made end, {}) end, message) end
  end)

  it("lets users make rules as the shipped ones are made", function()
    local longest = rules.new {
      name = "longest", reads = "choice",
      count = function(electorate)
        local scores = {}
        for _, id in ipairs(electorate.options) do scores[id] = #id end
        return { scores = scores, margin = function() return 1 end }
      end,
    }
    local d = rules.decide(longest, { { choice = "short" }, { choice = "the longest" } })
    assert.same({ "longest", "the longest" }, { d.rule, d.winner })
  end)

  describe("for every rule", function()
    local everything = {
      { voter = "x", choice = "a", confidence = 1, ordering = { "a", "b" }, approvals = { "a" }, scores = { a = 2, b = 1 },
        grades = { a = "good", b = "poor" } },
      { voter = "y", choice = "b", confidence = 1, ordering = { "b", "a" }, approvals = { "b" }, scores = { a = 1, b = 2 },
        grades = { a = "poor", b = "good" } },
    }
    local breakable = {}
    for _, name in ipairs(rules.names) do
      local never = name == "majority" or name == "unanimous" or name == "condorcet"
      breakable[#breakable + 1] = not never and name or nil
    end

    it("nothing is decided without ballots", function()
      for _, name in ipairs(rules.names) do
        local d = rules.decide(name, {}, { options = { "a", "b" } })
        assert.is_nil(d.winner, name)
        assert.same({ 0, false, 0, {} }, { d.margin, d.tie, d.effective_voters, T.plain(d.ranking) }, name)
      end
    end)

    it("a sole voter decides", function()
      for _, name in ipairs(rules.names) do
        local d = rules.decide(name, { everything[1] })
        assert.same({ "a", false, 1 }, { d.winner, d.tie, d.effective_voters }, name)
      end
    end)

    it("a voter of weight 0 does not", function()
      for _, name in ipairs(rules.names) do
        assert.equal("b", rules.decide(name, everything, { weights = { x = 0 } }).winner, name)
        assert.is_nil(rules.decide(name, { everything[1] }, { weights = { x = 0 } }).winner, name)
      end
    end)

    it("great weights and scores do not wrap around", function()
      for _, name in ipairs(rules.names) do
        local d = rules.decide(name, everything, { weights = { x = 10 ^ 12 // 1 | 0, y = 1 } })
        assert.is_true(d.margin >= 0 and d.margin <= 1 and d.effective_voters >= 1 and d.effective_voters < 1.001, name)
        assert.is_true(name == "unanimous" or d.winner == "a", name)
      end
      local d = rules.decide("mean", { { scores = { a = 10 ^ 12 // 1 | 0, b = 1 }, weight = 10 ^ 12 // 1 | 0 } })
      assert.equal(1e12, d.scores.a)
    end)

    it("bad ballots are discarded, each with a reason, and change nothing", function()
      local bad = {
        { voter = "x", choice = "b", confidence = 1, ordering = { "b" }, approvals = { "b" }, scores = { b = 9 }, grades = { b = "good" } },
        { voter = "u", choice = "z", confidence = 1, ordering = { "z" }, approvals = { "z" }, scores = { z = 1 }, grades = { z = "good" } },
        { voter = "e" }, "a", { voter = 7, choice = "b", confidence = 1, ordering = { "b" }, approvals = { "b" }, scores = { b = 9 },
          grades = { b = "good" } },
        { voter = "s", discarded = "no JSON" }, false, 0 / 0,
        { voter = "w", weight = 0 / 0, choice = "b", confidence = 1, ordering = { "b" }, approvals = { "b" }, scores = { b = 9 },
          grades = { b = "good" } },
      }
      for _, name in ipairs(rules.names) do
        local ballots = { everything[1] }
        for _, ballot in ipairs(bad) do ballots[#ballots + 1] = ballot end
        local d = rules.decide(name, ballots, { options = { "a", "b" } })
        assert.same({ "a", 1, #bad }, { d.winner, #d.ballots_used, #d.discarded }, name)
        assert.same({ voter = "x", reason = "another ballot of this voter counts already" }, d.discarded[1])
        assert.matches("an unknown option: z", d.discarded[2].reason)
        assert.same({ voter = "ballot 5", reason = "it is no ballot" }, d.discarded[4])
        assert.equal("no JSON", d.discarded[6].reason)
      end
    end)

    it("ties go to the first by id, to the dice, to a function, or to the chair", function()
      for _, name in ipairs(breakable) do
        local d = rules.decide(name, everything)
        assert.same({ "a", true, "first", 0 }, { d.winner, d.tie, d.detail.tie_break, d.margin }, name)
        assert.same({ "a", "b" }, T.plain(d.tied), name)
        local dice, seen = random.new(5), {}
        for _ = 1, 20 do
          d = rules.decide(name, everything, { tie_break = "random", random = function() return dice:number() end })
          seen[d.winner] = d.ranking[1] == d.winner
        end
        assert.same({ a = true, b = true }, seen, name)
        d = rules.decide(name, everything, { tie_break = function(ids) return ids[#ids] end })
        assert.same({ "b", "b", true, "function" }, { d.winner, d.ranking[1], d.tie, d.detail.tie_break }, name)
        d = rules.decide(name, everything, { tie_break = "chair" })
        assert.same({ nil, true, "chair" }, { d.winner, d.tie, d.detail.tie_break }, name)
        assert.equal(2, #d.tied)
      end
    end)

    it("labels stand in the detail", function()
      local map = { ["Response A"] = "a" }
      for _, name in ipairs(rules.names) do
        assert.equal(map, rules.decide(name, everything, { label_to_id = map }).detail.label_to_id)
      end
    end)
  end)
end)
