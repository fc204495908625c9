local summary = require "curia.testing.summary"

describe("the summary of a result", function()
  it("has its rounds, members, decisions and errors", function()
    assert.equal([[council c: error
  round vote
    a: ok
    b: error (boom)
    decision: no winner
  error: boom]], summary.of {
      council = "c", status = "error", errors = { "boom" },
      rounds = { { name = "vote", results = { b = { status = "error", error = "boom" }, a = { status = "ok" } }, decision = {} } },
    })
  end)

  it("puts keys in order", function()
    assert.same({ "a", "b", "c" }, summary.sorted_keys { c = 1, a = 2, b = 3 })
  end)
end)
