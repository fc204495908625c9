local redact = require "curia.redact"
local spans = require "curia.otlp.spans"

after_each(redact.reset)

local function span(more)
  local made = {
    trace = { id = ("a"):rep(32) }, id = ("b"):rep(16), name = "round x", names = { kind = 1 },
    began_ns = 1700000000000000001, ended_ns = 1700000000000000002, attributes = { n = 1 },
  }
  for name, value in pairs(more or {}) do made[name] = value end
  return made
end

describe("a span of OTLP", function()
  it("has ids in hexadecimal, times as texts, its kind as a number", function()
    assert.same({
      traceId = ("a"):rep(32), spanId = ("b"):rep(16), parentSpanId = ("c"):rep(16), name = "round x", kind = 1,
      startTimeUnixNano = "1700000000000000001", endTimeUnixNano = "1700000000000000002",
      attributes = { { key = "n", value = { intValue = "1" } } },
    }, spans.span(span { parent_id = ("c"):rep(16) }))
  end)

  it("has a status where it failed, without secrets", function()
    redact.add "sk-0123456789abcdef"
    assert.same({ code = 2, message = "no key [secret]" },
      spans.span(span { error = { kind = "auth", message = "no key sk-0123456789abcdef" } }).status)
    assert.is_nil(spans.span(span()).status)
  end)

  it("has no message without end, and no half of a character", function()
    local message = spans.span(span { error = { message = "x" .. ("é"):rep(1000) } }).status.message
    assert.is_true(#message <= 1028)
    assert.is_truthy(utf8.len(message))
    assert.matches(" %.%.%.$", message)
  end)
end)

describe("a request of spans", function()
  it("tells whose they are", function()
    local source = { resource = { attributes = {} }, scope = { name = "curia" }, schema_url = "s" }
    local request = spans.request({ span(), span() }, source)
    assert.equal(source.resource, request.resourceSpans[1].resource)
    assert.equal(source.scope, request.resourceSpans[1].scopeSpans[1].scope)
    assert.equal(2, #request.resourceSpans[1].scopeSpans[1].spans)
  end)

  it("lets others have their turn while it is made", function()
    local many, turns = {}, 0
    for i = 1, 512 do many[i] = span() end
    spans.request(many, { resource = {}, scope = {} }, function() turns = turns + 1 end)
    assert.is_true(turns >= 8, turns)
  end)
end)
