local clock = require "curia.core.clock"
local scripted = require "curia.adapters.scripted"
local task = require "curia.task"

local function request(fields)
  local made = { messages = { { role = "user", content = "Ship on Friday?" } }, model = "m" }
  for name, value in pairs(fields or {}) do made[name] = value end
  return made
end

-- response, err and the deltas of one call, made in a task
local function call(script, fields, config)
  config = config or { script = script }
  local deltas = {}
  local ok, response, err = task.run(scripted.call, request(fields), config, function(kind, text)
    deltas[#deltas + 1] = kind .. ":" .. text
  end)
  assert.is_true(ok, tostring(response))
  return response, err, deltas
end

local function failing(script, fields)
  local response, err, deltas = call(script, fields)
  assert.is_nil(response)
  return err, deltas
end

describe("the scripted provider", function()
  it("answers with a neutral response", function()
    local response, err, deltas = call { content = "hello there", reasoning = "hm", cost = 0.5,
      tool_calls = { { name = "search", arguments = { q = "x" } } } }
    assert.is_nil(err)
    assert.same({}, deltas)
    assert.equal("hello there", response.content)
    assert.equal("hm", response.reasoning)
    assert.equal("tool_calls", response.finish_reason)
    assert.same({ q = "x" }, response.tool_calls[1].arguments)
    assert.same({ input_tokens = 3, output_tokens = 5, reasoning_tokens = 1 }, response.usage)
    assert.same({ usd = 0.5, source = "provider" }, response.cost)
  end)

  it("knows no price and may know no usage", function()
    local response = call { content = "x", usage = false }
    assert.is_nil(response.cost)
    assert.same({}, response.usage)
  end)

  it("streams in pieces", function()
    local response, _, deltas = call({ stream = { "hel", "lo" }, reasoning = "hm" }, { stream = true })
    assert.equal("hello", response.content)
    assert.same({ "reasoning:hm", "content:hel", "content:lo" }, deltas)
  end)

  it("keeps the counts of a script between calls", function()
    local config = { script = { "one", "two" } }
    assert.equal("one", (call(nil, nil, config)).content)
    assert.equal("two", (call(nil, nil, config)).content)
    assert.equal("two", (call(nil, nil, config)).content)
  end)

  it("without a script marks what it says", function()
    assert.matches("^%[offline%] skeptic", (call(nil, { member = "skeptic" })).content)
  end)

  it("turns errors into those that the HTTP adapters give", function()
    for status, kind in pairs { [400] = "permanent", [401] = "auth", [402] = "quota_exhausted", [404] = "permanent",
      [429] = "rate_limited", [500] = "transient", [503] = "overloaded", [529] = "overloaded" } do
      local err = failing { error = status }
      assert.equal(kind, err.kind)
      assert.equal(status, err.status)
      assert.truthy(err.reason)
    end
    local err = failing { error = { status = 429, message = "Slow down.", code = "rate", retry_after_ms = 1500 } }
    assert.same({ "Slow down.", "rate", 1500, true }, { err.reason, err.code, err.retry_after_ms, err.retryable })
    assert.is_false(failing({ error = { status = 500, should_retry = false } }).retryable)
    assert.equal("quota_exhausted", failing({ error = { status = 429, code = "insufficient_quota" } }).kind)
  end)

  it("fails before the first piece", function()
    for fault, code in pairs { refuse_connection = "ECONNECT", cut_before = "ERESET", html = "unreadable_body",
      empty = "unreadable_body", garbage = "unreadable_body" } do
      local err, deltas = failing({ content = "a b c d", fault = fault }, { stream = true })
      assert.equal("transient", err.kind)
      assert.equal(code, err.code)
      assert.same({}, deltas)
    end
  end)

  it("fails amid the stream, and keeps what there was", function()
    for fault, said in pairs { cut = "a b", reset = "a b", no_done = "a b c d" } do
      local err, deltas = failing({ content = "a b c d", fault = fault }, { stream = true })
      assert.same({ "transient", fault == "no_done" and "stream_cut" or "ECUT" }, { err.kind, err.code })
      assert.equal(said, err.context.partial.content)
      assert.equal(said, table.concat(deltas):gsub("content:", ""))
    end
    local inside = { content = "a b c d", fault = "error_in_200", after = 3, error = { status = 429 } }
    local err = failing(inside, { stream = true })
    assert.equal("rate_limited", err.kind)
    assert.equal("a b c", err.context.partial.content)
  end)

  it("reports a script that is wrong, and one that fails", function()
    assert.equal("validation", failing({ defualt = 1 }).kind)
    assert.equal("script", failing(function() error "boo" end).kind)
  end)

  describe("in time", function()
    before_each(function() assert(clock.virtual(true)) end)
    after_each(function() assert(clock.virtual(false)) end)

    it("waits by the runtime's clock", function()
      local before = clock.ms()
      call({ stream = { "a", "b", "c" }, delay_ms = 60000, chunk_delay_ms = 1000 }, { stream = true })
      assert.equal(62000, clock.ms() - before)
    end)

    it("hangs and falls silent until it is cancelled", function()
      for _, fault in ipairs { "hang", "silence" } do
        local said = {}
        local config = { script = { content = "a b", fault = fault } }
        local ok, err = task.run(task.within, 5000, scripted.call, request { stream = true }, config,
          function(_, text) said[#said + 1] = text end)
        assert.is_true(ok)
        assert.is_false(err)
        assert.equal(fault == "silence" and "a" or "", table.concat(said))
      end
    end)
  end)
end)
