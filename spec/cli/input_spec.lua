local input = require "curia.cli.input"
local program = require "spec.cli.program"

describe("curia.cli.input", function()
  it("takes a question, and fields of every type", function()
    assert.same({ question = "Why?" }, (input.read("Why?")))
    assert.same({ question = "Why?", n = 3, ok = true, text = "plain", list = { 1, 2 } },
      (input.read("Why?", nil, { { "n", "3" }, { "ok", "true" }, { "text", "plain" }, { "list", "[1,2]" } })))
    assert.same({ a = { b = { c = 1 }, d = 2 } }, (input.read(nil, nil, { { "a.b.c", "1" }, { "a.d", "2" } })))
  end)

  it("reads a JSON file, which the arguments may change", function()
    local path = program.file('{"question": "old", "depth": 2}', ".json")
    assert.same({ question = "new", depth = 2 }, (input.read("new", path)))
    os.remove(path)
  end)

  it("says what is wrong", function()
    local path = program.file("[1]", ".json")
    local broken = program.file("{", ".json")
    assert.truthy(select(2, input.read()):find("the question is missing", 1, true))
    assert.truthy(select(2, input.read(nil, path)):find("not a JSON object", 1, true))
    assert.truthy(select(2, input.read(nil, broken)):find(broken .. ": ", 1, true))
    assert.truthy(select(2, input.read(nil, "/nowhere.json")):find("No such file", 1, true))
    assert.equal("--set a.b: 'a' is no object", select(2, input.read(nil, nil, { { "a", "1" }, { "a.b", "2" } })))
    os.remove(path)
    os.remove(broken)
  end)
end)
