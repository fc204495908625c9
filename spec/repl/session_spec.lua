local curia = require "curia"
local helper = require "spec.helper"
local program = require "spec.cli.program"
local sessions = require "curia.repl.session"
local task = require "curia.task"
local T = require "spec.engine.support"

local session, said

before_each(function()
  said = {}
  session = sessions.new { say = function(text) said[#said + 1] = text end }
end)

local function take(text)
  local unfinished
  helper.run(function() unfinished = session:take(text) end)
  return unfinished
end

local function all() return table.concat(said, "\n") end

describe("a session", function()
  it("shows values, keeps the last one, and goes on over lines", function()
    take "1 + 1"
    take "_ + 1"
    assert.same({ "2", "3" }, said)
    assert.is_true(take "function f()")
    assert.is_false(take "function f()\nreturn 7 end")
    take "f(), nil"
    take "nil"
    assert.same({ "2", "3", "7\nnil" }, said)
  end)

  it("tells what is wrong, with the place, and lives on", function()
    take "error 'broken'"
    take "x = = 2"
    take "local t = nil; t.x = 1"
    assert.matches("^error: repl:1: broken", said[1])
    assert.matches("error: repl:1: unexpected symbol", all())
    assert.matches("attempt to index a nil value", all())
    assert.is_true(session.failed)
    take "'alive'"
    assert.equal('"alive"', said[#said])
  end)

  it("knows a council by its name once it was declared", function()
    T.script "yes"
    take 'council "mine" { member "a" { provider = "test", model = "m" }, round "independent_analysis" {} }'
    take 'curia.run("mine", "Why?")'
    assert.truthy(all():find("result of mine: ok\nyes", 1, true))
    take ":diagram mine"
    assert.truthy(all():find("test/m", 1, true))
    assert.equal("mine", session:council("mine").name)
    curia.unregister("council", "mine")
  end)

  it("lets runs go on and reports their end", function()
    helper.virtual(function()
      T.script { content = "later", delay_ms = 1000 }
      session.env.mine = T.council { ids = { "a" } }
      session:take 'run = curia.start(mine, "Why?")'
      assert.is_nil(all():find "completed")
      task.sleep(1100)
      assert.truthy(all():find("[spec completed: later]", 1, true))
      session:take "await(run)"
      assert.truthy(all():find("result of spec: ok", 1, true))
    end)
  end)

  it("has commands, and names the nearest of one that it has not", function()
    take ":help"
    assert.truthy(all():find(":runs", 1, true))
    take ":rusn"
    assert.truthy(all():find("did you mean ':runs'", 1, true))
    take ":help vote"
    assert.truthy(all():find("vote", 1, true))
    take ":help vot"
    assert.truthy(all():find("did you mean", 1, true))
    take ":load"
    take ":load /nonexistent.lua"
    assert.truthy(all():find(":load needs a file", 1, true))
    assert.truthy(all():find("cannot open /nonexistent.lua", 1, true))
    take ":cancel nobody"
    assert.truthy(all():find("no run nobody", 1, true))
    take ":quit"
    assert.is_true(session.over)
  end)

  it("loads files, and loads them again", function()
    local path = program.file 'loads = (loads or 0) + 1\ncouncil "filed" { member "a" {} , round "independent_analysis" {} }'
    take(":load " .. path)
    take ":reload"
    take "loads"
    assert.equal("2", said[#said])
    assert.equal("filed", session:council("filed").name)
    os.remove(path)
    curia.unregister("council", "filed")
  end)
end)

describe("curia repl on a pipe", function()
  local function pipe(text, ...)
    return program.run({ "repl", ... }, { stdin = text })
  end

  it("runs lines and prints values, without a prompt", function()
    local code, out = pipe "x = 20\nfunction f()\n  return x + 1\nend\nf()\n"
    assert.same({ 0, "21\n" }, { code, out })
  end)

  it("fails when a line has failed", function()
    local code, out = pipe "error 'x'\n'goes on'\n"
    assert.equal(1, code)
    assert.truthy(out:find('"goes on"', 1, true))
    assert.equal(1, (pipe "function f(\n"))
  end)

  it("asks nobody with --offline", function()
    local code, out = pipe('curia.run("panel", "Ship?")\n', "--offline")
    assert.equal(0, code)
    assert.matches("^result of panel: ok, OFFLINE", out)
  end)
end)
