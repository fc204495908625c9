local json = require "curia.json"
local paths = require "curia.workflows.paths"

local VALUES = { trigger = { pull = { number = 7 }, list = { "x", "y" } }, prior = { draft = { content = "Hello" } } }

describe("paths in inputs", function()
  it("stand for values; other texts stand for themselves", function()
    assert.same({ number = 7, text = "Hello", second = "y", what = "prior art", n = 1 }, paths.resolve({
      number = "trigger.pull.number", text = "prior.draft.content", second = "trigger.list.2", what = "prior art", n = 1,
    }, VALUES))
    assert.same(VALUES.trigger, paths.resolve("trigger", VALUES))
    assert.equal("trigger happy", paths.resolve("trigger happy", VALUES))
  end)

  it("that lead nowhere leave nothing", function()
    assert.same({}, paths.resolve({ a = "trigger.no.such", b = "trigger.pull.number.deeper" }, VALUES))
    assert.is_nil(paths.resolve("prior.other.content", VALUES))
  end)

  it("leave lists lists", function()
    assert.is_true(json.is_array(paths.resolve({ list = json.array {} }, VALUES).list))
  end)

  it("tell the steps that they speak of", function()
    local found = paths.steps { "trigger.a", { x = "prior.draft.content" } }
    assert.same({ { step = "draft", text = "prior.draft.content" } }, found)
  end)
end)
