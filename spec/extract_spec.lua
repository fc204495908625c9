local clock = require "curia.core.clock"
local extract = require "curia.extract"

describe("the JSON of an answer", function()
  it("is found bare", function()
    assert.same({ a = 1 }, (extract.json ' {"a": 1} \n'))
    assert.same({ 1, 2 }, (extract.json "[1, 2]"))
    assert.same("", select(2, extract.json '{"a": 1}'))
  end)

  it("is found fenced, with what stands around", function()
    local value, rest = extract.json 'Before.\n```json\n{"a": 1}\n```\nAfter.'
    assert.same({ a = 1 }, value)
    assert.equal("Before.\n\nAfter.", rest)
    assert.same({ a = 1 }, (extract.json '```\n{"a": 1}\n```'))
    assert.same({ a = 1 }, (extract.json '  ```json \r\n  {"a": 1}\r\n  ```'))
    assert.same({ 1 }, (extract.json "Text\n```json\n[1]\n```"))
  end)

  it("is the last of several fences that can be read", function()
    assert.same({ b = 2 }, (extract.json '```json\n{"a": 1}\n```\n```json\n{"b": 2}\n```\n```lua\nprint {}\n```'))
  end)

  it("is found in prose: the last object that can be read", function()
    local value, rest = extract.json 'I weigh {this} and {that}: {"a": {"b": "}"}} so.'
    assert.same({ a = { b = "}" } }, value)
    assert.equal("I weigh {this} and {that}:  so.", rest)
    assert.same({ b = 2 }, (extract.json 'First {"a": 1}, rather {"b": 2}.'))
    assert.same({ a = 'quote " and {' }, (extract.json 'x {"a": "quote \\" and {"} y'))
  end)

  it("is found behind any number of other braces", function()
    assert.same({ a = 1 }, (extract.json(("f() { return }\n"):rep(1000) .. 'so {"a": 1}')))
  end)

  it("is found where the fence's text holds a fence", function()
    assert.same({ code = "```x```" }, (extract.json 'Here: {"code": "```x```"}'))
  end)

  it("is nil where there is none", function()
    for _, text in ipairs { "", "no", "42", '"text"', "{", "{]}", '{"a": 1', "```\n```", "```json\n{\n```", "null", "}{" } do
      assert.is_nil((extract.json(text)), text)
    end
  end)

  it("may be any value where it stands alone", function()
    for text, value in pairs { ["42"] = 42, [' "a" '] = "a", ["false"] = false, ["[]"] = {}, ['```\n{"a": 1}\n```'] = { a = 1 },
      ['so {"a": 1}'] = { a = 1 } } do
      assert.same(value, extract.value(text, {}))
    end
    assert.equal(require("curia.json").null, extract.value("null", {}))
    for _, text in ipairs { "", "yes", "so 42", "so [1]" } do assert.is_nil(extract.value(text, {})) end
  end)

  it("is an array in prose where one is looked for", function()
    assert.same({ { a = "]" } }, extract.value('As [said], it is [{"a": "]"}] for me.', { array = true }))
    assert.is_nil(extract.value('so {"a": 1}', { array = true }))
  end)

  it("is not looked for in the prose of a text that was cut off", function()
    assert.is_nil(extract.value('{"a": {"b": 1}, "c', { cut = true }))
    assert.same({ b = 1 }, extract.value('{"b": 1}', { cut = true }))
    assert.same({ b = 1 }, extract.value('```\n{"b": 1}\n```\nand', { cut = true }))
  end)

  it("is looked for in a time that grows with the text only", function()
    for _, bomb in ipairs { ("{"):rep(200000), ('{"'):rep(100000), ("```\n"):rep(200000), "```" .. ("\n "):rep(500000),
      (" "):rep(1000000) .. "{}" .. (" "):rep(1000000) .. "x", ("{}"):rep(200000), ('{"a":'):rep(50000), ("[" ):rep(1000000),
      "```" .. ("\n"):rep(300000) .. "```" } do
      local began = clock.us()
      extract.json(bomb)
      extract.value(bomb, { array = true })
      assert.is_true(clock.us() - began < 60e6, bomb:sub(1, 10))
    end
  end)
end)
