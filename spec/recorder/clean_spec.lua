local clean = require "curia.recorder.clean"
local redact = require "curia.redact"

after_each(redact.reset)

describe("what is recorded", function()
  it("is the value itself when there is nothing to take out", function()
    local value = { text = "plain" }
    assert.equal(value, clean.of(value, nil, "event"))
  end)

  it("keeps a word that happens to be a key", function()
    redact.add "test"
    local value = { text = "run the test" }
    assert.equal(value, clean.of(value, nil, "event"))
  end)

  it("has no secret in it, and what the run holds keeps its own", function()
    redact.add "sk-very-secret-key"
    redact.add "12345"
    local value = { text = "the key is sk-very-secret-key", nested = { "sk-very-secret-key" }, number = 12345 }
    assert.same({ text = "the key is [secret]", nested = { "[secret]" }, number = 12345 }, clean.of(value, nil, "event"))
    assert.equal("the key is sk-very-secret-key", value.text)
  end)

  it("is what the hook makes of a copy", function()
    local value = { name = "Ada" }
    local kept = clean.of(value, function(copy, what)
      copy.name, copy.what = "someone", what
      return copy
    end, "input")
    assert.same({ name = "someone", what = "input" }, kept)
    assert.same({ name = "Ada" }, value)
  end)

  it("has a form in JSON", function()
    assert.is_false((pcall(clean.of, { print }, nil, "event")))
  end)
end)
