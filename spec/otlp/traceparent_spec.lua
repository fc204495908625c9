local curia = require "curia"
local T = require "spec.engine.support"
local traceparent = require "curia.otlp.traceparent"

local TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"

local function of(version, flags, rest)
  return ("%s-%s-%s-%s%s"):format(version, TRACE, SPAN, flags, rest or "")
end

describe("traceparent", function()
  it("tells the trace, the caller's span, and whether it is recorded", function()
    assert.same({ trace_id = TRACE, span_id = SPAN, sampled = true }, traceparent.parse(of("00", "01")))
    assert.is_false(traceparent.parse(of("00", "02")).sampled)
    assert.is_true(traceparent.parse(of("00", "03")).sampled)
  end)

  it("is read in later versions too, as far as it is known", function()
    assert.equal(TRACE, traceparent.parse(of("01", "01", "-more")).trace_id)
    assert.is_nil(traceparent.parse(of("00", "01", "-more")))
    assert.is_nil(traceparent.parse(of("01", "01", "more")))
    assert.is_nil(traceparent.parse(of("ff", "01")))
  end)

  it("is refused where it is none", function()
    for _, text in ipairs {
      "", "00", of("00", "01"):upper(), of("00", "1"), of("00", "01"):gsub("%-", "_"),
      of("00", "01"):gsub(TRACE, ("0"):rep(32)), of("00", "01"):gsub(SPAN, ("0"):rep(16)), " " .. of("00", "01"),
    } do assert.is_nil(traceparent.parse(text), text) end
  end)

  it("is an option of a run, checked when the run starts", function()
    T.answers { a = "A" }
    assert(T.ask({ ids = { "a" } }, "Why?", { traceparent = of("00", "01") }))
    local run, err = curia.start(T.council { ids = { "a" } }, "Why?", { traceparent = "nonsense" })
    assert.is_nil(run)
    assert.equal("validation", err.kind)
    assert.equal("options: traceparent must have the form 00-<32 hex digits>-<16 hex digits>-<2 hex digits>, "
      .. "in lower case, no id all zeros", err.message)
  end)
end)
