local curia = require "curia"
local helper = require "spec.helper"
local testing = require "curia.testing"

local function streaming(text)
  return function() return { content = text, pieces = 3, chunk_delay_ms = 5, delay_ms = 5 } end
end

local function pair()
  return testing.script(curia.council "pair" {
    members = { { id = "a", provider = "openai", model = "m", stream = true }, { id = "b", provider = "openai", model = "m", stream = true } },
    rounds = { { type = "independent_analysis" } },
  }, { a = streaming "one two three", b = streaming "four five six" })
end

local function nested()
  local inner = curia.council "inner" {
    members = { { id = "x", provider = "openai", model = "m", stream = true } }, rounds = { { type = "independent_analysis" } },
  }
  return testing.script(curia.council "outer" {
    members = { { id = "team", council = inner } }, rounds = { { type = "independent_analysis" } },
  }, { team = { x = streaming "from inside it" } })
end

local function names(capture)
  local list = {}
  for i, event in ipairs(capture:events()) do list[i] = event.type end
  return list
end

describe("testing.capture", function()
  it("has all events of a run, from the first to the last", function()
    helper.run(function()
      local capture = testing.capture()
      assert(curia.run(pair(), "Ship?", { subscribe = capture }))
      local seen = names(capture)
      assert.same({ "run_started", "run_completed" }, { seen[1], seen[#seen] })
      assert.same({ 2, 2, 1 }, { #capture:requests(), #capture:of "member_completed", #capture:of "round_completed" })
      assert.equal("Ship?", capture:requests()[1].messages[1].content:match "Ship%?")
      assert.equal(8, #capture:of "member_token") -- three pieces of each, and what tells of its end
      assert.same({ "one two three", "four five six" }, { capture:text "a", capture:text "b" })
      for _, event in ipairs(capture:of_member "a") do assert.equal("a", event.member) end
    end)
  end)

  it("has those of runs inside of it, their tokens and requests too", function()
    helper.run(function()
      local capture = testing.capture()
      assert(curia.run(nested(), "Ship?", { subscribe = capture }))
      assert.same({ 2, 1 }, { #capture:of "run_completed", #capture:requests() })
      assert.is_true(#capture:of "member_token" >= 3)
      assert.equal("from inside it", capture:text "x")
    end)
  end)

  it("has what was logged, however late it comes", function()
    helper.virtual(function()
      for _, council in ipairs { (pair()), (nested()) } do
        for late_ms = 0, 30, 3 do
          local full = testing.capture()
          local run = assert(curia.start(council, "Ship?", { subscribe = full }))
          curia.task.sleep(late_ms)
          local capture = testing.capture(run)
          assert(run:await())
          assert.equal(#full:of "run_started", #capture:of "run_started", late_ms)
          assert.equal(#full:of "member_completed", #capture:of "member_completed", late_ms)
          assert.equal(#full:of "run_completed", #capture:of "run_completed", late_ms)
          for _, id in ipairs { "a", "b", "x" } do assert.equal(full:text(id), capture:text(id)) end
        end
      end
    end)
  end)

  it("waits for an event", function()
    helper.virtual(function()
      local capture = testing.capture(assert(curia.start(pair(), "Ship?")))
      assert.equal("member_completed", capture:wait_for("member_completed").type)
      assert.equal("round_completed", capture:wait_for("round_completed", 1000).type)
      local none, err = capture:wait_for("run_failed", 1000)
      assert.same({ nil, "timeout" }, { none, err.kind })
      assert.matches("run_failed has not come before the run's end; the last events were .*run_completed", err.message)
      local silent = testing.script(curia.council "c" { members = { { id = "a", provider = "openai", model = "m" } },
        rounds = { { type = "independent_analysis" } } }, { a = { content = "x", delay_ms = 5000 } })
      local run = assert(curia.start(silent, "Ship?"))
      none, err = testing.capture(run):wait_for("member_completed", 20)
      assert.same({ nil, "member_completed has not come in 20 ms; the last events were run_started, round_started, member_started, member_request" },
        { none, err.message })
      run:cancel()
      run:await()
    end)
  end)

  it("stops when it is told to, and takes one run only", function()
    helper.run(function()
      local run = assert(curia.start(pair(), "Ship?"))
      local capture = testing.capture(run)
      capture:wait_for "run_started"
      capture:stop()
      local count = #capture:events()
      run:await()
      assert.equal(count, #capture:events())
      assert.error_matches(function() capture:attach(run) end, "takes one run")
      assert.error_matches(function() capture:of "member_complete" end, "did you mean 'member_completed'?", 1, true)
      assert.error_matches(function() testing.capture "x" end, "bad argument #1 to 'capture'", 1, true)
    end)
  end)
end)
