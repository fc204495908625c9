local pattern = require "curia.schema.pattern"

local function finds(text, subject)
  local regex, err = pattern.compile(text)
  assert.is_truthy(regex, text .. ": " .. tostring(err))
  return (regex:find(subject))
end

local function refused(text)
  local regex, err = pattern.compile(text)
  assert.is_nil(regex, text)
  assert.equal("validation", err.kind)
  return err.message
end

describe("a pattern of ECMA-262", function()
  it("matches anywhere, unless it is tied", function()
    assert.is_true(finds("b", "abc"))
    assert.is_false(finds("^b", "abc"))
    assert.is_true(finds("^[a-z]+(-[a-z]+)*$", "a-b-c"))
    assert.is_false(finds("^a$", "a\n"))
  end)

  it("knows Unicode's blanks", function()
    for _, blank in ipairs { " ", "\t", "\n", "\v", "\f", "\r", "\u{A0}", "\u{FEFF}", "\u{2003}", "\u{2028}", "\u{3000}" } do
      assert.is_true(finds([[^\s$]], blank))
      assert.is_true(finds([[^[\s]$]], blank))
      assert.is_false(finds([[^\S$]], blank))
      assert.is_false(finds([[^[\S]$]], blank))
    end
    for _, char in ipairs { "\0", "\b", "x", "é", "\u{85}", "\u{180E}", "\u{200B}", "\u{1F600}", "\u{10FFFF}" } do
      assert.is_false(finds([[^\s$]], char))
      assert.is_true(finds([[^\S$]], char))
      assert.is_true(finds([[^[\S]$]], char))
    end
  end)

  it("has digits and words in ASCII only", function()
    assert.is_false(finds([[\d]], "\u{096A}"))
    assert.is_false(finds([[\w]], "é"))
    assert.is_true(finds([[^\W\D$]], "éé"))
  end)

  it("has a dot that stops at line ends, and is itself in a class", function()
    for _, char in ipairs { "\n", "\r", "\u{2028}", "\u{2029}" } do assert.is_false(finds("^.$", char)) end
    for _, char in ipairs { "\v", "\u{85}", "\u{1F600}", "." } do assert.is_true(finds("^.$", char)) end
    assert.is_false(finds("[.]", "a"))
    assert.is_true(finds([[^[[.]+$]], "[."))
    assert.is_true(finds("^[^[:a]$", "b"))
  end)

  it("has escapes of characters", function()
    for escape, char in pairs {
      [ [[\u00e9]] ] = "é", [ [[\u{1F600}]] ] = "\u{1F600}", [ [[\uD83D\uDE00]] ] = "\u{1F600}", [ [[\u{2e}]] ] = ".",
      [ [[\x41]] ] = "A", [ [[\0]] ] = "\0", [ [[\cJ]] ] = "\n", [ [[\cj]] ] = "\n", [ [[\v]] ] = "\v", [ [[\t]] ] = "\t",
      [ [[\/]] ] = "/", [ [[\.]] ] = ".", ["[\\b]"] = "\b", ["[\\v]"] = "\v", [ [[\-]] ] = "-",
    } do
      assert.is_true(finds("^" .. escape .. "$", char), escape)
      assert.is_false(finds("^" .. escape .. "$", "x"), escape)
    end
  end)

  it("has properties by their names", function()
    for property, char in pairs { L = "é", Letter = "é", ["gc=Lu"] = "É", ["General_Category=Uppercase_Letter"] = "É",
      digit = "\u{096A}", ["Script=Greek"] = "α", ["sc=Greek"] = "α" } do
      assert.is_true(finds(([[^\p{%s}$]]):format(property), char), property)
      assert.is_false(finds(([[^\P{%s}$]]):format(property), char), property)
      assert.is_false(finds(([[^\p{%s}$]]):format(property), "!"), property)
    end
  end)

  it("is refused where PCRE2 would read something else into it", function()
    for _, letter in ipairs { "A", "Z", "z", "a", "e", "G", "K", "Q", "R", "X", "h", "H", "N", "C", "o" } do
      assert.matches("'\\" .. letter .. "' at byte 2 is no escape", refused("x\\" .. letter), 1, true)
    end
    for _, text in ipairs { [[\c1]], [[\01]], [[\x4]], [[\pL]], "(", "[a", "a**", "\\" } do refused(text) end
    refused(("a"):rep(10000))
  end)

  it("is compiled once", function()
    assert.equal(pattern.compile "once", pattern.compile "once")
    for i = 1, 600 do assert.is_truthy(pattern.compile("p" .. i)) end
    assert.is_true(finds("once", "once"))
  end)
end)
