local decide = require("curia.rules").decide
local random = require "curia.engine.random"

local function ballot(voter, ...)
  return { voter = voter, ordering = { ... } }
end

local function rank(ballots, opts)
  return decide("peer_ranking", ballots, opts)
end

-- The rule as the documentation says it, without sums kept on the way: all ballots are looked through for each option.
local function brute_force(ballots)
  local options, seen = {}, {}
  for _, b in ipairs(ballots) do
    for _, id in ipairs(b.ordering) do
      if not seen[id] then options[#options + 1] = id end
      seen[id] = true
    end
  end
  local facts = {}
  for _, id in ipairs(options) do
    local shares, places = {}, {}
    for _, b in ipairs(ballots) do
      for place, other in ipairs(b.ordering) do
        if other == id then
          shares[#shares + 1] = #b.ordering == 1 and 1 or (#b.ordering - place) / (#b.ordering - 1)
          places[#places + 1] = place
        end
      end
    end
    local function mean(list)
      local sum = 0
      for _, value in ipairs(list) do sum = sum + value end
      return sum / #list
    end
    facts[id] = { score = mean(shares), position = mean(places), judges = #shares }
  end
  -- An option stands behind as many others as are better.
  local ranking = {}
  for _, id in ipairs(options) do
    local better = 0
    for _, other in ipairs(options) do
      local a, b = facts[other], facts[id]
      if other ~= id and (a.score > b.score or a.score == b.score and (a.position < b.position
        or a.position == b.position and other < id)) then
        better = better + 1
      end
    end
    ranking[better + 1] = id
  end
  return ranking, facts
end

describe("peer ranking", function()
  it("is Borda's count, scaled for each judge", function()
    local d = rank { ballot("a", "b", "c", "d"), ballot("b", "a", "c", "d"), ballot("c", "a", "b", "d"), ballot("d", "a", "b", "c") }
    assert.same({ "a", "b", "c", "d" }, { table.unpack(d.ranking) })
    assert.equal("a", d.winner)
    assert.equal(1, d.scores.a)
    assert.equal((1 + 0.5 + 0.5) / 3, d.scores.b)
    assert.equal(0, d.scores.d)
    assert.equal(1, d.detail.avg_position.a)
    assert.equal(3, d.detail.judges.a)
    assert.equal(4, d.effective_voters)
    assert.is_false(d.tie)
    assert.equal(d.scores.a - d.scores.b, d.margin)
    assert.equal("peer_ranking", d.rule)
  end)

  it("agrees with brute force on random ballots", function()
    local numbers = random.new(11)
    local names = { "a", "b", "c", "d", "e", "f" }
    for _ = 1, 500 do
      local count, ballots = numbers:integer(6), {}
      for voter = 1, numbers:integer(7) do
        local left = { table.unpack(names, 1, count) }
        local ordering = {}
        for place = 1, numbers:integer(count) do ordering[place] = table.remove(left, numbers:integer(#left)) end
        ballots[voter] = { voter = names[voter] or "g", ordering = ordering }
      end
      local d, ranking, facts = rank(ballots), brute_force(ballots)
      assert.same(ranking, { table.unpack(d.ranking) })
      assert.equal(ranking[1], d.winner)
      for id, fact in pairs(facts) do
        assert.is_true(math.abs(fact.score - d.scores[id]) < 1e-12)
        assert.is_true(math.abs(fact.position - d.detail.avg_position[id]) < 1e-12)
        assert.equal(fact.judges, d.detail.judges[id])
      end
      assert.is_true(d.margin >= 0 and d.margin <= 1)
    end
  end)

  it("does not depend on the order of the ballots, nor on the judges' names", function()
    local one = rank { ballot("a", "b", "c"), ballot("b", "a", "c"), ballot("c", "b", "a") }
    local two = rank { ballot("z", "b", "a"), ballot("y", "a", "c"), ballot("x", "b", "c") }
    assert.same({ table.unpack(one.ranking) }, { table.unpack(two.ranking) })
    assert.same(one.scores, two.scores)
  end)

  it("breaks ties by the mean position, then by the id, and says when it is a tie", function()
    local d = rank { ballot("a", "b", "c"), ballot("b", "c", "a"), ballot("c", "a", "b") }
    assert.same({ "a", "b", "c" }, { table.unpack(d.ranking) })
    assert.is_true(d.tie)
    assert.equal(0, d.margin)
    d = rank { ballot("x", "b"), ballot("y", "a", "c"), ballot("z", "b") }
    assert.same({ "a", "b", "c" }, { table.unpack(d.ranking) })
    assert.is_true(d.tie)
  end)

  it("counts and names ballots that cannot be read", function()
    local d = rank({
      ballot("a", "b", "c"), { voter = "b", discarded = "no ordering could be read" }, { voter = "c" }, ballot("d"),
      ballot("e", "b", "b"), ballot("f", "x"), { voter = "g", ordering = "b" },
    }, { options = { "a", "b", "c" } })
    assert.same({
      { voter = "b", reason = "no ordering could be read" }, { voter = "c", reason = "no ordering" }, { voter = "d", reason = "no ordering" },
      { voter = "e", reason = "ranks an option twice: b" }, { voter = "f", reason = "ranks an unknown option: x" },
      { voter = "g", reason = "no ordering" },
    }, { table.unpack(d.discarded) })
    assert.equal(1, d.effective_voters)
    assert.equal("b", d.winner)
  end)

  it("has no winner without ballots", function()
    local d = rank({}, { options = { "a", "b" } })
    assert.is_nil(d.winner)
    assert.same({}, { table.unpack(d.ranking) })
    assert.is_false(d.tie)
    assert.equal(0, d.margin)
  end)

  it("gives the sole option of a sole judge full marks", function()
    local d = rank { ballot("a", "b") }
    assert.same({ "b", 1, 1 }, { d.winner, d.scores.b, d.margin })
  end)
end)

describe("deciding", function()
  it("takes a rule's name, a function, or a registered rule", function()
    local curia = require "curia"
    assert.equal("a", curia.decide("peer_ranking", { ballot("x", "a") }).winner)
    assert.equal("mine", curia.decide(function(ballots, opts) return { winner = opts.x .. #ballots } end, {}, { x = "mine" }).winner:sub(1, 4))
    curia.register("rule", "spec_rule", function() return { winner = "r" } end)
    assert.equal("r", curia.decide("spec_rule", {}).winner)
    curia.unregister("rule", "spec_rule")
  end)

  it("names the nearest rule for a wrong one", function()
    assert.has_error(function() decide("peer_rankin", {}) end)
    local _, err = pcall(decide, "peer_rankin", {})
    assert.matches("did you mean 'peer_ranking'", tostring(err))
  end)
end)
