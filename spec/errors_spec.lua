local errors = require "curia.errors"
local json = require "curia.json"

describe("an error", function()
  it("has kind and message, and reads as both", function()
    local err = errors.new("auth", "no key", { status = 401 })
    assert.same({ "auth", "no key", 401 }, { err.kind, err.message, err.status })
    assert.equal("auth: no key", tostring(err))
    assert.equal("auth: nil", tostring(errors.wrap { kind = "auth" }))
  end)

  it("has one of the known kinds: a wrong one is a mistake of the code", function()
    assert.has_error(function() errors.new("authentication", "x") end, "unknown error kind 'authentication'")
    for kind in pairs(errors.kinds) do assert.equal(kind, errors.new(kind, "x").kind) end
  end)

  it("is known as such, also after it was written down", function()
    local err = errors.new("quota_exhausted", "paid up", { reason = "Your credit is used up.", retry_after_ms = 10 })
    assert.is_true(errors.is(err))
    local read = errors.wrap(json.decode(json.encode(err)))
    assert.is_true(errors.is(read))
    assert.same({ "paid up", "Your credit is used up.", 10 }, { read.message, read.reason, read.retry_after_ms })
    assert.equal("quota_exhausted: paid up", tostring(read))
    for _, value in ipairs { "auth", 42, {}, { kind = "none" }, setmetatable({}, { __index = { kind = "auth" } }) } do
      assert.is_false(errors.is(value))
    end
    assert.is_false(errors.is(nil))
  end)

  it("has every kind of SPEC 10", function()
    for _, kind in ipairs { "transient", "rate_limited", "overloaded", "quota_exhausted", "permanent", "auth", "validation",
      "invalid_output", "content_filter", "refusal", "timeout", "tool", "tool_loop", "quorum", "budget", "deadline", "cancelled",
      "unknown_run", "invalid_council", "replay_mismatch", "storage", "internal", "duplicate_run", "orphaned", "poisoned",
      "script", "unsupported", "terminated" } do
      assert.is_true(errors.kinds[kind], kind)
    end
  end)
end)
