local chunk = require "curia.repl.chunk"

local function run(text, env)
  return chunk.compile(text, env or {})()
end

describe("a line of the REPL", function()
  it("gives the values of an expression, and none of a statement", function()
    assert.same({ 1, 2 }, { run "1, 2" })
    local env = {}
    assert.same({}, { run("x = 5", env) })
    assert.equal(5, env.x)
    assert.equal("a", run "'a'")
  end)

  it("keeps locals as variables of the session", function()
    local env = {}
    run("local x, y = 1, 2", env)
    run("local function f() return x end", env)
    assert.same({ 1, 2, 1 }, { env.x, env.y, env.f() })
    run("local z <const> = 1", env)
    assert.is_nil(env.z)
  end)

  it("goes on where it is not finished", function()
    for _, text in ipairs { "function f()", "x = {", "for i = 1, 2 do", "f(", "x = [[a", "return (" } do
      local fn, _, unfinished = chunk.compile(text, {})
      assert.is_nil(fn)
      assert.is_true(unfinished, text)
    end
  end)

  it("says what is wrong with it", function()
    local fn, message, unfinished = chunk.compile("x = = 1", {})
    assert.is_nil(fn)
    assert.is_false(unfinished)
    assert.matches("^repl:1: unexpected symbol near '='", message)
  end)
end)
