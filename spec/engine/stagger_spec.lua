local clock = require "curia.core.clock"
local curia = require "curia"
local helper = require "spec.helper"
local mock = require "curia.mock"
local T = require "spec.engine.support"

-- When each member was asked, in milliseconds after the first.
local function asked_at(body, answer, opts)
  local times, first = {}, nil
  curia.config { providers = { test = { adapter = "scripted", script = function(request)
    first = first or clock.ms()
    times[request.member] = clock.ms() - first
    return answer
  end } } }
  body.rounds = { { type = "independent_analysis", stagger = true, timeout_ms = body.timeout_ms } }
  body.timeout_ms = nil
  local result = helper.virtual(function() return T.ask(body, "Why?", opts) end)
  return times, result
end

local SLOW = { stream = { "yes", ", ", "no" }, delay_ms = 100, chunk_delay_ms = 50 }

describe("a staggered round", function()
  it("lets the first go alone until its first byte", function()
    local members = { a = { stream = true }, b = { stream = true }, c = { stream = true } }
    local times, result = asked_at({ members = members }, SLOW)
    assert.same({ a = 0, b = 100, c = 100 }, times)
    assert.equal("ok", result.status)
    assert.equal(100, result.rounds[1].results.b.started_at - result.rounds[1].results.a.started_at)
  end)

  it("waits for the end of one that does not stream", function()
    assert.same({ a = 0, b = 100, c = 100 }, (asked_at({}, { content = "yes", delay_ms = 100 })))
  end)

  it("holds back only those that share a model", function()
    local times = asked_at({ members = { b = { model = "other" } } }, { content = "yes", delay_ms = 100 })
    assert.same({ a = 0, b = 0, c = 100 }, times)
  end)

  it("goes on when the first fails, and counts the wait for deadlines", function()
    local times = asked_at({}, { error = { status = 400 }, delay_ms = 100 })
    assert.same({ a = 0, b = 100, c = 100 }, times)
    local result
    times, result = asked_at({ timeout_ms = 50 }, { content = "yes", delay_ms = 100 })
    assert.same({ a = 0 }, times)
    assert.same({ a = "timeout", b = "timeout", c = "timeout" }, T.statuses(result))
    times = asked_at({ failure_mode = "fail_fast" }, { error = { status = 400 } })
    assert.same({ a = 0 }, times)
  end)

  it("hears the first byte over HTTP too, though nobody watches", function()
    local server <close> = setmetatable({ mock = assert(mock.start { script = {
      stream = { "yes", "no" }, chunk_delay_ms = 300,
    } }) }, { __close = function(s) s.mock:close() end })
    curia.config { providers = { net = { adapter = "openai_chat", base_url = server.mock.url .. "/v1", api_key = "sk-0123456789" } } }
    local fields = { provider = "net", model = "m", stream = true }
    helper.run(function()
      local took, result = T.timed(T.ask, { ids = { "a", "b" }, members = { a = fields, b = fields },
        rounds = { { type = "independent_analysis", stagger = true } } })
      assert.equal("ok", result.status)
      assert.is_true(took < 550)
    end)
  end)
end)
