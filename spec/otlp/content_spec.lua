local content = require "curia.otlp.content"
local json = require "curia.json"
local redact = require "curia.redact"

local function input(messages)
  return json.decode(content.input(messages))
end

after_each(redact.reset)

describe("exported content", function()
  it("has the roles and the texts of a conversation", function()
    assert.same({
      { role = "system", parts = { { type = "text", content = "Be brief." } } },
      { role = "user", parts = { { type = "text", content = "Why?" } } },
    }, input { { role = "system", content = "Be brief." }, { role = "user", content = "Why?" } })
  end)

  it("has calls of tools and what came of them", function()
    assert.same({
      { role = "assistant", parts = { { type = "tool_call", id = "1", name = "double", arguments = { n = 2 } } } },
      { role = "tool", parts = { { type = "tool_call_response", id = "1", response = "4" } } },
    }, input {
      { role = "assistant", content = "", tool_calls = { { id = "1", name = "double", arguments = { n = 2 } } } },
      { role = "tool", tool_call_id = "1", name = "double", content = "4" },
    })
  end)

  it("tells of parts that are no text only what they are", function()
    assert.same({ { role = "user", parts = { { type = "text", content = "Look" }, { type = "image" } } } },
      input { { role = "user", content = { { type = "text", text = "Look" }, { type = "image", data = "AAAA" } } } })
  end)

  it("has an answer with why it ended", function()
    assert.same({ { role = "assistant", finish_reason = "stop", parts = { { type = "text", content = "42" } } } },
      json.decode(content.output { content = "42", finish_reason = "stop" }))
    assert.same({ { role = "assistant", parts = {} } }, json.decode(content.output {}))
  end)

  it("has no secrets", function()
    redact.add "sk-0123456789abcdef"
    assert.is_nil(content.input { { role = "user", content = "key sk-0123456789abcdef" } }:find("abcdef", 1, true))
    assert.is_nil(content.output { content = "sk-0123456789abcdef" }:find("abcdef", 1, true))
  end)

  it("says so where it cannot be written", function()
    assert.matches("^not exported: ", content.output { tool_calls = { { arguments = { n = 0 / 0 } } } })
  end)
end)
