local T = require "spec.rules.support"
local decide = require("curia.rules").decide

describe("instant runoff", function()
  T.neutral_properties(it, "instant_runoff", "ordering")

  it("makes Knoxville the capital of Tennessee", function()
    local d = decide("instant_runoff", T.orderings { { 42, "MNCK" }, { 26, "NCKM" }, { 15, "CKNM" }, { 17, "KCNM" } })
    assert.same({ "K", "M", "N", "C" }, T.plain(d.ranking))
    local rounds = d.detail.rounds
    assert.same({ { "C" }, { "N" }, { "M" } }, { T.plain(rounds[1].eliminated), T.plain(rounds[2].eliminated),
      T.plain(rounds[3].eliminated) })
    assert.same({ M = 42, N = 26, C = 15, K = 17 }, rounds[1].votes)
    assert.same({ M = 42, N = 26, K = 32 }, rounds[2].votes)
    assert.same({ M = 42, K = 58 }, rounds[3].votes)
    assert.equal(0.16, d.margin)
  end)

  it("exhausts ballots that rank none of those that stand", function()
    local d = decide("instant_runoff", T.orderings { { 3, "a" }, { 2, "b" }, { 1, "c" } })
    assert.equal("a", d.winner)
    assert.equal(1, d.detail.rounds[2].exhausted)
    assert.equal(0.2, d.margin)
  end)

  it("ties those that win in some way of breaking the ties for the last place", function()
    -- When b leaves first, its voter makes c the winner; else b wins.
    local ballots = T.orderings { { 2, "abcd" }, { 1, "bcda" }, { 1, "cbda" }, { 1, "dbca" } }
    local d = decide("instant_runoff", ballots)
    assert.same({ "b", "c" }, T.plain(d.tied))
    assert.equal("b", d.winner)
    local other = decide("instant_runoff", ballots, { tie_break = function() return "c" end })
    assert.equal("c", other.winner)
    assert.equal("c", other.ranking[1])
    assert.is_true(other.detail.rounds[1].tied ~= nil)
  end)

  it("goes on with all that tie for the last place when they are many", function()
    local text = "abcdefghijklm"
    local ballots = T.orderings { { 2, "a" } }
    for id in text:gmatch "." do ballots[#ballots + 1] = { ordering = { id } } end
    assert.equal("a", decide("instant_runoff", ballots).winner)
    ballots = T.choices(text)
    assert.equal(13, #decide("instant_runoff", ballots).tied)
  end)
end)
