local errors = require "curia.errors"
local retry = require "curia.engine.retry"

local function err(kind, fields)
  return errors.new(kind, "x", fields)
end

describe("what is tried again", function()
  it("is what may pass", function()
    for _, kind in ipairs { "transient", "rate_limited", "overloaded", "timeout" } do
      assert.is_true(retry.retryable(err(kind)), kind)
    end
    for kind in pairs(errors.kinds) do
      local may_pass = kind == "transient" or kind == "rate_limited" or kind == "overloaded" or kind == "timeout"
      assert.equal(may_pass, retry.retryable(err(kind)), kind)
    end
  end)

  it("is what an adapter says, above all", function()
    assert.is_true(retry.retryable(err("permanent", { retryable = true })))
    assert.is_false(retry.retryable(err("transient", { retryable = false })))
  end)

  it("is no attempt that took too long in all", function()
    assert.is_false(retry.retryable(err("timeout", { code = "ETOTAL" })))
    assert.is_true(retry.retryable(err("timeout", { code = "EFIRSTBYTE" })))
  end)
end)

describe("the policy", function()
  it("is the first layer's that speaks, filled up from the defaults and from no other layer", function()
    assert.same({ attempts = 2, base_ms = 1000, max_ms = 30000 }, retry.policy())
    assert.same({ attempts = 2, base_ms = 1000, max_ms = 30000 }, retry.policy(nil, nil, nil))
    assert.same({ attempts = 5, base_ms = 1000, max_ms = 30000 }, retry.policy(nil, { attempts = 5 }, { base_ms = 1 }))
    assert.same({ attempts = 2, base_ms = 7, max_ms = 9 }, retry.policy({ base_ms = 7, max_ms = 9 }, { attempts = 5 }))
  end)
end)

describe("the wait", function()
  local policy = { base_ms = 1000, max_ms = 30000 }
  local function most() return 0.999999 end

  it("is the vendor's hint", function()
    assert.equal(1234, retry.wait_ms(policy, 1, err("rate_limited", { retry_after_ms = 1234 }), most))
    assert.equal(90000, retry.wait_ms(policy, 1, err("rate_limited", { retry_after_ms = 90000 }), most))
  end)

  it("is short and random for a hint of 0", function()
    local hint = err("rate_limited", { retry_after_ms = 0 })
    assert.equal(499, retry.wait_ms(policy, 3, hint, most))
    assert.equal(0, retry.wait_ms(policy, 3, hint, function() return 0 end))
  end)

  it("doubles, up to its limit, with full jitter", function()
    local waits = {}
    for attempt = 1, 7 do waits[attempt] = retry.wait_ms(policy, attempt, err "transient", most) end
    assert.same({ 999, 1999, 3999, 7999, 15999, 29999, 29999 }, waits)
    assert.equal(0, retry.wait_ms(policy, 5, err "transient", function() return 0 end))
    assert.equal(29999, retry.wait_ms(policy, 2000, err "transient", most))
  end)
end)
