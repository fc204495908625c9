local helper = require "spec.helper"
local signals = require "curia.cli.signals"
local task = require "curia.task"
local uv = require "luv"

local function fake_run()
  local run = { calls = {} }
  function run:cancel(reason) table.insert(self.calls, "cancel: " .. reason) end
  function run:terminate() table.insert(self.calls, "terminate") end
  return run
end

local function raise(run, names, let_go)
  local said = {}
  local code = helper.run(function()
    local caught <close> = signals.catch(run, function(text) said[#said + 1] = text end, let_go)
    for i, name in ipairs(names) do
      uv.kill(uv.os_getpid(), name)
      while #run.calls < i do task.sleep(1) end
    end
    return caught.code
  end)
  return code, said
end

describe("curia.cli.signals", function()
  it("cancels at the first, terminates at the second", function()
    local run = fake_run()
    local code, said = raise(run, { "sigint", "sigint" })
    assert.equal(130, code)
    assert.same({ "cancel: stopped with Ctrl-C", "terminate" }, run.calls)
    assert.equal(1, #said)
  end)

  it("cancels when it is told to end, or its terminal goes", function()
    assert.equal(143, (raise(fake_run(), { "sigterm" })))
    assert.equal(129, (raise(fake_run(), { "sighup" })))
  end)

  it("lets go of a durable run when it is told to end, at the second at once", function()
    local run = fake_run()
    local function let_go(at_once) table.insert(run.calls, at_once and "at once" or "let go") end
    assert.equal(143, (raise(run, { "sigterm", "sigint" }, let_go)))
    assert.same({ "let go", "at once" }, run.calls)
  end)

  it("cancels a durable run at Ctrl-C, and terminates it whatever comes next", function()
    local run = fake_run()
    local function let_go() table.insert(run.calls, "let go") end
    assert.equal(130, (raise(run, { "sigint", "sigterm" }, let_go)))
    assert.same({ "cancel: stopped with Ctrl-C", "terminate" }, run.calls)
  end)

  it("says why a durable run that cannot be stored does not end yet", function()
    local run = fake_run()
    run.conductor = { writer = { stuck = { message = "the disk is full" } } }
    local _, said = raise(run, { "sigint" }, function() end)
    assert.same({
      "cancelling; the run cannot be stored at the moment, and waits: the disk is full", "Ctrl-C again stops at once",
    }, said)
  end)

  it("leaves the signals alone afterwards", function()
    local code = raise(fake_run(), {})
    assert.is_nil(code)
  end)
end)

describe("a program that goes on until it is told to stop", function()
  it("hears of the first signal", function()
    require "spec.helper".run(function()
      local ending <close> = require "curia.cli.signals".the_end()
      assert.is_false(ending.now)
      uv.kill(uv.os_getpid(), "sighup")
      assert.is_true(ending.told:wait(60000))
      assert.same({ true, 129, "the terminal is gone" }, { ending.now, ending.code, ending.reason })
    end)
  end)
end)
