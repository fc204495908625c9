local completion = require "curia.repl.completion"
local curia = require "curia"

local MORE = {
  commands = { "cancel", "cost", "help" }, councils = function() return { "panel", "pair" } end,
  files = function(prefix) return { prefix .. "file.lua" } end,
}

local env = setmetatable({ answer = 42, run = setmetatable({ id = "r" }, { __index = { await = print, name = "x" } }) },
  { __index = { curia = curia, string = string } })

local function candidates(line, start)
  return completion.candidates(line, start or (line:find "[%w_.:]*$"), env, MORE)
end

describe("completion", function()
  it("knows variables, the words in scope and Lua's own", function()
    assert.same({ "answer" }, candidates "answ")
    assert.same({ "string" }, candidates "x = stri")
    assert.same({ "function" }, candidates "func")
  end)

  it("knows fields and methods, also those that come when they are asked for", function()
    assert.same({ "string.format" }, candidates "string.form")
    assert.same({ "run.await" }, candidates "run.aw")
    assert.same({ "run:await" }, candidates "run:")
    assert.same({ "curia.telemetry" }, candidates "curia.teleme")
    assert.same({}, candidates "nothing.x")
  end)

  it("knows commands, councils and files", function()
    assert.same({ ":cancel", ":cost" }, completion.candidates(":c", 2, env, MORE))
    assert.same({ "pair", "panel" }, completion.candidates(":diagram pa", 10, env, MORE))
    assert.same({ "panel" }, completion.candidates('curia.run("pan', 12, env, MORE))
    assert.same({ "a/file.lua" }, completion.candidates(":load a/", 7, env, MORE))
  end)
end)
