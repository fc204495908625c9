local curia = require "curia"
local helper = require "spec.helper"
local otlp = require "curia.otlp"
local support = require "spec.otlp.support"
local T = require "spec.engine.support"
local telemetry = require "curia.telemetry"

describe("curia.otlp", function()
  it("exports what runs do, from the start to the stop", function()
    local collector <close> = support.collector()
    T.answers { a = "A" }
    local exporting = assert(curia.otlp.start { endpoint = collector.url, service_name = "mine" })
    T.ask { ids = { "a" } }
    assert.is_true(exporting:stop())
    T.ask { ids = { "a" } }
    assert.equal(4, #collector:spans())
    assert.equal(collector:span("invoke_agent a").spanId, collector:span("chat m").parentSpanId)
    assert.equal(3, #collector:metrics())
    local resource = collector.requests[1].body.resourceSpans[1].resource
    assert.equal("mine", support.attributes(resource.attributes)["service.name"])
    assert.is_false(telemetry.any)
    assert.same({ sent = 4, lost = 0, dropped = 0, waiting = 0 }, exporting:stats())
  end)

  it("exports to several receivers at once", function()
    local one <close> = support.collector()
    local two <close> = support.collector()
    T.answers { a = "A" }
    local first, second = assert(otlp.start { endpoint = one.url }), assert(otlp.start { endpoint = two.url })
    T.ask { ids = { "a" } }
    assert.is_true(first:stop())
    assert.is_true(second:stop())
    assert.same({ 4, 4 }, { #one:spans(), #two:spans() })
  end)

  it("raises on options that there are not, and names the nearest", function()
    assert.has_error(function() otlp.start { endpiont = "http://x" } end,
      "otlp.start: unknown field 'endpiont'; did you mean 'endpoint'?")
    assert.has_error(function() otlp.start { content = "yes" } end)
  end)

  it("says what is wrong with the world", function()
    local exporting, err = otlp.start { endpoint = "localhost" }
    assert.is_nil(exporting)
    assert.equal("validation", err.kind)
    assert.is_false(telemetry.any)
  end)

  it("takes what the configuration says", function()
    local collector <close> = support.collector()
    local config = require "curia.config"
    T.answers { a = "A" }
    assert(curia.config { otlp = { endpoint = collector.url, interval = "1h" } })
    local exporting = assert(otlp.start(config.shared():get "otlp"))
    assert(curia.config { otlp = false })
    T.ask { ids = { "a" } }
    assert.is_true(exporting:stop())
    assert.equal(4, #collector:spans())
    local ok, err = curia.config { otlp = { endpiont = "x" } }
    assert.is_nil(ok)
    assert.matches("did you mean 'endpoint'", err.message)
  end)

  it("never holds a run up, whatever the receiver does", function()
    local collector <close> = support.collector(function() return false end)
    T.answers { a = "A" }
    local exporting = assert(otlp.start { endpoint = collector.url, interval_ms = 100 })
    T.ask { ids = { "a" } }
    assert.is_true(helper.settle(function() return #collector.requests == 1 end))
    local ms = T.timed(T.ask, { ids = { "a" } })
    assert.is_true(ms < 10000)
    assert.is_nil((exporting:stop(50)))
    assert.equal(8, exporting:stats().waiting)
  end)

  it("keeps a process alive no longer than its stop", function()
    local output, code = helper.script [[
      local exporting = require "curia".otlp.start { endpoint = "http://127.0.0.1:9", interval_ms = 60000 }
      print(exporting:stop(10000))
      require "curia".otlp.start { endpoint = "http://127.0.0.1:9" }
    ]]
    assert.equal("true\tnil\n", output)
    assert.equal(0, code)
  end)
end)
