local program = require "spec.cli.program"

local function run(text, args, opts)
  local path = program.file(text)
  local code, out, err = program.run({ "lua", path, table.unpack(args or {}) }, opts)
  os.remove(path)
  return code, out, err, path
end

describe("curia lua", function()
  it("stores what its script has had recorded before it ends", function()
    local path = os.tmpname()
    os.remove(path)
    local source = ([[
      local script = { adapter = "scripted", script = { default = "Yes." } }
      curia.config { store = "sqlite:%s", providers = { here = script } }
      local one = council "one" { member "a" { provider = "here", model = "m" }, round "independent_analysis" {} }
      curia.run(one, "Why?", { recorder = true })]]):format(path)
    assert.equal(0, (run(source)))
    local _, out = run(([[
      curia.config { store = "sqlite:%s" }
      print(curia.list { recorded = true }[1].status)]]):format(path))
    assert.equal("completed\n", out)
    os.execute("rm -rf '" .. path .. "'*")
  end)

  it("has Curia, its words and uv in scope", function()
    local _, out = run [[
      print(type(curia.start), type(council), type(member), type(env), type(uv.now()))
      print(curia == require "curia", uv == require "luv")]]
    assert.equal("function\tfunction\tfunction\tfunction\tnumber\ntrue\ttrue\n", out)
  end)

  it("passes arguments, and gives the script's integer as exit code", function()
    local code, out = run('print(select("#", ...), arg[0] ~= nil, arg[2]) return 7', { "a", "b" })
    assert.equal(7, code)
    assert.equal("2\ttrue\tb\n", out)
  end)

  it("keeps the script's globals where Lua keeps them", function()
    assert.equal("1\n", (select(2, run("answer = 1 print(_G.answer)"))))
  end)

  it("runs the script as a task", function()
    assert.equal("slept\n", (select(2, run('require("curia.task").sleep(1) print("slept")'))))
  end)

  it("reads a script from standard input", function()
    assert.equal("hi\n", (select(2, program.run({ "lua", "-" }, { stdin = 'print("hi")' }))))
  end)

  it("tells errors with file, line and traceback", function()
    local code, _, err, path = run "\nerror('oops')"
    assert.equal(1, code)
    assert.truthy(err:find(path .. ":2: oops", 1, true))
    assert.truthy(err:find("stack traceback", 1, true))
    assert.equal(1, (run "x ="))
    assert.equal(1, (program.run { "lua", "/nowhere.lua" }))
    assert.equal(64, (program.run { "lua" }))
  end)

  it("stops a script that holds the loop, and names it", function()
    local endless = "while true do pcall(function() end) end"
    local code, _, err, path = run(endless, {}, { env = { CURIA_WATCHDOG_MS = "800" } })
    assert.equal(1, code)
    assert.truthy(err:find("held the loop for over 800 ms at " .. path .. ":1", 1, true))
  end)
end)
