local json = require "curia.json"
local pointer = require "curia.schema.pointer"

describe("a JSON pointer", function()
  it("is written with its escapes", function()
    assert.equal("", pointer.text {})
    assert.equal("/a/0/b~1c~0d/", pointer.text { "a", 0, "b/c~d", "" })
    assert.equal("/a", pointer.text({ "a", "left over" }, 1))
  end)

  it("leads into a document", function()
    local root = json.decode '{"$defs": {"a/b": 1, "m~n": 2, "c%d": 3, "": {"": 4}}, "list": [5, {"x": 6}]}'
    for reference, value in pairs { ["#/$defs/a~1b"] = 1, ["#/$defs/m~0n"] = 2, ["#/$defs/c%25d"] = 3, ["#/$defs//"] = 4,
      ["#/list/0"] = 5, ["#/list/1/x"] = 6 } do
      assert.equal(value, pointer.resolve(root, reference), reference)
    end
    assert.equal(root, pointer.resolve(root, "#"))
    for _, reference in ipairs { "#/nothing", "#/list/2", "#/list/x", "#/list/0/x", "#name", "other.json#/list", "" } do
      assert.is_nil(pointer.resolve(root, reference), reference)
    end
  end)
end)
