local json = require "curia.json"
local parsed = require "curia.engine.parsed"

local OBJECT = { type = "object", properties = { n = { type = "integer" } }, required = { "n" } }

local function read(schema, content, finish_reason)
  return parsed.read({ content = content, finish_reason = finish_reason or "stop" }, schema)
end

local function message(schema, content, finish_reason)
  local value, faults = read(schema, content, finish_reason)
  assert.is_nil(value)
  return faults[1].message
end

describe("the value of an answer", function()
  it("is its JSON: bare, fenced, or in prose", function()
    assert.same({ n = 1 }, (read(OBJECT, '{"n": 1}')))
    assert.same({ n = 1 }, (read(OBJECT, 'Here:\n```json\n{"n": 1}\n```')))
    assert.same({ n = 1 }, (read(OBJECT, 'Well, {"n": 1} it is.')))
    assert.same({ 1, 2 }, (read({ type = "array" }, "So [1, 2] it is.")))
    assert.same({ { n = 1 } }, (read({ type = "array", items = OBJECT }, 'So [{"n": 1}] it is.')))
  end)

  it("may be any other value where it stands alone", function()
    assert.equal(42, (read({ type = "integer" }, " 42\n")))
    assert.equal(false, (read({ type = "boolean" }, "false")))
    assert.equal(json.null, (read({ type = { "null", "integer" } }, "null")))
    assert.equal("yes", (read({ enum = { "yes", "no" } }, '"yes"')))
  end)

  it("is the text itself where a text is asked for", function()
    assert.equal("yes", (read({ enum = { "yes", "no" } }, " yes \n")))
    assert.equal("42", (read({ type = "string" }, "42")))
    assert.matches("must be one of", message({ enum = { "yes", "no" } }, "42"))
    assert.matches("is not the JSON", message({ enum = { "yes", "no" } }, "maybe"))
  end)

  it("is the response's own, where it has one", function()
    assert.same({ n = 2 }, (parsed.read({ content = "x", parsed = { n = 2 } }, OBJECT)))
    assert.equal("/n", select(2, parsed.read({ content = "x", parsed = { n = "2" } }, OBJECT))[1].path)
  end)

  it("does not fit: the faults say why", function()
    local value, faults = read(OBJECT, '{"n": "one"}')
    assert.is_nil(value)
    assert.same({ { path = "/n", keyword = "type", message = 'must be a whole number, not "one"' } }, faults)
    assert.equal("is not the JSON that was asked for", message(OBJECT, "one"))
    assert.equal("must be an object, not 7", message({ properties = { n = {} } }, "7"))
    assert.matches("must be an object", message({ properties = { n = {} } }, "[1]"))
  end)

  it("was cut off: that is said first, and no part is taken for the whole", function()
    local _, faults = read(OBJECT, '{"a": {"n": 1}, "n": 2, "rest": "and', "length")
    assert.same({ "was cut off at its token limit; it must be shorter", "is not the JSON that was asked for" },
      { faults[1].message, faults[2].message })
    assert.same({ n = 1 }, (read(OBJECT, '{"n": 1}', "length")))
  end)
end)
