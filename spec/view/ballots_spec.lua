local ballots = require "curia.view.ballots"

local function voter(parsed, status)
  return { status = status or "done", result = { response = { parsed = parsed } } }
end

describe("curia.view.ballots", function()
  it("says what a ballot comes to", function()
    assert.equal("ranks b > a", ballots.text { ordering = { "b", "a" } })
    assert.equal("votes for b (confidence 0.5)", ballots.text { choice = "b", confidence = 0.5 })
    assert.equal("scores a 1, b 0.5", ballots.text { scores = { b = 0.5, a = 1 } })
    assert.equal("approves of a, b", ballots.text { approvals = { "a", "b" } })
    assert.equal("grades a good, b poor", ballots.text { grades = { b = "poor", a = "good" } })
    assert.is_nil(ballots.text { agrees = true })
    assert.is_nil(ballots.text "b")
    assert.is_nil(ballots.text(nil))
  end)

  it("adds up those that are in", function()
    assert.is_nil(ballots.so_far { voter({ choice = "a" }, "streaming"), voter(nil) })
    assert.equal("2 of 3 ballots in, votes: a 2 · 100 % agree", ballots.so_far {
      voter { choice = "a" }, voter { choice = "a" }, voter({ choice = "b" }, "waiting") })
    assert.equal("3 of 3 ballots in, votes: b 2, a 1 · 67 % agree", ballots.so_far {
      voter { choice = "a" }, voter { choice = "b" }, voter { choice = "b" } })
    assert.equal("2 of 2 ballots in, approvals: a 2, b 1", ballots.so_far {
      voter { approvals = { "a", "b" } }, voter { approvals = { "a" } }, voter(nil, "skipped") })
    assert.is_nil(ballots.so_far { voter { ordering = {} } })
    assert.equal("1 of 1 ballot in, first places: b 1", ballots.so_far { voter { ordering = { "b", "a" } } })
    assert.equal("2 of 2 ballots in, scores in all: b 1.5, a 1", ballots.so_far {
      voter { scores = { a = 1, b = 0.5 } }, voter { scores = { b = 1 } } })
  end)

  it("names an option in a few clean words, whatever it is", function()
    local text = ballots.so_far { voter { choice = ("long\27 \n"):rep(30) } }
    assert.is_nil(text:find("[\27\n]"))
    assert.is_true(#text < 90, text)
  end)
end)
