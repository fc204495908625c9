local words = require "curia.view.words"

describe("curia.view.words", function()
  it("tells times", function()
    assert.equal("0 ms", words.duration(0))
    assert.equal("42 ms", words.duration(42.4))
    assert.equal("0.1 s", words.duration(120))
    assert.equal("59.9 s", words.duration(59940))
    assert.equal("1 min 00 s", words.duration(59990))
    assert.equal("2 min 05 s", words.duration(125000))
    assert.equal("0.0 s", words.elapsed(12))
  end)

  it("tells moments, of whatever zone they are told in", function()
    local ms = 1764340251999
    assert.equal("2025-11-28 14:30:51 UTC", words.moment(ms))
    assert.equal("28 Nov 14:30 UTC", words.short_moment(ms))
    assert.equal("2025-11-28T14:30:51Z", words.timestamp(ms + 0.5))
    assert.equal("-", words.timestamp(nil))
  end)

  it("tells numbers", function()
    assert.equal("0", words.count(0))
    assert.equal("999", words.count(999))
    assert.equal("1,000", words.count(1000))
    assert.equal("12,345,678", words.count(12345678))
    assert.equal("1 member", words.counted(1, "member"))
    assert.equal("3 members", words.counted(3, "member"))
  end)

  it("does not turn unknown tokens into none", function()
    assert.is_nil(words.tokens(nil))
    assert.is_nil(words.tokens({ input_tokens = 3 }))
    assert.equal("1 token", words.tokens({ output_tokens = 1 }))
  end)

  it("tells money, small sums with their digits", function()
    assert.equal("$0.0012", words.dollars(0.00123))
    assert.equal("$1.50", words.dollars(1.5))
    assert.equal("$0.00", words.dollars(0))
  end)

  it("tells errors in plain words, with the vendor's own", function()
    assert.equal("the key was refused: invalid x-api-key (HTTP 401)",
      words.problem({ kind = "auth", message = "anthropic: 401", reason = "invalid x-api-key", status = 401 }))
    assert.equal("no answer in time", words.problem({ kind = "timeout" }))
    assert.equal("cancelled", words.problem({ kind = "cancelled", message = "cancelled" }))
    local missing = { kind = "auth", code = "missing_key", message = "OPENAI_API_KEY is not set" }
    assert.equal("OPENAI_API_KEY is not set", words.problem(missing))
    assert.equal("cancelled by its holder", words.problem { kind = "cancelled", message = "cancelled by its holder" })
    assert.equal("its process has died", words.problem { kind = "orphaned", message = "its process has died" })
    assert.equal("odd: x y", words.problem({ kind = "odd", message = " x\n y " }))
  end)

  it("has words for every kind", function()
    for kind in pairs(require "curia.errors".kinds) do
      assert.is_nil(words.problem({ kind = kind }):find("_"), kind)
    end
    assert.are_not.equal("internal", words.problem({ kind = "internal" }))
  end)

  it("tells of a retry", function()
    assert.equal("again in 2.0 s: the provider is overloaded", words.retry(2000, { kind = "overloaded" }))
  end)
end)
