local fair_queue = require "curia.engine.fair_queue"

-- A queue of waiters written as "group order", and what comes out of it.
local function filled(...)
  local queue, by_text = fair_queue.new(), {}
  for _, text in ipairs { ... } do
    local group, order = text:match "(%a*)(%d+)"
    by_text[text] = { text = text, group = group, order = tonumber(order) }
    queue:push(by_text[text])
  end
  return queue, by_text
end

local function drained(queue)
  local texts = {}
  while queue.count > 0 do
    local first = queue:first()
    assert.equal(first, queue:pop())
    texts[#texts + 1] = first.text
  end
  assert.is_nil(queue:pop())
  return table.concat(texts, " ")
end

describe("the queue of a limiter", function()
  it("lets the groups take turns, however many stand in each", function()
    assert.equal("a1 b9 a2 a3 a4", drained(filled("a1", "a2", "a3", "a4", "b9")))
    assert.equal("a1 b1 c1 a2 b2 a3", drained(filled("a1", "a2", "a3", "b1", "b2", "c1")))
  end)

  it("lets the oldest run come first within a group, and keeps the order of equals", function()
    assert.equal("a1 a2 a3", drained(filled("a3", "a1", "a2")))
    local queue, first, second = fair_queue.new(), { group = "", order = 1, text = "x" }, { group = "", order = 1, text = "y" }
    queue:push(first)
    queue:push(second)
    assert.equal("x y", drained(queue))
  end)

  it("forgets those who wait no more", function()
    local queue, by_text = filled("a1", "b1", "a2")
    queue:remove(by_text.a1)
    queue:remove(by_text.a1)
    assert.equal(2, queue.count)
    assert.equal("a2 b1", drained(queue))
  end)

  it("puts a group that comes back behind the others", function()
    local queue, by_text = filled("a1", "b1")
    queue:remove(by_text.a1)
    queue:push { text = "a2", group = "a", order = 2 }
    assert.equal("b1 a2", drained(queue))
  end)
end)
