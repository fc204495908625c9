local answers = require "curia.engine.answers"

local function round(texts_by_id, more)
  local made = { results = {}, metadata = {} }
  for id, text in pairs(texts_by_id) do
    made.results[id] = text and { status = "ok", response = { content = text } } or { status = "error" }
  end
  for name, value in pairs(more or {}) do made[name] = value end
  return made
end

describe("looking among rounds", function()
  local ballots = { decision = { winner = "a" } }
  local rounds = {
    round { a = "first", b = "other" }, round({ a = "a critique" }, { metadata = { texts = "critiques" } }),
    round { a = "second", b = false }, round({ a = "a ballot", b = "a ballot" }, ballots),
  }

  it("finds the last decision and its round", function()
    local decision, idx = answers.last_decision(rounds)
    assert.same({ "a", 4 }, { decision.winner, idx })
    assert.is_nil((answers.last_decision { rounds[1] }))
  end)

  it("finds the last answer of a member, which is neither ballot nor critique nor failure", function()
    assert.equal("second", answers.of_member(rounds, "a").content)
    assert.equal("second", answers.of_member(rounds, "a", 4).content)
    assert.equal("first", answers.of_member(rounds, "a", 3).content)
    assert.equal("other", answers.of_member(rounds, "b").content)
    assert.is_nil(answers.of_member(rounds, "c"))
  end)
end)
