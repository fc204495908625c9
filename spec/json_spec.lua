local cjson = require "cjson"
local errors = require "curia.errors"
local json = require "curia.json"
local system = require "curia.core.system"

local null = json.null

local function decodes(text, opts)
  local value, err = json.decode(text, opts)
  assert.is_nil(err)
  return value
end

local function encodes(value, opts)
  local text, err = json.encode(value, opts)
  assert.is_nil(err)
  return text
end

--- The error of a decoding that must fail; checks its form.
local function refuses(text, opts)
  local value, err = json.decode(text, opts)
  assert.is_nil(value)
  assert.is_true(errors.is(err))
  assert.equal("validation", err.kind)
  assert.equal("integer", math.type(err.position))
  return err
end

--- The error of an encoding that must fail; checks its form.
local function refuses_value(value, opts)
  local text, err = json.encode(value, opts)
  assert.is_nil(text)
  assert.is_true(errors.is(err))
  assert.equal("validation", err.kind)
  return err
end

local function assert_float(expected, value)
  assert.equal("float", math.type(value))
  assert.equal(("%a"):format(expected), ("%a"):format(value))
end

local function nested(depth, open, close)
  return open:rep(depth) .. close:rep(depth)
end

describe("json.decode", function()
  it("reads every kind of value", function()
    assert.same({ a = { 1, true, false, null, "x" }, b = {} },
      decodes '{"a":[1,true,false,null,"x"],"b":{}}')
    assert.equal("text", decodes '"text"')
    assert.is_false(decodes "false")
    assert.equal(null, decodes "null")
    assert.equal(7, decodes " \t\r\n7 \t\r\n")
  end)

  it("keeps 64-bit integers exact", function()
    for _, text in ipairs {
      "0", "1731999999", "9007199254740993", "9223372036854775807", "-9223372036854775808",
    } do
      local value = decodes(text)
      assert.equal("integer", math.type(value))
      assert.equal(text, tostring(value))
    end
  end)

  it("makes a float of any other number", function()
    assert_float(9223372036854775808.0, decodes "9223372036854775808")
    assert_float(-9223372036854775809.0, decodes "-9223372036854775809")
    assert_float(123456789012345678901234567890.0, decodes "123456789012345678901234567890")
    assert_float(1.0, decodes "1.0")
    assert_float(100.0, decodes "1E2")
    assert_float(0.1, decodes "0.1")
    assert_float(-0.0, decodes "-0")
    assert_float(-0.0, decodes "-0.0e5")
    assert_float(5e-324, decodes "5e-324")
    assert_float(1.7976931348623157e308, decodes "1.7976931348623157e308")
    assert_float(0.0, decodes "1e-99999999999999999999")
    assert_float(1.0, decodes("1" .. ("0"):rep(400) .. "e-400"))
  end)

  it("rounds numbers correctly, however many digits they have", function()
    assert_float(2.2250738585072011e-308, decodes "2.2250738585072011e-308")
    assert_float(9007199254740992.0, decodes "9007199254740993.0")
    assert_float(9007199254740994.0, decodes("9007199254740993." .. ("0"):rep(900) .. "1"))
    assert_float(7.2057594037927933e16, decodes "72057594037927933.0")
  end)

  it("refuses numbers beyond the largest double", function()
    local err = refuses "[1, 1e309]"
    assert.equal("number too large at byte 5", err.message)
    assert.equal(5, err.position)
    refuses("9" .. ("0"):rep(400))
  end)

  it("resolves escapes", function()
    assert.equal('"\\/\b\f\n\r\t', decodes [["\"\\\/\b\f\n\r\t"]])
    assert.equal("é€😀A\0", decodes [["\u00e9\u20AC\ud83d\ude00\u0041\u0000"]])
  end)

  it("replaces lone surrogates", function()
    assert.equal("�", decodes [["\ud800"]])
    assert.equal("�", decodes [["\uDFFF"]])
    assert.equal("�A", decodes [["\ud800A"]])
    assert.equal("�\n", decodes [["\ud800\n"]])
    assert.equal("�😀", decodes [["\ud83d\ud83d\ude00"]])
    assert.equal("��", decodes [["\ude00\ud83d"]])
  end)

  it("replaces what is not UTF-8, once for each maximal ill-formed part", function()
    assert.equal("a�b", decodes '"a\xffb"')
    assert.equal("��", decodes '"\xc0\xaf"')
    assert.equal("���", decodes '"\xed\xa0\x80"')
    assert.equal("�x", decodes '"\xf0\x9f\x98x"')
    assert.equal("����", decodes '"\xf4\x90\x80\x80"')
    assert.equal("�", decodes '"\xe2\x82"')
    assert.same({ ["k�"] = 1 }, decodes '{"k\xfe":1}')
    assert.equal("é€😀", decodes '"é€😀"')
  end)

  it("reads long strings with escapes and bad bytes", function()
    local long = ("0123456789é\n"):rep(1000)
    assert.equal(long, decodes('"' .. long:gsub("\n", "\\n") .. '"'))
    assert.equal(("�"):rep(5000), decodes('"' .. ("\xff"):rep(5000) .. '"'))
  end)

  it("skips a byte order mark at the start only", function()
    assert.same({ 1 }, decodes "\xef\xbb\xbf[1]")
    assert.equal(1, refuses("\xef\xbb").position)
    assert.equal(2, refuses("[\xef\xbb\xbf1]").position)
  end)

  it("lets the last of equal keys win", function()
    assert.same({ a = 3, b = 2 }, decodes '{"a":1,"b":2,"a":3}')
    assert.same({ a = 2 }, decodes [[{"a":1,"\u0061":2}]])
    local members = {}
    for i = 1, 200 do members[i] = ('"k%d":%d'):format(i % 50, i) end
    local value = decodes("{" .. table.concat(members, ",") .. "}")
    assert.equal(200, value.k0)
    assert.equal(151, value.k1)
  end)

  it("marks arrays, and only arrays", function()
    local value = decodes '{"list":[],"object":{},"items":[1]}'
    assert.is_true(json.is_array(value.list))
    assert.is_true(json.is_array(value.items))
    assert.is_nil(getmetatable(value.object))
    assert.equal('{"items":[1],"list":[],"object":{}}', encodes(value))
  end)

  it("reads containers of any size", function()
    for _, size in ipairs { 31, 32, 33, 63, 64, 65, 127, 128, 129, 1000, 20000 } do
      local items, members = {}, {}
      for i = 1, size do
        items[i] = tostring(i)
        members[i] = ('"k%d":[%d]'):format(i, i)
      end
      local list = decodes("[" .. table.concat(items, ",") .. "]")
      assert.equal(size, #list)
      for i = 1, size do assert(list[i] == i) end
      local object = decodes("{" .. table.concat(members, ",") .. "}")
      for i = 1, size do assert(object["k" .. i][1] == i) end
    end
  end)

  it("leaves null members out with nulls = false", function()
    local value = decodes('{"a":null,"b":[null,{"c":null}],"d":1}', { nulls = false })
    assert.same({ b = { null, {} }, d = 1 }, value)
    assert.equal(null, decodes("null", { nulls = false }))
    assert.same({ a = null }, decodes('{"a":null}', { nulls = true }))
  end)

  it("limits nesting", function()
    decodes(nested(128, "[", "]"))
    local err = refuses(nested(129, "[", "]"))
    assert.equal("nested too deeply at byte 129", err.message)
    refuses(('{"a":'):rep(129) .. "1" .. ("}"):rep(129))
    decodes(nested(1024, "[", "]"), { max_depth = 1024 })
    refuses(nested(1025, "[", "]"), { max_depth = 1024 })
    refuses(nested(100000, "[", "]"), { max_depth = 1024 })
    refuses("[[]]", { max_depth = 1 })
    decodes("[1]", { max_depth = 1 })
  end)

  it("says what is wrong, and where", function()
    local cases = {
      [""] = "expected a value at byte 1, where the text ends",
      ['{"a":1 "b":2}'] = "expected ',' or '}' at byte 8",
      ["[1 2]"] = "expected ',' or ']' at byte 4",
      ["[1"] = "expected ',' or ']' at byte 3, where the text ends",
      ["{1}"] = "expected a key or '}' at byte 2",
      ['{"a":1,}'] = "expected a key at byte 8",
      ["[,]"] = "expected a value or ']' at byte 2",
      ["[1,]"] = "expected a value at byte 4",
      ['{"a"}'] = "expected ':' at byte 5",
      ["nul"] = "expected a value at byte 1",
      ["[1] x"] = "expected the end of the text at byte 5",
      ['"abc'] = "expected '\"' to end the string at byte 5, where the text ends",
      ['"a\nb"'] = "unescaped control character in a string at byte 3",
      [ [["\x"]] ] = "invalid escape in a string at byte 2",
      ["-"] = "expected a digit at byte 2, where the text ends",
      ["1."] = "expected a digit at byte 3, where the text ends",
    }
    for text, message in pairs(cases) do
      local err = refuses(text)
      assert.equal(message, err.message)
      assert.equal(math.tointeger(message:match "at byte (%d+)"), err.position)
    end
  end)

  it("raises on misuse", function()
    assert.error_matches(function() json.decode() end, "bad argument #1 .*string expected")
    assert.error_matches(function() json.decode(12) end, "bad argument #1 .*string expected")
    assert.error_matches(function() json.decode("1", true) end, "bad argument #2 .*table expected")
    assert.error_matches(function() json.decode("1", { null = true }) end,
      "bad argument #2 .*unknown option 'null'; did you mean 'nulls'%?")
    assert.error_matches(function() json.decode("1", { [1] = true }) end, "unknown option '1'")
    for _, depth in ipairs { 0, 1025, 1.5, "8" } do
      assert.error_matches(function() json.decode("1", { max_depth = depth }) end,
        "max_depth must be an integer from 1 to 1024")
    end
    assert.error_matches(function() json.decode("1", { nulls = 1 }) end, "nulls must be a boolean")
  end)
end)

describe("json.decoder", function()
  it("decodes with its options", function()
    local decode = json.decoder { nulls = false, max_depth = 2 }
    assert.same({ a = {} }, decode '{"a":{"b":null}}')
    local value, err = decode "[[[]]]"
    assert.is_nil(value)
    assert.equal("nested too deeply at byte 3", err.message)
    assert.same({ null }, json.decoder() "[null]")
  end)

  it("raises on misuse", function()
    assert.error_matches(function() json.decoder { depth = 1 } end, "unknown option 'depth'")
    assert.error_matches(function() json.decoder()(nil) end, "string expected")
  end)
end)

describe("json.encode", function()
  it("writes every kind of value", function()
    assert.equal('{"a":[1,true,false,null,"x"],"b":{}}',
      encodes { a = { 1, true, false, null, "x" }, b = {} })
    assert.equal("null", encodes(nil))
    assert.equal('"text"', encodes "text")
  end)

  it("sorts keys bytewise, at every size", function()
    assert.equal('{"":1,"A":2,"B":3,"a":4,"aa":5,"b":6,"é":7}',
      encodes { b = 6, a = 4, aa = 5, A = 2, B = 3, [""] = 1, ["é"] = 7 })
    assert.equal([[{"prefix--":1,"prefix--\u0000":2,"prefix--a":3,"prefix--b":4}]],
      encodes { ["prefix--b"] = 4, ["prefix--a"] = 3, ["prefix--\0"] = 2, ["prefix--"] = 1 })
    for _, size in ipairs { 12, 13, 48, 49, 500, 5000 } do
      local object, keys = {}, {}
      for i = 1, size do
        keys[i] = ("key %x"):format(i * 7919)
        object[keys[i]] = { inner = i, again = { i } }
      end
      table.sort(keys)
      local last = 0
      local text = encodes(object)
      for _, key in ipairs(keys) do
        local at = text:find('"' .. key .. '":', 1, true)
        assert(at > last)
        last = at
      end
      assert.same(object, decodes(text))
    end
  end)

  it("writes integers exactly and floats as the shortest that read back", function()
    local cases = {
      { 0, "0" }, { -1, "-1" }, { math.maxinteger, "9223372036854775807" },
      { math.mininteger, "-9223372036854775808" }, { 123456789012345, "123456789012345" },
      { 1.0, "1.0" }, { -0.0, "-0.0" }, { 0.1, "0.1" }, { 0.1 + 0.2, "0.30000000000000004" },
      { 1 / 3, "0.3333333333333333" }, { 8192 / 2, "4096.0" }, { 1e15, "1000000000000000.0" },
      { 2.0 ^ 53, "9007199254740992.0" }, { 1e20, "100000000000000000000.0" }, { 1e21, "1e+21" },
      { 1e300, "1e+300" }, { -1.5e-300, "-1.5e-300" }, { 0.000001, "0.000001" }, { 1e-7, "1e-7" },
      { 5e-324, "5e-324" }, { 1.7976931348623157e308, "1.7976931348623157e+308" },
      { 1741569952.123456, "1741569952.123456" },
      { -1.1920928955078125e-07, "-1.1920928955078125e-7" },
    }
    for _, case in ipairs(cases) do assert.equal(case[2], encodes(case[1])) end
  end)

  it("refuses what is no number in JSON, naming its path", function()
    assert.equal("cannot encode a NaN at $", refuses_value(0 / 0).message)
    assert.equal("cannot encode an infinite number at $.a[2]",
      refuses_value({ a = { 1, 1 / 0 } }).message)
    refuses_value(-1 / 0)
  end)

  it("escapes only what must be", function()
    assert.equal([["\"\\\b\f\n\r\t\u0000\u001f/]] .. "\127é€😀\u{2028}" .. '"',
      encodes "\"\\\b\f\n\r\t\0\31/\127é€😀\u{2028}")
    assert.equal([[{"\n\"":1}]], encodes { ["\n\""] = 1 })
  end)

  it("replaces what is not UTF-8", function()
    assert.equal('"a�b"', encodes "a\xffb")
    assert.equal('"���"', encodes "\xed\xa0\x80")
    assert.equal('"�"', encodes "\xe2\x82")
    assert.equal('{"�":"�"}', encodes { ["\xfe"] = "\xf0\x9f\x98" })
  end)

  it("writes long strings of escapes", function()
    local text = ("\1\n\"\xff"):rep(20000)
    assert.equal(("\1\n\"�"):rep(20000), decodes(encodes(text)))
  end)

  it("tells arrays from objects", function()
    assert.equal("{}", encodes {})
    assert.equal("[]", encodes(json.array()))
    assert.equal("[]", encodes(json.array {}))
    assert.equal("{}", encodes(json.object()))
    assert.equal("{}", encodes(json.object(json.array())))
    assert.equal("[1,2,3]", encodes { 1, 2, 3 })
    assert.equal("[1,2,3]", encodes(json.array { 1, 2, 3 }))
    assert.equal('{"a":1}', encodes(json.object { a = 1 }))
    assert.equal('{"1":1}', encodes { ["1"] = 1 })
  end)

  it("writes arrays in order, however they were filled", function()
    local backwards, gappy = {}, json.array()
    for i = 100, 1, -1 do backwards[i] = i end
    for i = 1, 99, 2 do gappy[i] = i end
    for i = 100, 2, -2 do gappy[i] = i end
    local expected = {}
    for i = 1, 100 do expected[i] = tostring(i) end
    expected = "[" .. table.concat(expected, ",") .. "]"
    assert.equal(expected, encodes(backwards))
    assert.equal(expected, encodes(gappy))
  end)

  it("refuses mixed and sparse tables, naming their path", function()
    local cases = {
      { { 1, 2, nil, 4 }, "cannot encode a sparse array at $" },
      { { x = { [1] = 1, [20] = 1 } }, "cannot encode a sparse array at $.x" },
      { { [0] = 1 }, "cannot encode a sparse array at $" },
      { { [-1] = 1, [1] = 2 }, "cannot encode a sparse array at $" },
      { json.array { nil, 2 }, "cannot encode a sparse array at $" },
      { { a = { { 1, 2, x = 3 } } }, "cannot encode a string key in an array at $.a[1]" },
      { json.array { x = 1 }, "cannot encode a string key in an array at $" },
      { json.object { 1 }, "cannot encode a number key in an object at $" },
      { { [1.5] = 1 }, "cannot encode a number key in an object at $" },
      { { [true] = 1 }, "cannot encode a boolean key in an object at $" },
    }
    for _, case in ipairs(cases) do
      local err = refuses_value(case[1])
      assert.equal(case[2], err.message)
      assert.equal(case[2]:match "at (.*)$", err.path)
    end
    assert.matches("^cannot encode a %a+ key in an %a+ at %$$",
      refuses_value({ a = 1, b = 2, [7] = 3 }).message)
  end)

  it("refuses what has no form in JSON, naming its path", function()
    assert.equal("cannot encode a function at $.messages[2].content",
      refuses_value({ messages = { {}, { content = print } } }).message)
    assert.equal("cannot encode a userdata at $", refuses_value(io.stdout).message)
    assert.equal("cannot encode a thread at $[1]",
      refuses_value({ coroutine.create(print) }).message)
  end)

  it("ends cycles with the depth error and a short path", function()
    local cycle = {}
    cycle.self = { cycle }
    assert.equal("nested too deeply at $.self[1].self[1].self[1].self[1]...",
      refuses_value(cycle).message)
    local key = ("k"):rep(1000)
    assert.equal("cannot encode a function at $." .. ("k"):rep(40),
      refuses_value({ [key] = print }).message)
  end)

  it("limits nesting", function()
    local function tower(levels)
      local value = json.array()
      for _ = 2, levels do value = { value } end
      return value
    end
    assert.equal(nested(128, "[", "]"), encodes(tower(128)))
    refuses_value(tower(129))
    assert.equal(nested(1024, "[", "]"), encodes(tower(1024), { max_depth = 1024 }))
    refuses_value(tower(1025), { max_depth = 1024 })
    refuses_value({ { 1 } }, { max_depth = 1 })
  end)

  it("refuses objects with more keys than the Lua stack can hold", function()
    local object = {}
    for i = 1, 450001 do object["k" .. i] = true end
    assert.equal("too many keys at $.a", refuses_value({ a = object }).message)
  end)

  it("ignores other metatables", function()
    local hidden = setmetatable({ a = 1 }, {
      __index = function() error "called" end, __pairs = function() error "called" end,
      __len = function() error "called" end, __name = "json.array",
    })
    assert.equal('{"a":1}', encodes(hidden))
    assert.equal("{}", encodes(setmetatable({}, { __index = { a = 1 } })))
    assert.equal("[1]", encodes(setmetatable({ 1 }, { __metatable = false })))
  end)

  it("indents", function()
    local value = { a = { 1, { b = null } }, c = {}, d = json.array() }
    local lines = { "{", '  "a": [', "    1,", "    {", '      "b": null', "    }", "  ],",
      '  "c": {},', '  "d": []', "}" }
    assert.equal(table.concat(lines, "\n"), encodes(value, { indent = 2 }))
    assert.equal(encodes(value), encodes(value, { indent = 0 }))
    assert.same(value, decodes(encodes(value, { indent = 16 })))
  end)

  it("raises on misuse", function()
    assert.error_matches(function() json.encode() end, "bad argument #1 .*value expected")
    assert.error_matches(function() json.encode(1, 2) end, "bad argument #2 .*table expected")
    assert.error_matches(function() json.encode(1, { ident = 2 }) end,
      "bad argument #2 .*unknown option 'ident'; did you mean 'indent'%?")
    assert.error_matches(function() json.encode(1, { indent = -1 }) end,
      "indent must be an integer from 0 to 16")
    assert.error_matches(function() json.encode(1, { indent = true }) end,
      "indent must be an integer")
  end)
end)

describe("json marks", function()
  it("return the table they mark", function()
    local t = { 1 }
    assert.equal(t, json.array(t))
    assert.equal(t, json.object(t))
    assert.equal(t, json.array(t))
    assert.is_true(json.is_array(t))
  end)

  it("tell what would be written as an array", function()
    assert.is_true(json.is_array(json.array()))
    assert.is_true(json.is_array { 1, 2 })
    assert.is_false(json.is_array {})
    assert.is_false(json.is_array(json.object()))
    assert.is_false(json.is_array { 1, x = 2 })
    assert.is_false(json.is_array { [2] = 1 })
    assert.is_false(json.is_array "text")
    assert.is_false(json.is_array(nil))
  end)

  it("do not replace a metatable", function()
    local other = setmetatable({}, {})
    assert.error_matches(function() json.array(other) end, "metatable of its own")
    assert.error_matches(function() json.object(other) end, "metatable of its own")
    assert.error_matches(function() json.array(5) end, "table expected")
  end)

  it("shares null with lua-cjson", function()
    assert.equal(cjson.null, json.null)
    assert.equal("[null]", encodes { cjson.null })
  end)
end)

-- The grammar, case by case, in the manner of JSONTestSuite: y must be accepted, n refused.
local accepted = {
  "[]", "{}", "[ ]", "{ }", "[[]]", "[1 ]", " [1]", "[1,null,1]", '{"":0}', '{"a":[]}',
  '{"a":1,"a":1}', "0", "-0", "-1", "[0]", "[-0]", "[123]", "[1E22]", "[1e+2]", "[1e-2]",
  "[1.5e2]", "[0e1]", "[0e+1]", "[123.456]", "[123.456789]",
  "[-0.000000000000000000000000000000000000000000000001]", "[20e1]", '"a"', '""', '" "',
  '"\\u0000"', '"\\uFFFF"', '"\\ud834\\udd1e"', '"\\u200b"', '"a/*b*/c//d#e"', '"\127"',
  '"\u{7f}\u{80}\u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}"', '"\\\\a"', '"\\\""',
  '["new\\u000Aline"]', "true", "false", "null", "\t\n\r true \t\n\r",
  '{"min":-1.0e+28,"max":1.0e+28}', '{"\\u0000":1}', '{"a":\n"b"}', '["\u{feff}"]',
}

local refused = {
  "", " ", "[", "]", "{", "}", "[}", "{]", "[1", "[1,", "[1}", '{"a"', '{"a":', '{"a":1',
  '{"a":1,', "[\"", "[1,]", "[,1]", "[1,,2]", "[,]", "[1 true]", "[1:2]", "[]]", "[][]", "{}{}",
  "1 2", "[1]x", "[1]#", "[1],", '{"a":1,}', '{,}', '{"a":1,,"b":2}', "{1:1}", "{a:1}",
  "{'a':1}", '{"a","b"}', '{"a" "b"}', '{"a"::1}', '{"a":1 "b":2}', '{null:1}', '{[]:1}',
  '{"a":}', '{:1}', "{\"a\":1]", "+1", "[+1]", "01", "[-01]", "00", "1.", "[1.]", ".5", "[-.5]",
  "[2.e3]", "[1e]", "[1e+]", "[1E-]", "[1.0e]", "[1eE2]", "[0x42]", "[1_000]", "[1 000]", "[-]",
  "[- 1]", "[--1]", "[1.2.3]", "[1+2]", "[1e1.5]", "-a", "NaN", "[NaN]", "[-NaN]", "Infinity",
  "[-Infinity]", "inf", "nan", "[1f]", "[\u{ff11}]", "tru", "True", "TRUE", "fals", "nul",
  "Null", "truefalse", "truex", "[nullx]", "undefined", "nil", '"', '"a', "'a'", "a", "\\",
  '"\\"', '"\\a"', '"\\x00"', '"\\u"', '"\\u12"', '"\\u123g"', '"\\u 123"', '"\\U1234"', '"\\0"',
  '"\\\n"', '"\\', '"\\u00A', '"\\uD834\\u"', '"\\uD834\\uD"', '"a\tb"', '"a\nb"', '"a\0b"',
  '"\31"', "[\"a\"", "\\u0022a\\u0022", '["a"]\0', "\0", "[\0]", "[1\f]", "[1\v2]", "\u{a0}1",
  "\u{2060}[]", "/**/1", "1//x", "[1/*x*/]", "#1", "\xff", "\xef\xbb\xbf",
  "\xef\xbb\xbf\xef\xbb\xbf1", "<a>", "*", "[*]", "&",
}

describe("the grammar", function()
  it("accepts what is JSON", function()
    for _, text in ipairs(accepted) do
      local value, err = json.decode(text)
      assert.is_nil(err, ("%q was refused: %s"):format(text, err))
      assert.is_not_nil(value)
    end
  end)

  it("refuses what is not", function()
    for _, text in ipairs(refused) do
      local value, err = json.decode(text)
      assert.is_nil(value, ("%q was accepted"):format(text))
      assert.is_true(err.position >= 1 and err.position <= #text + 1)
    end
  end)

  it("refuses every document that is cut off, and every one with something behind it", function()
    local text = [[{"a":[1.5e3,true,null,{"b":"\u00e9\ud83d\ude00 é\n"}],"c":{}}]]
    decodes(text)
    for length = 0, #text - 1 do refuses(text:sub(1, length)) end
    for byte = 0, 255 do
      local behind = string.char(byte)
      if not (" \t\r\n"):find(behind, 1, true) then refuses(text .. behind) end
    end
  end)
end)

-- What lua-cjson 2.1.0 does with the same input. Each difference is on purpose (DESIGN, "JSON").
describe("beside lua-cjson", function()
  it("reads the same values from the same documents", function()
    for _, text in ipairs {
      '{"a":[true,false,"x",{"b":"\\u00e9\\n"}],"c":{}}', "[[],[[]]]", '"\\ud83d\\ude00"',
      "[0.5,-1.25,1e10,3.141592653589793]", '{"a":1,"a":2}',
    } do
      assert.same(cjson.decode(text), decodes(text))
    end
  end)

  local differences = {
    { "integers stay integers", "[1]", function(v) return math.type(v[1]) end, "float", "integer" },
    { "large integers stay exact", "9007199254740993", function(v) return ("%d"):format(v) end,
      "9007199254740992", "9007199254740993" },
    { "empty arrays stay arrays", "[]", function(v, encode) return encode(v) end, "{}", "[]" },
    { "digits are kept", "123456789012345", function(v, encode) return encode(v) end,
      "1.2345678901234e+14", "123456789012345" },
    { "floats stay floats", "1.0", function(v, encode) return encode(v) end, "1", "1.0" },
    { "the slash is not escaped", '"/"', function(v, encode) return encode(v) end,
      [["\/"]], '"/"' },
    { "bad bytes are replaced", '"\xff"', function(v) return v end, "\xff", "�" },
  }
  for _, case in ipairs(differences) do
    local name, text, probe, theirs, ours = table.unpack(case)
    it("differs: " .. name, function()
      assert.equal(theirs, probe(cjson.decode(text), cjson.encode))
      assert.equal(ours, probe(decodes(text), encodes))
    end)
  end

  it("differs: is strict about numbers, words and control characters", function()
    for _, text in ipairs { "[NaN]", "[Infinity]", "[0x1F]", "[012]", "[+1]", "[1.]", '"a\nb"' } do
      assert.is_true(pcall(cjson.decode, text))
      refuses(text)
    end
  end)

  it("differs: accepts a byte order mark and lone surrogates", function()
    for _, text in ipairs { "\xef\xbb\xbf[1]", [["\ud800"]] } do
      assert.is_false(pcall(cjson.decode, text))
      decodes(text)
    end
  end)

  it("differs: writes no null into the gaps of a sparse table", function()
    assert.equal("[1,2,null,4]", cjson.encode { 1, 2, nil, 4 })
    refuses_value { 1, 2, nil, 4 }
  end)

  it("differs: makes no names of numbers", function()
    assert.is_true(pcall(cjson.encode, { [1] = 1, x = 2 }))
    refuses_value { [1] = 1, x = 2 }
  end)

  it("differs: nests 128 levels by default, not 1000", function()
    assert.is_true(pcall(cjson.decode, nested(1000, "[", "]")))
    refuses(nested(1000, "[", "]"))
  end)
end)

describe("round trips", function()
  local make

  local function random_text()
    local parts = {}
    for i = 1, math.random(0, 12) do
      local range = ({ 0x7F, 0x7FF, 0xD7FF, 0x10FFFF })[math.random(4)]
      local code = math.random(0, range)
      parts[i] = utf8.char(code >= 0xD800 and code <= 0xDFFF and 0xFFFD or code)
    end
    return table.concat(parts)
  end

  local function random_float()
    local value
    repeat value = string.unpack("d", string.pack("i8", math.random(0))) until value - value == 0
    return value
  end

  local makers = {
    random_text, random_float,
    function() return math.random(0) end, function() return math.random() end,
    function() return math.random(-1000, 1000) end, function() return math.random(2) == 1 end,
    function() return null end,
    function(depth)
      local list = json.array()
      for i = 1, math.random(0, 6) do list[i] = make(depth + 1) end
      return list
    end,
    function(depth)
      local object = {}
      for _ = 1, math.random(0, 6) do object[random_text()] = make(depth + 1) end
      return object
    end,
  }
  makers[10], makers[11] = makers[8], makers[9]

  function make(depth)
    return makers[math.random(depth > 5 and 7 or #makers)](depth)
  end

  it("keep random values, their types, and the bytes", function()
    math.randomseed(20250101)
    for _ = 1, os.getenv "CURIA_GC_STRESS" and 200 or 3000 do
      local value = make(0)
      local text = encodes(value)
      local back = decodes(text)
      assert.same(value, back)
      assert.equal(text, encodes(back))
      assert.equal(text, encodes(decodes(encodes(value, { indent = 3 }))))
    end
  end)

  it("keep every bit of random floats", function()
    math.randomseed(7)
    for _ = 1, os.getenv "CURIA_GC_STRESS" and 1000 or 20000 do
      local value = random_float()
      assert(decodes(encodes(value)) == value)
    end
  end)
end)

describe("under a locale with a decimal comma", function()
  local folder

  setup(function()
    folder = os.tmpname()
    os.remove(folder)
    os.execute(("mkdir %s && localedef -f UTF-8 -i de_DE %s/de_DE >%s/log 2>&1"):format(
      folder, folder, folder))
    system.setenv("LOCPATH", folder)
  end)

  teardown(function()
    os.setlocale("C", "numeric")
    system.setenv("LOCPATH", nil)
    os.execute("rm -r " .. folder)
  end)

  it("writes and reads a point all the same", function()
    if not os.setlocale("de_DE", "numeric") then return pending "localedef cannot make de_DE" end
    assert.equal("0,5", ("%.1f"):format(0.5))
    assert.equal("[0.5,1.5e+300,1e-20,5e-324]", encodes { 0.5, 1.5e300, 1e-20, 5e-324 })
    local text = "[0.5,1.5e300,1e-20,12345678901234567890.5]"
    assert.same({ 0.5, 1.5e300, 1e-20, 12345678901234567890.5 }, decodes(text))
  end)
end)

describe("memory", function()
  local pause, step

  before_each(function()
    pause, step = collectgarbage("setpause", 0), collectgarbage("setstepmul", 1000)
  end)

  after_each(function()
    collectgarbage("setpause", pause)
    collectgarbage("setstepmul", step)
  end)

  it("holds while the collector runs all the time", function()
    local value = decodes(encodes { a = { 1, 2, { b = ("x\n"):rep(5000) } }, c = json.array() })
    for i = 1, 200 do value["k" .. i] = { i, tostring(i) } end
    local text = encodes(value)
    for _ = 1, 5 do assert.equal(text, encodes(decodes(text))) end
  end)

  it("holds when a finalizer changes the table that is being written", function()
    for _ = 1, 3 do
      local object = {}
      for i = 1, 100 do object["k" .. i] = ("v"):rep(100) .. i end
      setmetatable({}, { __gc = function()
        for i = 1, 100 do object["k" .. i], object["n" .. i] = nil, {} end
      end })
      assert.is_table(json.decode(json.encode(object)))
    end
  end)
end)
