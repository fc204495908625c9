local clock = require "curia.core.clock"
local errors = require "curia.errors"
local outcome = require "curia.jobs.outcome"

local function job(more)
  local made = { attempt = 1, max_attempts = 5 }
  for name, value in pairs(more or {}) do made[name] = value end
  return made
end

describe("the outcome of an attempt", function()
  it("is completed without an error", function()
    assert.same({ state = "completed" }, outcome.of(job(), nil))
  end)

  it("is another attempt for what may pass", function()
    for _, kind in ipairs { "transient", "rate_limited", "overloaded", "timeout", "deadline", "quorum", "storage" } do
      local found = outcome.of(job(), errors.new(kind, "it failed"))
      assert.equal("retryable", found.state, kind)
      assert.is_true(found.schedule_at > clock.wall_ms(), kind)
    end
  end)

  it("is the end for what no attempt can mend, and after the last", function()
    for _, kind in ipairs { "validation", "invalid_council", "auth", "unsupported", "budget", "terminated" } do
      assert.equal("discarded", outcome.of(job(), errors.new(kind, "no")).state, kind)
    end
    assert.equal("cancelled", outcome.of(job(), errors.new("cancelled", "stop")).state)
    assert.equal("discarded", outcome.of(job { attempt = 5 }, errors.new("transient", "no")).state)
  end)

  it("leaves a council that is not known here to another process", function()
    local err = errors.new("invalid_council", "unknown council 'x'", { code = "unknown_council" })
    assert.equal("retryable", outcome.of(job(), err).state)
  end)

  it("waits as long as the provider has asked for", function()
    local err = errors.new("rate_limited", "slowly", { retry_after_ms = 7200000 })
    assert.is_true(outcome.of(job(), err).schedule_at >= clock.wall_ms() + 7190000)
  end)
end)

describe("the wait for the next attempt", function()
  it("doubles, with jitter, up to a limit", function()
    assert.equal(7500, outcome.delay_ms(job(), 0))
    assert.equal(30000, outcome.delay_ms(job { attempt = 3 }, 0))
    assert.equal(3600000 // 2, outcome.delay_ms(job { attempt = 60 }, 0))
    assert.equal(1500, outcome.delay_ms(job { attempt = 2, backoff = { base_ms = 1000 } }, 0.5))
    assert.equal(25, outcome.delay_ms(job { attempt = 9, backoff = { base_ms = 100, max_ms = 50 } }, 0))
  end)

  it("is another each time", function()
    local seen, count = {}, 0
    for _ = 1, 50 do
      local ms = outcome.delay_ms(job())
      assert.is_true(ms >= 7500 and ms <= 15000)
      if not seen[ms] then seen[ms], count = true, count + 1 end
    end
    assert.is_true(count > 20)
  end)
end)
