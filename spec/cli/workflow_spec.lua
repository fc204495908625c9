local json = require "curia.json"
local program = require "spec.cli.program"
local task = require "curia.task"
local terminal = require "spec.tmux"
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

-- Two steps of real councils. Each call is noted; the one of y takes as long as the spec says, or until a file opens it.
local PAID = [[
local function noted(delay_ms, gate)
  return { adapter = "scripted", script = function(request)
    local file = io.open(os.getenv "CALLS", "a")
    file:write(request.member, " ")
    file:close()
    while gate and not io.open(gate) do curia.task.sleep(5) end
    return { content = "yes", delay_ms = delay_ms }
  end }
end
curia.config { providers = { fast = noted(), slow = noted(tonumber(os.getenv "DELAY_MS"), os.getenv "GATE") } }
local function panel(name)
  return function(members) return council(name) { members = members, rounds = { "independent_analysis" } } end
end
workflow "paid" {
  step "a" { input = { question = "Why?" }, council = panel "a" {
    { id = "x", provider = "fast", model = "m" }, { id = "y", provider = "slow", model = "m" },
  } },
  step "b" { after = "a", input = { question = "prior.a.status" }, council = panel "b" {
    { id = "z", provider = "fast", model = "m" },
  } },
}
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
  it("says that nothing is stored, and makes nothing by looking", function()
    local code, out, err = curia { "list" }
    assert.same({ 0, "" }, { code, out })
    assert.matches("^curia: nothing is stored yet: there is no .*curia%.db\n$", err)
    for _, args in ipairs { { "show", "last" }, { "resume", "x" }, { "cancel", "x" }, { "approve", "x", "y", "yes" } } do
      assert.equal(1, (curia(args)))
    end
    assert.is_nil(uv.fs_stat(folder .. "/curia"))
  end)

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

  it("writes nothing into a terminal that a step could pose with", function()
    local posing = program.file [[workflow "bad" { step "tell" { run = function() return nil, "no \27[31mred" end } }]]
    local _, out, err = curia { "start", posing, "--id", "bad" }
    os.remove(posing)
    assert.matches("tell +failed.*no %[31mred", out)
    assert.matches("has failed: .*no %[31mred", err)
    assert.is_nil((out .. err):find("\27", 1, true))
  end)

  local with_tmux = terminal.found and it or pending
  with_tmux("fits onto a terminal", function()
    start()
    local command = ("XDG_DATA_HOME=%s %s workflow "):format(folder, require "spec.helper".program)
    terminal.open(60, 30, ("%s list; %s show one"):format(command, command))
    local shown = terminal.wait_for "the end"
    terminal.close()
    assert.matches("^one  blocked    %d%d %a+ %d%d:%d%d UTC\n  release: Ship%?\nworkflow release one: blocked\n", shown)
    assert.matches("\n  sign +blocked: curia workflow approve\n    one sign yes|no\n", shown)
  end)

  it("takes the newest for last", function()
    assert.equal(0, (program.run({ "migrate", "up" }, { env = { XDG_DATA_HOME = folder, XDG_CONFIG_HOME = folder } })))
    local code, _, err = curia { "cancel", "last" }
    assert.same({ 1, "curia: there is no workflow yet\n" }, { code, err })
    start()
    assert.matches("^workflow release one: blocked", select(2, curia { "show", "last" }))
    assert.equal(0, (curia { "approve", "last", "sign", "yes" }))
    assert.matches("^workflow release one: done", select(2, curia { "cancel", "last" }))
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
    assert.matches("wait +running: the process that began it has died: curia workflow resume two\n",
      select(2, curia { "show", "two" }))
    local code, out = curia({ "resume", "two" }, { env = env })
    os.remove(slow)
    assert.equal(0, code)
    assert.matches("wait:\nthe second time\n", out)
  end)

  it("goes on with both sides of an approval after a kill", function()
    local slow = program.file("curia = require 'curia'\n" .. SLOW:gsub("{ step", "{ step 'sign' { approval = true }, step", 1))
    local env = { MARK = folder .. "/mark" }
    curia({ "start", slow, "--id", "two" }, { env = env, meanwhile = function(child)
      while not uv.fs_stat(env.MARK) do task.sleep(5) end
      uv.kill(child.pid, "sigkill")
    end })
    local code, out = curia({ "approve", "two", "sign", "yes" }, { env = env })
    os.remove(slow)
    assert.equal(0, code)
    assert.matches("wait:\nthe second time\n", out)
  end)

  describe("of councils, interrupted while a call is under way", function()
    local paid, calls

    before_each(function()
      paid, calls = program.file("curia = require 'curia'\n" .. PAID), folder .. "/calls"
    end)
    after_each(function() os.remove(paid) end)

    local function made()
      local handle = io.open(calls)
      if not handle then return "" end
      local text = handle:read "a"
      handle:close()
      return text
    end

    local function run(delay_ms, args, act, gate)
      return curia(args, { env = { CALLS = calls, DELAY_MS = tostring(delay_ms), GATE = gate }, meanwhile = act })
    end

    -- The rows of a query; none as long as there is no store.
    local function ask(text)
      local path = folder .. "/curia/curia.db"
      if not uv.fs_stat(path) then return {} end
      local store = assert(require "curia.store".open("sqlite:" .. path))
      local found = store:query(text)
      store:close()
      return found or {}
    end

    local function store_says(text) return ask(text)[1] end

    -- The answer of x is stored, and y is asked.
    local function until_under_way()
      while not made():find "y" do task.sleep(5) end
      repeat
        task.sleep(5)
      until #ask "SELECT 1 FROM {steps} WHERE kind = 'call' AND finished IS NOT NULL" > 0
    end

    local function interrupt(delay_ms, ...)
      local signals = { ... }
      return run(delay_ms, { "start", paid, "--id", "one" }, function(child)
        until_under_way()
        for i, name in ipairs(signals) do
          if i > 1 then program.wait_for(child, "may end in") end
          uv.kill(child.pid, name)
        end
      end)
    end

    local function assert_ended_once()
      assert.same({ runs = 2, ends = 2, workflows = 1 }, store_says [[SELECT
        (SELECT count(*) FROM {runs} WHERE status = 'completed') AS runs,
        (SELECT count(*) FROM {run_events} WHERE type = 'run_completed') AS ends,
        (SELECT count(*) FROM {workflows} WHERE status = 'done') AS workflows]])
    end

    it("by SIGKILL, pays no finished call twice and ends once", function()
      interrupt(60000, "sigkill")
      assert.equal("x y ", made())
      local code, out, err = run(0, { "resume", "one" })
      assert.equal(0, code)
      assert.matches("^workflow paid one: done", out)
      assert.equal("a is done\nb begins\nb is done\n", err)
      assert.equal("x y y z ", made())
      assert_ended_once()
      assert.equal(1, (run(0, { "resume", "one" })))
      assert.equal("x y y z ", made())
    end)

    -- How often each member has been asked, for those whose answer is stored.
    local function paid_for()
      local counts = {}
      for _, row in ipairs(ask "SELECT path FROM {steps} WHERE kind = 'call' AND finished IS NOT NULL") do
        local member = row.path:match "%w$"
        counts[member] = select(2, made():gsub(member, ""))
      end
      return counts
    end

    local function go_on()
      return #ask "SELECT 1 FROM {workflows}" > 0 and { "resume", "one" } or { "start", paid, "--id", "one" }
    end

    it("by SIGKILL at many moments, pays no finished call twice and ends once", function()
      local first = {}
      for i = 1, 10 do
        run(40, go_on(), function(child)
          task.sleep(40 + i * 53 % 140)
          if not child.code then child.handle:kill "sigkill" end
        end)
        for member, count in pairs(paid_for()) do first[member] = first[member] or count end
      end
      if #ask "SELECT 1 FROM {workflows} WHERE status = 'done'" == 0 then assert.equal(0, (run(0, go_on()))) end
      local last = paid_for()
      for member, count in pairs(first) do assert.equal(count, last[member], member) end
      assert.is_true(last.x ~= nil and last.y ~= nil and last.z ~= nil)
      assert_ended_once()
    end)

    it("by SIGTERM, lets the call end and begins nothing more", function()
      local gate = folder .. "/gate"
      local code, _, err = run(0, { "start", paid, "--id", "one" }, function(child)
        until_under_way()
        uv.kill(child.pid, "sigterm")
        program.wait_for(child, "may end in")
        assert(io.open(gate, "w")):close()
      end, gate)
      assert.equal(143, code)
      assert.matches("stopped by SIGTERM; what is under way may end in 10 s\n", err)
      assert.matches("workflow one is left as it is; curia workflow resume one goes on with it\n$", err)
      assert.equal("x y ", made())
      assert.equal(0, (run(0, { "resume", "one" })))
      assert.equal("x y z ", made())
      assert_ended_once()
    end)

    it("by SIGTERM twice, leaves at once", function()
      local code, _, err = interrupt(60000, "sigterm", "sigterm")
      assert.equal(143, code)
      assert.matches("curia workflow resume one goes on with it\n$", err)
      assert.equal("running", store_says "SELECT status FROM {workflows}".status)
    end)

    it("by Ctrl-C, is cancelled with its run", function()
      local code, out, err = interrupt(60000, "sigint")
      assert.equal(130, code)
      assert.matches("the workflow was cancelled: stopped with Ctrl%-C", out)
      assert.matches("curia: stopped with Ctrl%-C: workflow one is cancelled\n$", err)
      assert.same({ run = "cancelled", workflow = "cancelled" },
        store_says "SELECT {runs}.status AS run, {workflows}.status AS workflow FROM {runs}, {workflows}")
    end)

    it("by another program, is cancelled with its run", function()
      local code, out = run(60000, { "start", paid, "--id", "one" }, function()
        until_under_way()
        local store = assert(require "curia.store".open("sqlite:" .. folder .. "/curia/curia.db"))
        assert(require "curia".workflows.cancel("one", "not needed", { store = store }))
        store:close()
      end)
      assert.equal(1, code)
      assert.matches("the workflow was cancelled: not needed", out)
      assert.equal("cancelled", store_says "SELECT status FROM {runs}".status)
    end)
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
    assert.matches("^64 .*'fine' is an argument too many", message("approve", "one", "sign", "yes", "fine"))
    assert.matches("^64 .*'release' is an argument too many", message("list", "release"))
    assert.matches("^64 .*did you mean 'blocked'?", message("list", "--status", "blokced"))
    start()
    assert.matches("^1 .*there is no workflow two", message("show", "two"))
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
