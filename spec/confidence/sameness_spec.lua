local sameness = require "curia.confidence.sameness"

describe("two answers", function()
  it("are the same but for case, spaces, emphasis and final punctuation", function()
    for _, text in ipairs { "Paris", "paris", " Paris. ", "**Paris**", "`PARIS`!", '"Paris"', "Paris\n" } do
      assert.equal("paris", sameness.key(text), text)
    end
    assert.equal(sameness.key "the  big\napple", sameness.key "The big apple.")
  end)

  it("differ where a mark makes a difference", function()
    for a, b in pairs { ["3.5"] = "35", ["-5"] = "5", ["x = 1"] = "x != 1", ["a b"] = "ab" } do
      assert.not_equal(sameness.key(a), sameness.key(b))
    end
    assert.not_equal(sameness.key "?!", sameness.key "")
  end)

  it("are the same data, whatever the order of their keys", function()
    assert.equal(sameness.key { a = 1, b = { 2, 3 } }, sameness.key { b = { 2, 3 }, a = 1 })
    assert.not_equal(sameness.key { 1, 2 }, sameness.key { 2, 1 })
    assert.equal("5", sameness.key(5))
  end)

  it("are what was parsed, else their texts", function()
    assert.equal("x", sameness.answer { content = "x" })
    assert.equal(false, sameness.answer { content = "x", parsed = false })
  end)
end)
