local curia = require "curia"
local helper = require "spec.helper"
local programs = require "spec.recovery.program"
local rows = require "curia.store.runs"
local S = require "spec.durable.support"
local shared = require "curia.store.shared"
local T = require "spec.engine.support"

local place

before_each(function() place = programs.place() end)
after_each(function() place.close() end)

local function asking()
  T.script(function(request)
    local last = request.messages[#request.messages]
    if last.role == "tool" then return last.content end
    return { content = "", tool_calls = { { id = "c1", name = "look", arguments = {} } } }
  end)
  local look = curia.tool "look" { about = "looks", approval = true, run = function() return "seen" end }
  return T.council { ids = { "a" }, members = { a = { tools = { look } } }, name = "asking" }
end

describe("curia approve", function()
  it("decides about a call of a run that nobody has, which then goes on", function()
    local council = asking()
    helper.run(function()
      local run = S.start(council, nil, { run_id = "waits" })
      for event in run:events() do
        if event.type == "run_blocked" then break end
      end
      run:leave_to_others()
    end)
    local code, out, err = place.run("approve", "last", "c2", "yes")
    assert.same({ 1, "", "curia: run waits: no call 'c2' waits for approval; c1 does\n" }, { code, out, err })
    code, out, err = place.run("approve", "last", "c1", "no", "not", "today")
    assert.equal(0, code, err)
    assert.matches("^run waits: call c1 refused", out)
    code, out, err = place.run("approve", "waits", "c1", "yes")
    assert.equal("", out)
    assert.equal(1, code)
    assert.matches("no call 'c1' waits", err)
    assert.equal("pending", rows.get(shared.configured(), "default", "waits").status)
    helper.run(function()
      assert.equal(1, curia.recovery.sweep { councils = { asking = council } }.resumed)
      local result = assert(curia.find "waits":await())
      assert.matches("refused: not today", result.rounds[1].results.a.response.content)
    end)
  end)

  it("needs a run, a call and a decision", function()
    assert.equal(64, (place.run("approve", "waits")))
    local code, _, err = place.run("approve", "waits", "c1", "perhaps")
    assert.equal(64, code)
    assert.matches("yes or no is expected", err)
  end)
end)
