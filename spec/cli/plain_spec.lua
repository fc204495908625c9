local plain = require "curia.cli.plain"
local program = require "spec.cli.program"

local BOM = "\239\187\191"

describe("text of other systems", function()
  it("loses its mark and its carriage returns", function()
    assert.equal("a\nb\r c", plain.text(BOM .. "a\r\nb\r c"))
    assert.equal("a", plain.line(BOM .. "a\r", true))
    assert.equal(BOM .. "a", plain.line(BOM .. "a\r", false))
  end)

  it("is taken as councils, inputs, questions, scripts and lines", function()
    local council = BOM .. 'council "c" {\r\n  profile = "fast", member "a" {},\r\n  round "independent_analysis" {},\r\n}\r\n'
    local data = BOM .. '{"name":"c","members":[{"id":"a","profile":"fast"}],\r\n"rounds":[{"type":"independent_analysis"}]}\r\n'
    local lua, json, input = program.file(council), program.file(data, ".json"),
      program.file(BOM .. '{"question":"Why?"}\r\n', ".json")
    for _, path in ipairs { lua, json } do
      local code, out = program.run { "run", path, "-i", input, "--offline", "--json" }
      assert.equal(0, code)
      assert.truthy(out:find('"question": "Why?"', 1, true))
    end
    local _, out = program.run({ "run", lua, "-i", "-", "--offline", "--json" }, { stdin = BOM .. "Why\r\nso?\r\n" })
    assert.truthy(out:find('"question": "Why\\nso?"', 1, true))
    for _, path in ipairs { lua, json, input } do os.remove(path) end
    assert.equal("2\n", (select(2, program.run({ "lua", "-" }, { stdin = BOM .. "print(2)\r\n" }))))
    assert.equal("3\n", (select(2, program.run({ "repl" }, { stdin = BOM .. "x = 3\r\nx\r\n" }))))
  end)
end)
