--- The world of scripts that nobody vouches for. The state around it is held by spec/c/embed_limits_test.c.
local sandbox = require "curia.sandbox"

local function run(code)
  return assert(load(code, "=script", "t", sandbox.globals()))()
end

describe("sandbox", function()
  for _, name in ipairs { "io", "debug", "package", "dofile", "loadfile", "os.execute", "os.exit", "os.getenv",
    "os.remove", "os.rename", "os.tmpname", "string.dump" } do
    it("has no " .. name, function() assert.is_nil(run("return " .. name)) end)
  end

  it("has what computes", function()
    assert.equal("b", run 'return ("abc"):sub(2, 2)')
    assert.equal(3, run "return math.max(1, 3)")
    assert.equal(2, run "return select('#', table.unpack { 1, 2 })")
    assert.is_number(run "return os.time()")
    assert.equal(5, run "return coroutine.wrap(function() return 5 end)()")
  end)

  it("gives each script globals of its own", function()
    run "string.find = nil table = nil x = 1"
    assert.is_function(run "return string.find")
    assert.is_function(string.find)
    assert.is_nil(run "return x")
    assert.is_true(run "return _G._G == _G and _G.x == nil")
  end)

  it("loads text only, into the same world", function()
    assert.is_nil((run "return load('\\27Lua')"))
    assert.is_nil((run "return load(string.char(27) .. 'Lua', 'x', 'b')"))
    assert.is_nil(run "return load('return io')()")
    assert.equal(7, run "return load('return y', 'x', 't', { y = 7 })()")
  end)

  it("keeps metatables that are not the script's", function()
    assert.is_nil(run "return getmetatable('')")
    assert.is_nil(run "return getmetatable(require('curia').member 'a')")
    assert.has_error(function() run "setmetatable(require('curia').member 'a' {}, {})" end)
    assert.is_true(run "local m = {} return getmetatable(setmetatable({}, m)) == m")
    assert.is_true(run "local t = setmetatable({}, {}) return setmetatable(t, nil) == t")
  end)

  it("has no finalizers", function()
    assert.has_error(function() run "setmetatable({}, { __gc = print })" end)
  end)

  it("requires curia, and some parts of it", function()
    for _, name in ipairs { "curia.http", "curia.core.system", "curia.config", "io" } do
      local _, err = pcall(run, ("require '%s'"):format(name))
      assert.matches(("module '%s' is not in the sandbox; 'curia' is"):format(name), err, 1, true)
    end
    assert.is_function(run "return require('curia.prompts').fill")
    assert.is_function(run "return require('curia').council")
    for _, name in ipairs { "http", "config", "register", "lookup", "load", "start", "run", "adapters" } do
      assert.is_nil(run(("return require('curia').%s"):format(name)), name)
    end
  end)

  it("gives copies of Curia's modules", function()
    run "require('curia').json.encode = nil"
    assert.is_function(require("curia.json").encode)
  end)

  it("does not touch the collector", function()
    assert.is_number(run "return collectgarbage 'count'")
    assert.has_error(function() run "collectgarbage 'stop'" end)
  end)
end)
