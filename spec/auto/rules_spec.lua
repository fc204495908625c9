local A = require "spec.auto.support"

describe("strategy rules", function()
  it("takes the first entry whose pattern or function fits", function()
    local list = { { council = A.named "none" }, { council = A.named "long", match = function(input) return #input.question > 20 end },
      { council = A.named "word", match = "\\bword\\b" } }
    local function choice(question) return A.choice(A.run({ strategy = "rules", catalog = list }, question))[1] end
    assert.equal("word", choice "a word here")
    assert.equal("long", choice "a word in a long question")
    assert.is_nil(choice "words")
  end)

  it("does not hang on a pattern without end", function()
    local list = { { council = A.named "bomb", match = "(a+)+$" }, { council = A.named "rest", match = "!" } }
    local result = A.run({ strategy = "rules", catalog = list }, ("a"):rep(60) .. "!")
    assert.equal("rest", A.choice(result)[1])
  end)

  it("fails with a function's error", function()
    local result = A.run { strategy = "rules", catalog = { { council = A.named "x", match = function() error "no" end } } }
    assert.equal("script", result.errors[1].kind)
  end)
end)
