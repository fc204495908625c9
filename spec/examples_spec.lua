local helper = require "spec.helper"
local program = require "spec.cli.program"
local uv = require "luv"

local build = helper.program:match "^(.*)/bin/curia$"

-- Runs a shell command; gives its output and its exit code.
local function sh(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local output = pipe:read "a"
  local _, _, code = pipe:close()
  return output, code
end

local function lines_of(path)
  local lines = {}
  for line in io.lines(path) do lines[#lines + 1] = line end
  return lines
end

describe("examples/", function()
  it("first.lua asks a council and shows what happens", function()
    local code, out = program.run { "lua", "examples/first.lua", "Why?" }
    assert.equal(0, code)
    assert.truthy(out:find("\nchair      ok\n", 1, true))
    assert.truthy(out:find("offline: true, 2 rounds", 1, true))
  end)

  it("workflow.lua goes through its steps, and tells them", function()
    local code, out = program.run { "lua", "examples/workflow.lua", "Ship?" }
    assert.equal(0, code)
    local told = {}
    for line in out:gmatch "[^\n]+" do told[#told + 1] = line:match "^%S+" end
    assert.same({ "workflow_started", "step_started", "step_done", "step_started", "step_done", "step_started",
      "step_done", "workflow_completed", "done" }, told)
  end)

  it("usage_table.lua writes a row for each answer", function()
    local path = os.tmpname()
    local code = program.run { "lua", "examples/usage_table.lua", path }
    local rows = {}
    for line in io.lines(path) do rows[#rows + 1] = line end
    os.remove(path)
    assert.same({ 0, 4 }, { code, #rows })
    assert.matches("^at,run_id,council,member_id,", rows[1])
    assert.matches(",advisor,chair,synthesis,", rows[4])
  end)

  it("batch.lua answers a CSV of questions", function()
    local questions, answers = os.tmpname(), os.tmpname()
    local file = assert(io.open(questions, "w"))
    file:write('\239\187\191question,note\r\n"Ship, or ""wait""?",x\r\nWhy?\r\n\r\n"two\nlines"\r\n')
    file:close()
    local output, code = sh(("'%s' lua examples/batch.lua %s %s --at-once 2"):format(helper.program, questions, answers))
    assert.same({ 0, true }, { code, output:find("3 of 3", 1, true) ~= nil })
    local lines = lines_of(answers)
    assert.equal("question,answer,status,usd", lines[1])
    assert.matches('^"Ship, or ""wait""%?",".*",ok,', lines[2])
    os.remove(questions)
    os.remove(answers)
  end)

  it("batch.lua refuses what it does not know", function()
    local function batch(arguments)
      local output, code = sh(("'%s' lua examples/batch.lua %s"):format(helper.program, arguments))
      return code .. " " .. output
    end
    assert.matches("^64 .*usage", batch "one.csv")
    assert.matches("^64 .*usage", batch "a b --at-once 0")
    assert.matches("^64 .*unknown option %-%-at%-onec", batch "a b --at-onec 2")
    assert.matches("^1 .*no_such.csv: No such file", batch "no_such.csv b")
  end)

  it("sockets.lua answers lines on a socket", function()
    local out, child = uv.new_pipe(), {}
    child.handle, child.pid = uv.spawn(helper.program,
      { args = { "lua", "examples/sockets.lua", "0" }, stdio = { nil, out, 2 } }, function() child.handle:close() end)
    local said, answer = "", ""
    out:read_start(function(_, chunk) said = said .. (chunk or "") end)
    assert.is_true(helper.settle(function() return said:find ":(%d+)\n" end))
    local client = uv.new_tcp()
    client:connect("127.0.0.1", tonumber(said:match ":(%d+)\n"), function()
      client:write "Ship?\r\n"
      client:read_start(function(_, chunk) answer = answer .. (chunk or "") end)
    end)
    assert.is_true(helper.settle(function() return answer:find "\n" end))
    assert.matches('"status":"ok"', answer)
    client:close()
    uv.kill(child.pid, "sigterm")
    assert.is_true(helper.settle(function() return child.handle:is_closing() end))
    out:close()
  end)

  it("plain.lua runs in our program's Lua and in the stock one", function()
    if build:find("/release", 1, true) then
      local output, code = sh(("LUA_CPATH='%s/lua/?.so;;' lua5.4 examples/plain.lua"):format(build))
      assert.equal(0, code)
      assert.matches("anonymized_peer_review   skeptic    ok", output)
      assert.matches("invented answers, nobody was asked", output)
    end
  end)

  it("advisor_spec.lua passes", function()
    local output, code = sh(("'%s' test examples/advisor_spec.lua"):format(helper.program))
    assert.equal(0, code, output)
    assert.matches("3 successes / 0 failures", output)
  end)

  for _, name in ipairs { "own_state", "epoll", "game --frames 30" } do
    it(name .. " in C runs to its end", function()
      local output, code = sh(("'%s/examples/'%s"):format(build, name))
      assert.equal(0, code, output)
      assert.matches(({ own_state = "script: %[offline%] chair", epoll = "completed after %d+ ticks" })[name]
        or "council: completed.*curia +p50", output)
    end)
  end

  it("game in C takes any question", function()
    local output, code = sh(([['%s/examples/game' --frames 30 --question 'Is "this\that" fine?']]):format(build))
    assert.equal(0, code, output)
    assert.matches("council: completed", output)
  end)

  it("mock_script.lua is a script that loads", function()
    assert(require "curia.script".load("examples/mock_script.lua"))
  end)
end)
