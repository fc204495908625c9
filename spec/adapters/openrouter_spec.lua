local json = require "curia.json"
local openrouter = require "curia.adapters.openrouter"
local reading = require "spec.adapters.reading"

local function body_of(request)
  request.model = request.model or "openai/gpt-5-mini"
  request.messages = request.messages or { { role = "system", content = "S" }, { role = "user", content = "Hi" } }
  return openrouter.build(request, { api_key = "k" }).body
end

local function err_of(status, fault, headers)
  return select(2, openrouter.parse(status, headers or {}, json.encode { error = fault }, nil))
end

describe("openrouter", function()
  it("sends everything in its own words", function()
    local body = body_of { max_tokens = 5, temperature = 1, stop = { "x" }, reasoning = "low" }
    assert.equal(5, body.max_tokens)
    assert.is_nil(body.max_completion_tokens)
    assert.equal(1, body.temperature)
    assert.same({ effort = "low" }, body.reasoning)
    assert.is_nil(body.reasoning_effort)
    assert.same({ max_tokens = 100 }, body_of({ reasoning = { budget_tokens = 100 } }).reasoning)
    assert.equal("https://openrouter.ai/api/v1/chat/completions",
      openrouter.build({ model = "m", messages = {} }, {}).url)
  end)

  it("routes schemas to those who can, and marks the cache", function()
    local body = body_of { schema = { type = "object", properties = {} }, cache = "1h" }
    assert.is_true(body.provider.require_parameters)
    assert.same({ type = "ephemeral", ttl = "1h" }, body.messages[1].content[1].cache_control)
    assert.equal("Hi", body.messages[2].content)
  end)

  it("names itself in errors, with what its upstream said", function()
    local err = err_of(429, { code = 429, message = "Provider returned error",
      metadata = { raw = '{"error":{"message":"slow down"}}' } })
    assert.equal("openrouter: 429 rate_limited: Provider returned error: slow down", err.message)
    assert.equal("429", err.code)
  end)

  it("reads its limits' reset from header and body", function()
    local headers = { date = "Wed, 21 Oct 2015 07:28:00 GMT" }
    local reset = tostring(1445412480 * 1000 + 2500)
    headers["x-ratelimit-reset"] = reset
    assert.equal(2500, err_of(429, { code = 429, message = "m" }, headers).retry_after_ms)
    local metadata = { headers = { ["X-RateLimit-Reset"] = reset } }
    assert.equal(2500, err_of(429, { code = 429, message = "m", metadata = metadata },
      { date = headers.date }).retry_after_ms)
  end)

  it("tells an empty purse from a wait, and moderation from a bad key", function()
    assert.equal("quota_exhausted", err_of(402, { code = 402, message = "Insufficient credits" }).kind)
    local wait = err_of(402, { code = 402, message = "limit" }, { ["retry-after"] = "2" })
    assert.equal("rate_limited", wait.kind)
    assert.equal(2000, wait.retry_after_ms)
    assert.equal("content_filter", err_of(403, { code = 403, message = "m",
      metadata = { reasons = { "violence" } } }).kind)
    assert.equal("auth", err_of(403, { code = 403, message = "m" }).kind)
  end)

  it("fails on an error beside a choice", function()
    local body = ": OPENROUTER PROCESSING\n\n" .. reading.sse(
      '{"choices":[{"index":0,"delta":{"content":"a"}}]}',
      '{"error":{"code":502,"message":"died"},"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}', "[DONE]")
    local _, err = reading.stream(openrouter, body)
    assert.equal("died", err.reason)
    assert.matches("^openrouter: error inside a 200", err.message)
  end)
end)
