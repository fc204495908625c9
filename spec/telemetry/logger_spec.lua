local errors = require "curia.errors"
local logger = require "curia.telemetry.logger"
local redact = require "curia.redact"
local telemetry = require "curia.telemetry"
local T = require "spec.engine.support"

describe("the logger of telemetry", function()
  it("writes a line of names and values in a stable order", function()
    local line = logger.line("member.stop", { duration_us = 1500, input_tokens = 7 }, {
      run_id = "r", member_id = "a b", model = "m", status = "ok", cost = { usd = 0.25 },
    })
    assert.equal('member.stop run_id=r member_id="a b" model=m status=ok cost=0.250000 duration_us=1500 input_tokens=7', line)
  end)

  it("tells errors in words, on one line, without secrets", function()
    redact.add "sk-very-secret-key"
    local err = errors.new("auth", "the key sk-very-secret-key\nis wrong")
    local line = logger.line("member.exception", {}, { member_id = "a", error = err })
    redact.reset()
    assert.matches("auth: the key", line)
    assert.is_nil(line:find("very-secret", 1, true))
    assert.is_nil(line:find "\n")
  end)

  it("listens to what it is told to, and writes where it is told to", function()
    T.script "yes"
    local lines = {}
    local _ <close> = telemetry.log { events = { "member.stop" }, to = function(line) lines[#lines + 1] = line end }
    T.ask { ids = { "a" } }
    assert.equal(1, #lines)
    assert.matches("^member.stop .*member_id=a .*status=ok", lines[1])
    assert.error_matches(function() telemetry.log { evnts = {} } end, "did you mean 'events'")
    assert.error_matches(function() telemetry.log { to = 5 } end, "to is a function or an open file")
  end)

  it("writes to Curia's log otherwise", function()
    T.script "yes"
    local lines = T.logged(function()
      local _ <close> = telemetry.log { level = "warn", events = { "run.stop" } }
      T.ask { ids = { "a" } }
    end)
    assert.equal(1, #lines)
    assert.matches("^warn: run.stop run_id=", lines[1])
  end)
end)
