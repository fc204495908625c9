local json = require "curia.json"
local program = require "spec.cli.program"
local task = require "curia.task"
local uv = require "luv"

local SOURCE = [[
workflow "release" {
  subject = "trigger.change",
  step "judge" { council = "panel", input = { question = "trigger.change" } },
  step "sign" { approval = true, after = "judge" },
  step "tell" { after = "sign", input = "prior.judge.status", run = function(ctx, input)
    if ctx.attempt == 1 and os.getenv "BROKEN" then return nil, "the network is down" end
    return { content = "told: " .. input }
  end, on_failure = "pause" },
}
]]

local SLOW = [[
workflow "slow" { step "wait" { run = function(ctx)
  local file = io.open(os.getenv "MARK")
  if file then return { content = "the second time" } end
  io.open(os.getenv "MARK", "w"):close()
  curia.task.sleep(60000)
end } }
]]

local folder, file

before_each(function()
  folder = os.tmpname()
  os.remove(folder)
  assert(uv.fs_mkdir(folder, 448))
  file = program.file("curia = require 'curia'\n" .. SOURCE)
end)

after_each(function()
  os.execute(("rm -rf '%s' '%s'"):format(folder, file))
end)

local function curia(args, opts)
  opts = opts or {}
  opts.env = opts.env or {}
  opts.env.XDG_DATA_HOME, opts.env.XDG_CONFIG_HOME = folder, folder
  return program.run({ "workflow", table.unpack(args) }, opts)
end

local function start(...)
  return curia({ "start", file, "--set", "change=Ship?", "--offline", "--id", "one", ... })
end

describe("curia workflow", function()
  it("starts, waits for approval, and goes on in another process", function()
    local code, out, err = start()
    assert.equal(2, code)
    assert.matches("workflow release one: blocked\n  judge +done .*\n  sign +blocked: curia workflow approve one sign", out)
    assert.equal("judge begins\njudge is done\nsign waits for approval\n", err)
    code, out = curia { "approve", "one", "sign", "yes", "--note", "fine" }
    assert.equal(0, code)
    assert.matches("\ntell:\ntold: ok\n", out)
    code, out = curia { "show", "one", "--json" }
    assert.equal(0, code)
    local made = json.decode(out)
    assert.same({ "done", "fine", uv.fs_realpath(file) }, { made.status, made.steps[2].result.note, made.source })
  end)

  it("tells why a step has failed, and tries again when it is resumed", function()
    start()
    local code, out, err = curia({ "approve", "one", "sign", "yes" }, { env = { BROKEN = "1" } })
    assert.equal(2, code)
    assert.matches("tell +paused: step 'tell': the network is down %(curia workflow resume one%)", out)
    assert.matches("tell has failed: step 'tell': the network is down", err)
    code, out = curia { "resume", "one" }
    assert.same({ 0, true }, { code, out:find("attempt 2", 1, true) ~= nil })
  end)

  it("lists by status and cancels; what was cancelled cannot be approved", function()
    start()
    assert.matches("^one  blocked    release Ship%?  %d+%-", select(2, curia { "list" }))
    assert.equal("", (select(2, curia { "list", "--status", "done" })))
    assert.equal(1, #json.decode((select(2, curia { "list", "--name", "release", "--json" }))))
    local code, out = curia { "cancel", "one", "--note", "not needed" }
    assert.equal(0, code)
    assert.matches("cancelled.*the workflow was cancelled: not needed", out)
    code = curia { "approve", "one", "sign", "yes" }
    assert.equal(1, code)
    local err = select(3, curia { "resume", "one" })
    assert.matches("workflow one is cancelled", err)
  end)

  it("refuses a second one for the subject, with its id", function()
    start()
    local code, _, err = curia { "start", file, "--set", "change=Ship?", "--offline" }
    assert.equal(1, code)
    assert.matches("in flight for Ship%? already: one", err)
  end)

  it("goes on with what a killed program has left behind", function()
    local slow = program.file("curia = require 'curia'\n" .. SLOW)
    local env = { MARK = folder .. "/mark" }
    curia({ "start", slow, "--id", "two" }, { env = env, meanwhile = function(child)
      while not uv.fs_stat(env.MARK) do task.sleep(5) end
      uv.kill(child.pid, "sigkill")
    end })
    local code, out = curia({ "resume", "two" }, { env = env })
    os.remove(slow)
    assert.equal(0, code)
    assert.matches("wait:\nthe second time\n", out)
  end)

  it("says what is wrong with a file, a decision, an action", function()
    local function message(...)
      local code, _, err = curia { ... }
      return code .. " " .. err
    end
    assert.matches("^64 .*what to do is missing", message())
    assert.matches("^64 .*unknown action 'strat'; did you mean 'start'?", message "strat")
    assert.matches("^64 .*the file of the workflow is missing", message "start")
    assert.matches("^64 .*no such file", message("start", "/nowhere.lua"):lower())
    assert.matches("^64 .*yes or no", message("approve", "one", "sign", "perhaps"))
    assert.matches("^64 .*did you mean 'blocked'?", message("list", "--status", "blokced"))
    assert.matches("^1 .*there is no workflow one", message("show", "one"))
    local bad = program.file 'workflow "w" { step "a" { aftr = "b" } }'
    local told = message("start", bad)
    os.remove(bad)
    assert.matches("^1 .*did you mean 'after'?.*steps%[1%]: missing", told)
  end)

  it("is found by the help", function()
    local _, out = program.run { "workflow", "--help" }
    assert.matches("curia workflow start|list|show", out, 1, true)
  end)
end)
