--- `require "curia"` in the stock interpreter.
local helper = require "spec.helper"

local folder = helper.program:match "^(.*)/bin/curia$" .. "/lua"

local HEAD = [[
local curia = require "curia"
local council = curia.council "pair" {
  curia.member "a" { provider = "test", model = "m" }, curia.member "b" { provider = "test", model = "m" },
  curia.round "independent_analysis" {},
}
curia.config { providers = { test = { adapter = "scripted", script = { content = "yes", delay_ms = 20 } } } }
]]

-- Runs a script with the stock lua5.4; gives its output and its exit code.
local function lua(script, head)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(head or HEAD, script)
  file:close()
  local pipe = assert(io.popen(("LUA_CPATH='%s/?.so;;' lua5.4 %s 2>&1"):format(folder, path)))
  local output = pipe:read "a"
  local _, _, code = pipe:close()
  os.remove(path)
  return output, code
end

if not helper.program:find("/release/", 1, true) then
  return -- the stock interpreter has no sanitizer's runtime
end

describe("the module in a stock Lua", function()
  it("runs councils; waiting at top level turns the loop", function()
    local output, code = lua [[print(_VERSION, curia.run(council, "Why?").status)]]
    assert.same({ "Lua 5.4\tok\n", 0 }, { output, code })
  end)

  it("turns the loop a step at a time, or until nothing is left", function()
    local output = lua [[
      local run, steps = curia.start(council, "Why?"), 0
      while curia.step() do steps = steps + 1 end
      print(run:result().status, steps > 2)
      local second = curia.start(council, "Why?")
      curia.loop()
      print(second:result().status, curia.step())
    ]]
    assert.equal("ok\ttrue\nok\tfalse\n", output)
  end)

  it("shares luv's loop, whoever runs it", function()
    local output = lua [[
      local uv = require "luv"
      local ticks, timer = 0, uv.new_timer()
      timer:start(1, 1, function() ticks = ticks + 1 end)
      print(curia.run(council, "Why?").status, ticks > 0)
      local run = curia.start(council, "Why?")
      run:on_end(function() timer:close() end)
      uv.run()
      print(run:result().status)
    ]]
    assert.equal("ok\ttrue\nok\n", output)
  end)

  it("does not wait in a callback of luv, and says so", function()
    local output = lua [[
      local uv, task = require "luv", require "curia.task"
      local timer = uv.new_timer()
      timer:start(1, 0, function()
        timer:close()
        print(pcall(curia.run, council, "Why?"))
        print(pcall(curia.step))
        task.spawn_root(function() print(curia.run(council, "Why?").status) end)
      end)
      uv.run()
    ]]
    assert.matches("^false\t.*cannot wait in a callback of the loop; spawn a task for it\n", output)
    assert.matches("false\t.*the loop is running already\nok\n$", output)
  end)

  it("runs no loop in the loop, and lets nobody walk over handles of Curia's", function()
    local output = lua [[
      local uv, task = require "luv", require "curia.task"
      task.spawn_root(function() print(pcall(uv.run, "once")) end)
      curia.loop()
      print(pcall(uv.walk, print))
      print(uv.run "nowait")
    ]]
    assert.matches("^false\tuv.run: the loop is running already\n", output)
    assert.matches("\nfalse\tuv.walk: the loop has handles of Curia's, which are not luv's\nfalse\n$", output)
  end)

  it("works without a luv", function()
    local output = lua([[print(curia.run(council, "Why?").status)]],
      'package.preload.luv = function() error "there is none" end\n' .. HEAD)
    assert.equal("ok\n", output)
  end)

  it("refuses a luv that carries another libuv", function()
    local output, code = lua("", 'package.preload.luv = function() return { run = print } end\n' .. HEAD)
    assert.equal(1, code)
    assert.matches("this luv carries another libuv than curia", output)
  end)

  it("ends well whatever is under way, and keeps the exit code", function()
    for _, how in ipairs { "", "os.exit(0, true)", "os.exit(0)" } do
      local output, code = lua([[
        local run = curia.start(council, "Why?")
        run:on_end(function() print "not told" end)
        local timer = require "luv".new_timer()
        timer:start(1000, 0, print)
        curia.step()
        curia.step()
      ]] .. how)
      assert.same({ "", 0 }, { output, code })
    end
    local output, code = lua [[curia.start(council, "Why?") curia.step() error "broken"]]
    assert.equal(1, code)
    assert.matches("broken", output)
  end)

  it("writes nothing and takes no signal", function()
    local output = lua [[
      curia.run(council, "Why?")
      local file = io.open "/proc/self/status"
      print(file:read "a":match "SigCgt:%s*(%x+)")
    ]]
    assert.equal(lua([[
      local file = io.open "/proc/self/status"
      print(file:read "a":match "SigCgt:%s*(%x+)")
    ]], ""), output)
  end)
end)
