local answer = require "curia.engine.answer"

local member = { id = "a", provider_name = "acme" }

local function fault(response)
  return answer.fault(response, member)
end

describe("a response", function()
  it("is an answer when it says something and ended well", function()
    assert.is_nil(fault { content = "yes", finish_reason = "stop" })
    assert.is_nil(fault { content = "cut sho", finish_reason = "length" })
    assert.is_nil(fault { content = "yes" })
  end)

  it("is none when the model would not, could not, or failed", function()
    for reason, kind in pairs { refusal = "refusal", content_filter = "content_filter", error = "transient" } do
      local err = fault { content = "Sorry.", finish_reason = reason }
      assert.same({ kind, "Sorry.", reason, "acme" }, { err.kind, err.reason, err.code, err.provider })
      assert.matches("^acme: ", err.message)
    end
    assert.is_nil(fault({ content = "", finish_reason = "refusal" }).reason)
  end)

  it("is none when it is empty, and says by what", function()
    assert.matches("the answer is empty$", fault({ content = "" }).message)
    assert.equal("invalid_output", fault({ content = " \n\t" }).kind)
    assert.equal("invalid_output", fault({}).kind)
    local err = fault { content = "", finish_reason = "length", usage = { reasoning_tokens = 512 } }
    assert.same({ "invalid_output", "length" }, { err.kind, err.code })
    assert.matches("512 reasoning tokens", err.message)
  end)

  it("is none when it asks for a tool that the member has not got", function()
    assert.equal("unsupported", fault({ content = "", finish_reason = "tool_calls" }).kind)
  end)

  it("of a member in plain Lua is named by the member", function()
    assert.matches("^b: ", answer.fault({ content = "" }, { id = "b" }).message)
  end)

  it("may be calls of tools, where they were offered", function()
    local calling = { content = "", finish_reason = "tool_calls", tool_calls = { { name = "x" } } }
    assert.is_nil(answer.fault(calling, { id = "b" }, true))
    assert.equal("unsupported", answer.fault(calling, { id = "b" }).kind)
    calling.finish_reason = "refusal"
    assert.equal("refusal", answer.fault(calling, { id = "b" }, true).kind)
  end)
end)
