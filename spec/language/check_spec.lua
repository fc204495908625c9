local check = require "curia.language.check"

describe("curia.language.check", function()
  local function faults_of(rule, value)
    local faults = check.faults()
    check.value(rule, value, "x", "x", faults)
    return faults:take() or {}
  end

  local function code(rule, value)
    local faults = faults_of(rule, value)
    assert.is_true(#faults <= 1)
    return faults[1] and faults[1].code
  end

  it("accepts what a rule accepts", function()
    for _, case in ipairs {
      { { type = "string" }, "" }, { { type = "number", min = 0, max = 2 }, 2 }, { { type = "integer" }, 4096.0 },
      { { type = "boolean" }, false }, { { type = "function|string" }, print }, { { type = "list" }, {} },
      { { type = "list", items = { type = "string" } }, { "a", "b" } }, { { type = "duration" }, "30s" },
      { { type = "map", values = { type = "integer" } }, { a = 1 } }, { { type = "any" }, {} },
      { { type = "string", enum = { "a" } }, "a" }, { { type = "record", fields = {} }, {} },
    } do
      assert.is_nil(code(case[1], case[2]), case[1].type)
    end
  end)

  it("tells wrong types from wrong values", function()
    for _, case in ipairs {
      { "wrong_type", { type = "string" }, 1 }, { "wrong_type", { type = "integer" }, 1.5 },
      { "wrong_type", { type = "integer" }, "1" }, { "wrong_type", { type = "list" }, { a = 1 } },
      { "wrong_type", { type = "list" }, { 1, nil, 3 } }, { "wrong_type", { type = "map" }, { 1 } },
      { "wrong_type", { type = "boolean" }, "true" }, { "wrong_type", { type = "duration" }, "soon" },
      { "wrong_type", { type = "council" }, {} }, { "wrong_type", { type = "secret" }, "x" },
      { "out_of_range", { type = "number", min = 0, max = 2 }, 2.1 }, { "out_of_range", { type = "number" }, 0 / 0 },
      { "out_of_range", { type = "number", min = 0 }, math.huge }, { "out_of_range", { type = "duration" }, -1 },
      { "out_of_range", { type = "string", enum = { "a" } }, "b" },
      { "out_of_range", { type = "string", identifier = true }, "a/b" },
      { "out_of_range", { type = "string", identifier = true }, "" },
      { "empty", { type = "string", nonempty = true }, "" }, { "empty", { type = "list", nonempty = true }, {} },
    } do
      assert.equal(case[1], code(case[2], case[3]), case[2].type)
    end
  end)

  it("says what was expected and what came", function()
    assert.equal("x must be a number or a function, not a string",
      faults_of({ type = "number|function" }, "y")[1].message)
    assert.equal("x must be a whole number, not 1.5", faults_of({ type = "integer" }, 1.5)[1].message)
    assert.equal("x must be one of left, right, not 'rigth'; did you mean 'right'?",
      faults_of({ type = "string", enum = { "left", "right" } }, "rigth")[1].message)
  end)

  it("finds every fault of a record, in a stable order, with paths", function()
    local fields = {
      name = { type = "string", required = true },
      size = { type = "integer" },
      wait_ms = { type = "duration" },
      wait = { type = "duration", alias = "wait_ms" },
      inner = { type = "record", fields = { depth = { type = "integer", min = 0 } } },
      list = { type = "list", items = { type = "string" } },
      map = { type = "map", values = { type = "number" } },
    }
    local faults = check.faults()
    check.record(fields, { [1] = "stray", sise = 1, wait = "1s", wait_ms = 1, inner = { depth = -1, dept = 1 },
      list = { "a", 2 }, map = { ["a key"] = "x" } }, "top", "the top", faults)
    local seen = {}
    for i, fault in ipairs(faults) do seen[i] = fault.path .. " " .. fault.code end
    assert.same({
      "top[1] unknown_field",
      "top.inner.dept unknown_field",
      "top.inner.depth out_of_range",
      "top.list[2] wrong_type",
      'top.map["a key"] wrong_type',
      "top.sise unknown_field",
      "top.wait conflict",
      "top.name missing",
    }, seen)
  end)

  it("asks about names that refer to something", function()
    local asked = {}
    local faults = check.faults(function(rule, name, path)
      asked[#asked + 1] = table.concat({ rule.ref, name, path }, ":")
    end)
    check.value({ type = "list", items = { type = "string|table", ref = "tool" } }, { "a", {}, "b" }, "t", "t", faults)
    assert.same({ "tool:a:t[1]", "tool:b:t[3]" }, asked)
  end)

  it("asks the rule about tables in a language of their own", function()
    local rule = { type = "table|string", judge = function(value)
      if value.good then return true end
      return nil, { { path = "", code = "empty", message = "m" }, { path = "/a/b", code = "wrong_type", message = "n" } }
    end }
    local faults = check.faults()
    for _, value in ipairs { { good = true }, "a name", {} } do check.value(rule, value, "s", "the s", faults) end
    check.value({ type = "table" }, {}, "s", "the s", faults)
    assert.same({ { path = "s", code = "empty", message = "the s: m" },
      { path = "s#/a/b", code = "wrong_type", message = "the s: n" } }, faults:take())
  end)
end)
