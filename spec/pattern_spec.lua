local pattern = require "curia.core.pattern"

-- Lua's own functions, as they were before the program installed ours.
local stock = pattern.stock

local function outcome(...)
  local result = table.pack(pcall(...))
  -- Both give the function's name as far as they know it; here it is ours to compare the rest.
  if not result[1] then result[2] = tostring(result[2]):gsub("'[%w_.?]*'", "F", 1) end
  return result
end

local function show(result)
  local out = {}
  for i = 1, result.n do out[i] = type(result[i]) == "string" and ("%q"):format(result[i]) or tostring(result[i]) end
  return table.concat(out, ", ")
end

-- Calls ours and Lua's own with the same arguments; the outcomes must be equal.
local function agree(name, ...)
  local want, got = show(outcome(stock[name], ...)), show(outcome(pattern[name], ...))
  if want == got then return end
  local arguments = show(table.pack(...))
  error(("%s(%s)\nLua's: %s\nours:  %s"):format(name, arguments, want, got), 2)
end

local function collect(gmatch, ...)
  local list = {}
  local count = 0
  for a, b, c in gmatch(...) do
    list[#list + 1] = show(table.pack(a, b, c))
    count = count + 1
    if count > 1000 then error "endless" end
  end
  return table.concat(list, "\n")
end

local function agree_gmatch(...)
  local want, got = show(outcome(collect, stock.gmatch, ...)), show(outcome(collect, pattern.gmatch, ...))
  if want == got then return end
  error(("gmatch(%s)\nLua's: %s\nours:  %s"):format(show(table.pack(...)), want, got), 2)
end

local PIECES = {
  "a", "b", "c", ".", "%a", "%d", "%S", "%w", "%%", "%.", "[ab]", "[^a]", "[a-c]", "[%a-]", "[]]", "[^]]",
  "[a-]", "[%]]", "*", "+", "-", "?", "*", "+", "-", "?", "(", ")", "()", "(", ")", "^", "$", "%1", "%2",
  "%b()", "%bab", "%f[%w]", "%f[^a]", "%f", "%b", "%", "[", "]", "[a", "\0", "\xE9", "(a)", "(.-)", "(b*)",
}
local LETTERS = { "a", "b", "c", "a", "b", "(", ")", " ", "1", "%", "]", "-", "\0", "\xE9", "." }

-- Each allocation is a step of the collector then, over all that is loaded.
local ROUNDS = os.getenv "CURIA_GC_STRESS" and 200 or 20000

local function random_text(pieces, longest)
  local out = {}
  for i = 1, math.random(0, longest) do out[i] = pieces[math.random(#pieces)] end
  return table.concat(out)
end

local REPLACEMENTS = {
  "", "x", "<%0>", "%1", "%2", "%%", "%", "%x", "[%1%2]", 5, true, {},
  { a = "A", b = false, ab = 1, [1] = "one", c = {} },
  function(a, b) return a == "a" and "A" or b end,
  function() return {} end,
}

describe("curia.core.pattern", function()
  it("does what Lua does, for random patterns and subjects", function()
    math.randomseed(20)
    for _ = 1, ROUNDS do
      local subject, p = random_text(LETTERS, 12), random_text(PIECES, 6)
      local init = math.random(-14, 14)
      agree("find", subject, p)
      agree("find", subject, p, init)
      agree("match", subject, p)
      agree("match", subject, p, init)
      agree("gsub", subject, p, REPLACEMENTS[math.random(#REPLACEMENTS)])
      agree("gsub", subject, p, "<%0>", math.random(-1, 4))
      agree_gmatch(subject, p)
      agree_gmatch(subject, p, init)
    end
  end)

  it("finds plain text as Lua does", function()
    math.randomseed(21)
    for _ = 1, ROUNDS // 4 do
      local subject, needle = random_text(LETTERS, 30), random_text(LETTERS, 3)
      agree("find", subject, needle, math.random(-35, 35), true)
    end
    local long = ("ab"):rep(50000)
    agree("find", long, "ba" .. ("ab"):rep(100), 1, true)
    agree("find", long .. "c", ("ab"):rep(1000) .. "c", 1, true)
  end)

  it("agrees at the edges", function()
    agree("find", "abc", "")
    agree("find", "abc", "", 4)
    agree("find", "abc", "", 5)
    agree("find", "", "")
    agree("find", "a\0b", "\0")
    agree("find", "a\0b", "%z")
    agree("find", "a+b", "+", 1, true)
    agree("find", "abc", "b", math.mininteger)
    agree("find", "abc", "b", math.maxinteger)
    agree("match", "2024-01-31", "(%d+)-(%d+)-(%d+)")
    agree("match", "  x  ", "^%s*(.-)%s*$")
    agree("match", "key = value", "^(%w+)%s*=%s*(%w+)$")
    agree("match", "THE (quick) fox", "%((%a+)%)")
    agree("match", "x", ("()"):rep(32))
    agree("match", "x", ("()"):rep(33))
    agree("match", ("a"):rep(300), ("a?"):rep(300))
    agree("match", "b", ("a?"):rep(300))
    agree("match", ("a"):rep(199), ("a?"):rep(199))
    agree("match", ("a"):rep(200), ("a?"):rep(200))
    agree("match", ("a"):rep(198), ("a?"):rep(198) .. "(b?)")
    agree("gsub", "hello world", "o", "0", 1)
    agree("gsub", "abc", "%w", "%0%0")
    agree("gsub", "abc", "", "-")
    agree("gsub", "abc", "b*", "-")
    agree("gsub", "abc", "^a", "x")
    agree("gsub", 12345, 3, 4)
    agree_gmatch("a,b,,c", "([^,]*)")
    agree_gmatch("^a^a", "^a")
    agree_gmatch("abc", "()", 10)
    for _, bad in ipairs { {}, { "a" }, { {}, "a" }, { "a", {} }, { "a", "b", {} }, { "a", "b", "c", {} } } do
      agree("find", table.unpack(bad))
      agree("match", table.unpack(bad))
      agree("gsub", table.unpack(bad))
      agree("gmatch", table.unpack(bad))
      agree("rep", table.unpack(bad))
    end
  end)

  it("repeats as Lua does", function()
    for _, n in ipairs { -1, 0, 1, 2, 3, 7, 100 } do
      for _, text in ipairs { "", "x", "abc" } do
        agree("rep", text, n)
        agree("rep", text, n, ", ")
        agree("rep", text, n, "")
      end
    end
    agree("rep", "x", math.maxinteger)
    agree("rep", "x", math.maxinteger, "yy")
    assert.equal("", pattern.rep("", math.maxinteger))
  end)

  describe("installed", function()
    before_each(function()
      for name, f in pairs(stock) do string[name] = f end
    end)

    after_each(function() pattern.install() end)

    it("serves method calls", function()
      pattern.install()
      assert.equal(pattern.find, string.find)
      assert.equal(pattern.find, ("x").find)
      assert.equal("b", ("abc"):match("b"))
    end)

    local function costly(f, ...)
      local ok, message = pcall(f, ...)
      assert.is_false(ok)
      assert.matches("pattern too costly", message, 1, true)
    end

    it("ends every bomb with an error after a bounded number of steps", function()
      pattern.install()
      local a = ("a"):rep(26)
      costly(string.find, a, ("a?"):rep(26) .. a .. "b")
      costly(string.find, ("a"):rep(400), ".-.-.-.-b")
      costly(string.find, ("a"):rep(5000), ".*.*.*b")
      costly(string.match, ("x"):rep(100000), "(.*)(.*)%1%2y")
      costly(string.gsub, ("x"):rep(100000), ".-b", "")
      costly(string.find, ("("):rep(100000), "%b()")
      costly(string.gsub, ("("):rep(100000), "%b()", "")
      costly(function() for _ in string.gmatch(("a"):rep(100000), ".-b") do end end)
      costly(string.find, ("a"):rep(1000), ("a*"):rep(60) .. "b")
      costly(string.find, ("a"):rep(100000), "[" .. ("bc"):rep(50000) .. "]")
      costly(string.match, ("a"):rep(100000), "(a*)b" .. ("%1"):rep(50))
    end)

    -- A quadratic search takes minutes here: the bound holds on a slow machine, sanitized, as well.
    it("ends a plain search in linear time", function()
      pattern.install()
      local clock = os.clock()
      assert.is_nil(string.find(("a"):rep(1000000), ("a"):rep(500000) .. "b", 1, true))
      assert.is_nil(string.find(("a"):rep(1000000), ("a"):rep(500000) .. "b"))
      assert.is_true(os.clock() - clock < 20)
    end)

    it("names the pattern and the limit", function()
      pattern.install(1000)
      assert.error_matches(function() string.find(("a"):rep(100), ".-.-b") end,
        "pattern too costly: '.-.-b' took more than 1000 steps on 100 bytes", 1, true)
      assert.equal(3, ("abc"):find("c"))
    end)

    it("bounds the size of results", function()
      pattern.install(nil, 1000)
      assert.equal(1000, #("x"):rep(1000))
      local function too_large(f, ...)
        assert.error_matches(f, "resulting string too large", 1, true, ...)
      end
      too_large(function() return ("x"):rep(1001) end)
      too_large(function() return ("x"):rep(500, "yy") end)
      local wide = ("y"):rep(100)
      too_large(function() return ("x"):rep(100):gsub("x", wide) end)
      too_large(function() return ("x"):rep(100):gsub(".*", ("%0"):rep(50)) end)
      too_large(function() return ("x"):rep(100):gsub("x", { x = wide }) end)
      too_large(function() return ("x"):rep(100):gsub("x", function() return wide end) end)
    end)

    it("refuses limits that are none", function()
      assert.error_matches(function() pattern.install(0) end, "more than 0 steps")
      assert.error_matches(function() pattern.install(1, 0) end, "more than 0 bytes")
    end)
  end)
end)
