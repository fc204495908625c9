local errors = require "curia.errors"

describe("curia.errors", function()
  it("an error is a table that prints well", function()
    local err = errors.new("auth", "no key", { provider = "openai", status = 401 })
    assert.equal("auth: no key", tostring(err))
    assert.equal("auth", err.kind)
    assert.equal("no key", err.message)
    assert.equal(401, err.status)
    assert.is_true(errors.is(err))
  end)

  it("refuses a kind that does not exist", function()
    assert.has_error(function() errors.new("oops", "x") end)
  end)

  it("knows an error without its metatable, and gives it back", function()
    local plain = { kind = "timeout", message = "late" }
    assert.is_true(errors.is(plain))
    assert.equal("timeout: late", tostring(errors.wrap(plain)))
  end)

  it("takes nothing else for an error", function()
    for _, value in ipairs { "timeout", 1, true, {}, { kind = "oops" }, { kind = 1 }, print } do
      assert.is_false(errors.is(value))
    end
    assert.is_false(errors.is(nil))
    local trap = setmetatable({}, { __index = function() error "looked" end })
    assert.is_false(errors.is(trap))
  end)

  it("has the kinds of the specification", function()
    for _, kind in ipairs { "transient", "rate_limited", "overloaded", "quota_exhausted", "permanent", "auth",
      "validation", "invalid_output", "content_filter", "refusal", "timeout", "tool", "quorum", "budget", "deadline",
      "cancelled",
      "unknown_run", "invalid_council", "internal", "duplicate_run", "script", "unsupported", "terminated" } do
      assert.is_true(errors.kinds[kind], kind)
    end
  end)
end)
