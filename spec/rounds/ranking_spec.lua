local json = require "curia.json"
local R = require "spec.rounds.support"
local T = require "spec.engine.support"

local ORDERS = {
  a = { "Response B", "Response C" }, b = { "Response A", "Response C" }, c = { "Response B", "Response A" },
}

local function order(member)
  return json.encode { ordering = ORDERS[member], rationale = "because" }
end

describe("ranking", function()
  it("counts the members' orders of the others' answers by Borda", function()
    local round, asked, result = R.judge("ranking", order)
    assert.same({ "b", "borda" }, { round.decision.winner, round.decision.rule })
    assert.same({ ["Response A"] = "a", ["Response B"] = "b", ["Response C"] = "c" }, round.decision.detail.label_to_id)
    assert.equal("<independent_analysis by b>", result.final.content)
    assert.is_true(R.holds(asked.a, '<answer from="Response B">\n<independent_analysis by b>'))
    assert.is_true(R.holds(asked.a, "Put them in order"))
    assert.equal("because", round.decision.ballots_used[1].rationale)
  end)

  it("takes another rule, by name or a function", function()
    for _, rule in ipairs { "copeland", "schulze", "condorcet", "instant_runoff", "peer_ranking", "knockout", "plurality" } do
      local round = R.judge("ranking", order, { rule = rule })
      assert.same({ rule, "b" }, { round.decision.rule, round.decision.winner })
    end
    local round = R.judge("ranking", order, { rule = function(ballots) return { winner = ballots[1].ordering[2] } end })
    assert.equal("c", round.decision.winner)
  end)

  it("refuses a rule that cannot count orders, and names those that can", function()
    local _, _, _, err = R.judge("ranking", order, { rule = "mean" })
    assert.equal("invalid_council", err.kind)
    local fault = err.context.faults[1]
    assert.same({ "rounds[2].rule", "conflict" }, { fault.path, fault.code })
    assert.matches("cannot count what this round's ballots say (ordering); these can: borda, copeland", fault.message, nil, true)
  end)

  it("counts what cannot be read as discarded, with its reason", function()
    for text, reason in pairs {
      ["They are all good."] = "no ordering could be read",
      ['{"ordering": ["Response B", "Response Z"]}'] = "names no answer: Response Z",
      ['{"ordering": ["Response A"]}'] = "judges its own answer",
      ['{"ordering": ["B", "Response B"]}'] = "ranks an option twice: b",
    } do
      local round = R.judge("ranking", function(member) return member == "a" and text or order(member) end)
      assert.same({ { voter = "a", reason = reason } }, { table.unpack(round.decision.discarded) })
      assert.equal(2, round.decision.effective_voters)
    end
  end)

  it("takes a structured answer and the list that some models write", function()
    for _, text in ipairs { "Final Ranking:\n1. **Response C**\n2. Response B", '["Response C", "Response B"]',
      '```json\n{"ordering": ["C", "B"]}\n```' } do
      local round = R.judge("ranking", function(member) return member == "a" and text or order(member) end)
      assert.same({ "c", "b" }, round.results.a.response.parsed.ordering, text)
    end
  end)

  it("knows whom it can ask where few have answered", function()
    local function only(ids)
      return R.prompts({ { type = "independent_analysis", members = ids }, "ranking" }, function(round, member)
        if round ~= "ranking" then return R.tell(round, member) end
        return '{"ordering": ["Response A"]}'
      end)
    end
    local _, result = only { "a" }
    assert.same({ a = "error", b = "ok", c = "ok" }, T.statuses(result, 2))
    assert.equal("nothing_to_review", result.rounds[2].results.a.error.code)
    assert.same({ "a", 2 }, { result.decision.winner, result.decision.effective_voters })
    local _, none, err = R.prompts({ "ranking" }, R.tell)
    assert.same({ a = "error", b = "error", c = "error" }, T.statuses(none))
    assert.equal("validation", err.kind)
    assert.is_nil(none.decision)
  end)

  it("leaves out those that do not take part", function()
    local round, asked = R.judge("ranking", order, { members = { "a", "c" } })
    assert.is_nil(asked.b)
    assert.equal(2, round.decision.effective_voters)
    round, asked = R.judge("ranking", order, { router = function() return { "b" } end })
    assert.is_nil(asked.a)
    assert.equal("router_excluded", round.results.a.metadata.reason)
    assert.equal("a", round.decision.winner)
  end)

  it("begins with what all judges share", function()
    local _, asked = R.judge("ranking", order)
    assert.is_true(R.holds(asked.a:sub(1, R.common(asked.a, asked.b)), '"rationale"'))
    assert.is_true(R.holds(asked.b:sub(1, R.common(asked.b, asked.c)), "independent_analysis by a"))
  end)
end)
