local calls = require "curia.doctor.calls"
local errors = require "curia.errors"

describe("advice about an error", function()
  it("is about what a person can do", function()
    local function advice(kind, fields)
      return calls.advice(errors.new(kind, "x", fields), "openai/gpt-5-minii")
    end
    assert.matches("the key of openai is wrong", advice("auth", { provider = "openai" }))
    assert.matches("no credit", advice("quota_exhausted", { provider = "openai" }))
    assert.matches("certificate was refused", advice("permanent", { code = "ETLS" }))
    assert.matches("no answer in time", advice("deadline", {}))
    assert.matches("DNS", advice("transient", { code = "ERESOLVE" }))
    assert.matches("knows no such model", advice("permanent", { status = 404 }))
    assert.is_nil(advice("internal", {}))
  end)
end)
