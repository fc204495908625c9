local tokens = require "curia.engine.tokens"

describe("tokens before a call", function()
  it("are a quarter of the bytes, rounded up", function()
    assert.same({ 0, 1, 1, 2 }, { tokens.of_bytes(0), tokens.of_bytes(1), tokens.of_bytes(4), tokens.of_bytes(5) })
  end)

  it("of a request are those of all its messages, texts and parts", function()
    assert.equal(3, tokens.input { messages = { { content = "1234" }, { content = "12345" } } })
    assert.equal(2, tokens.input { messages = { { content = { { text = "1234" }, "1234", { image = "..." } } }, {} } })
  end)

  it("of an answer are what its member allows, else a thousand", function()
    assert.equal(7, tokens.output { max_tokens = 7 })
    assert.equal(tokens.DEFAULT_OUTPUT, tokens.output {})
  end)
end)
