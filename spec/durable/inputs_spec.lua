local inputs = require "curia.durable.inputs"
local redact = require "curia.redact"

describe("the input of an effect", function()
  it("has the hash of its value, in whatever order it was made", function()
    local _, a = inputs.encode { model = "m", messages = { { role = "user", content = "Why?" } } }
    local _, b = inputs.encode { messages = { { content = "Why?", role = "user" } }, model = "m" }
    local _, c = inputs.encode { messages = { { content = "Why", role = "user" } }, model = "m" }
    assert.equal(a, b)
    assert.are_not.equal(a, c)
    local long = ("word "):rep(500)
    assert.equal(select(2, inputs.encode { text = long }), select(2, inputs.encode { text = long .. "" }))
    assert.are_not.equal(select(2, inputs.encode { text = long }), select(2, inputs.encode { text = long .. "x" }))
  end)

  it("has no secret in it, and the hash of what it is without", function()
    local secret, long = "sk-inputs-0123456789", ("word "):rep(500)
    redact.add(secret)
    for _, text in ipairs { "Is %s safe?", long .. "%s" .. long } do
      local with, a = inputs.encode { content = text:format(secret) }
      local _, b = inputs.encode { content = text:format "[secret]" }
      assert.equal(a, b)
      assert.is_nil((with.bytes .. table.concat(with.parts)):find(secret, 1, true))
    end
    redact.reset()
  end)

  it("that JSON has no form for raises", function()
    assert.error_matches(function() inputs.encode { fn = print } end, "cannot encode a function")
  end)
end)

describe("the difference of two inputs", function()
  it("has a line for each place", function()
    local before = { model = "a", messages = { { content = "one" }, { content = "two" } }, seed = 1 }
    local after = { model = "b", messages = { { content = "one" }, { content = "three" } }, top_p = 0.5 }
    assert.same({
      "messages[2].content: recorded two, now three", "model: recorded a, now b", "seed: recorded 1, now nothing",
      "top_p: recorded nothing, now 0.5",
    }, inputs.difference(before, after))
  end)

  it("shows of long texts where they begin to differ", function()
    local text = ("same "):rep(100)
    local line = inputs.difference(text .. "left", text .. "right")[1]
    assert.matches("^value: recorded same .*left, now same .*right$", line)
    assert.is_true(#line < 120)
  end)
end)
