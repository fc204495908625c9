local support = require "spec.telemetry.support"
local task = require "curia.task"
local telemetry = require "curia.telemetry"
local T = require "spec.engine.support"

local heard, handle

after_each(function()
  if heard then heard:stop() end
  if handle then handle:detach() end
  heard, handle = nil, nil
end)

describe("a handler", function()
  before_each(function() T.script "yes" end)

  it("that raises is detached and reported; the run goes on", function()
    local calls = 0
    local lines = T.logged(function()
      telemetry.attach({ "member.start", "member.stop" }, function()
        calls = calls + 1
        error "broken"
      end)
      assert.equal("ok", T.ask({}).status)
    end)
    assert.equal(1, calls)
    assert.matches("a handler of member.start failed and was detached.*broken", lines[1])
    assert.is_nil(telemetry.on["member.stop"])
    assert.is_false(telemetry.any)
  end)

  it("must not wait", function()
    local lines = T.logged(function()
      telemetry.attach("member.start", function() task.sleep(1) end)
      assert.equal("ok", T.ask({}).status)
    end)
    assert.matches("cannot wait inside a C call", lines[1])
  end)

  it("is replaced by the next with the same id", function()
    local first, second = 0, 0
    telemetry.attach("run.stop", function() first = first + 1 end, { id = "mine" })
    handle = telemetry.attach("run.stop", function() second = second + 1 end, { id = "mine" })
    T.ask {}
    assert.same({ 0, 1 }, { first, second })
  end)

  it("may detach itself while it is called", function()
    local calls, own = 0, nil
    own = telemetry.attach("member.stop", function()
      calls = calls + 1
      own:detach()
    end)
    heard = support.listen "member.stop"
    T.ask {}
    assert.same({ 1, 3 }, { calls, #heard })
  end)

  it("hears an event once, of the names that it was given at first", function()
    local calls, given = 0, { "run.stop", "run.stop" }
    handle = telemetry.attach(given, function() calls = calls + 1 end)
    telemetry.emit("run.stop", {}, {})
    assert.equal(1, calls)
    given[1], given[2] = "run.start", nil
    handle:detach()
    assert.is_nil(telemetry.on["run.stop"])
  end)

  it("listens to names that there are", function()
    assert.error_matches(function() telemetry.attach("member.stopp", print) end, "did you mean 'member.stop'")
    assert.error_matches(function() telemetry.attach({}, print) end, "bad argument #1")
    assert.error_matches(function() telemetry.attach("run.stop", 1) end, "bad argument #2")
    assert.error_matches(function() telemetry.attach("run.stop", print, { ids = 1 }) end, "unknown option 'ids'")
    assert.error_matches(function() telemetry.attach("run.stop", print, "x") end, "bad argument #3")
    assert.error_matches(function() telemetry.attach({ "*", "member.stopp" }, print) end, "did you mean 'member.stop'")
  end)
end)
