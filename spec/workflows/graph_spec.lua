local graph = require "curia.workflows.graph"

local function nodes(text)
  local list = {}
  for name, after in text:gmatch "(%w+):([%w,]*)" do
    local node = { name = name, after = {} }
    for other in after:gmatch "%w+" do table.insert(node.after, other) end
    list[#list + 1] = node
  end
  return list
end

local function sorted(set)
  local names = {}
  for name in pairs(set) do names[#names + 1] = name end
  table.sort(names)
  return names
end

describe("the graph of steps", function()
  it("has no circle when nothing, or each only what was before, is waited for", function()
    for _, text in ipairs { "", "a: b: c:", "a: b:a c:b", "a: b:a c:a d:b,c" } do
      assert.is_nil(graph.cycle(nodes(text)))
    end
  end)

  it("finds circles of one, two and three, and leaves out what leads there", function()
    assert.same({ "a", "a" }, graph.cycle(nodes "a:a"))
    assert.same({ "a", "b", "a" }, graph.cycle(nodes "a:b b:a"))
    assert.same({ "b", "d", "c", "b" }, graph.cycle(nodes "a:b b:d c:b d:c"))
  end)

  it("orders steps behind what they wait for, otherwise as they stand", function()
    assert.same({ "a", "b", "c" }, graph.order(nodes "a: b: c:"))
    assert.same({ "a", "c", "b", "d" }, graph.order(nodes "d:b,c b:c c:a a:"))
  end)

  it("knows all that stands before a step, and the last ones", function()
    assert.same({ "a", "b", "c" }, sorted(graph.before(nodes "a: b:a c:a d:b,c e:", "d")))
    assert.same({}, sorted(graph.before(nodes "a: b:a", "a")))
    assert.same({ "d", "e" }, graph.last(nodes "a: b:a c:a d:b,c e:"))
  end)
end)
