local answers = require "curia.testing.answers"

local function request(round)
  return { member = "skeptic", round = round }
end

describe("scripted answers of a member", function()
  it("repeat, unless they are a list", function()
    local node = answers.of("skeptic", "Why?")
    assert.same({ "Why?", "Why?" }, { answers.next(node, request "a"), (answers.next(node, request "b")) })
    node = answers.of("skeptic", { "one", "two" })
    assert.same({ "one", "two" }, { answers.next(node, request "a"), (answers.next(node, request "b")) })
    local value, err = answers.next(node, request "a")
    assert.same({ value, err.kind }, { nil, "script" })
  end)

  it("are told apart: answers, ballots, rounds", function()
    assert.same({ content = "x", cost = 1 }, answers.of("s", { content = "x", cost = 1 }).value)
    assert.same({ content = { choice = "a" } }, answers.of("s", { choice = "a" }).value)
    assert.same({ content = { risk = 3 } }, answers.of("s", { vote = { risk = 3 } }).rounds.vote.value)
    assert.same({ path = "s.vote[2]", value = "b" }, answers.of("s", { vote = { "a", "b" } }).rounds.vote.list[2])
  end)

  it("know which of them were never asked for", function()
    local node, paths = answers.of("s", { first = "x", second = { "y", "z" } }), {}
    answers.next(node, request "second")
    answers.unused(node, paths)
    table.sort(paths)
    assert.same({ "s.first", "s.second[2]" }, paths)
  end)

  it("name the round that there is no answer for, and the nearest", function()
    local _, err = answers.next(answers.of("skeptic", { vote = "x" }), request "votes")
    assert.equal("member skeptic, round votes: no answer is scripted for this round; did you mean 'vote'?; "
      .. "there are answers for vote", err.message)
  end)
end)
