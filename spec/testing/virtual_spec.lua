local clock = require "curia.core.clock"
local curia = require "curia"
local testing = require "curia.testing"

local function one(answer, fields)
  local member = { id = "only", provider = "openai", model = "m" }
  for name, value in pairs(fields or {}) do member[name] = value end
  local council = curia.council "one" { members = { member }, rounds = { { type = "independent_analysis" } } }
  return (testing.script(council, { only = answer }))
end

describe("testing.virtual", function()
  it("lets 1,000 retries of 30 s pass in no time", function()
    local council = one({ error = { status = 503, retry_after_ms = 30000 } }, { retry = { attempts = 4, max = "1m" } })
    local began, waits, passed = os.clock(), 0, nil
    testing.virtual(function()
      local start = clock.ms()
      while waits < 1000 do
        local _, err = curia.run(council, "Ship?")
        waits = waits + err.attempts - 1
      end
      passed = clock.ms() - start
    end)
    assert.is_true(passed >= 1000 * 30000, passed)
    assert.is_true(os.clock() - began < 20)
  end)

  it("gives what the function gives, and time-outs of hours", function()
    local council = one({ fault = "hang" }, { timeout = "3h", total_timeout = "3h", first_byte_timeout = "3h" })
    local kind, more = testing.virtual(function(asked)
      local _, err = curia.run(council, asked, { deadline = "2h" })
      return err.kind, "and more"
    end, "Ship?")
    assert.same({ "deadline", "and more" }, { kind, more })
  end)

  it("restores the clock after an error, and lets what is left under way end", function()
    local run
    assert.error_matches(function()
      testing.virtual(function()
        run = curia.start(one { content = "late", delay_ms = 20000 }, "Ship?")
        curia.task.sleep(10)
        error "boom"
      end)
    end, "boom")
    assert.equal("completed", run:state().status)
    assert.error_matches(function() clock.advance(1) end, "not virtual")
    assert.equal(1, testing.virtual(function() return 1 end))
  end)

  it("raises when it is nested, or while timers run", function()
    testing.virtual(function()
      local _, message = pcall(testing.virtual, print)
      assert.matches("testing.virtual: time is virtual already", message)
    end)
    local sleeper = curia.task.spawn(curia.task.sleep, 50)
    curia.task.run(curia.task.sleep, 1)
    assert.error_matches(function() testing.virtual(print) end, "cannot be changed while timers run")
    sleeper:cancel()
    sleeper:await()
  end)

  it("ends a function that waits for what never comes", function()
    assert.error_matches(function() testing.virtual(function() curia.task.signal():wait() end) end, "waits for what never comes")
  end)
end)
