local queues = require "curia.otlp.queue"

describe("the queue of the export", function()
  it("gives what came first, so many at most", function()
    local queue = queues.new(10)
    for i = 1, 4 do assert.equal(i, queue:put(i)) end
    assert.same({ 1, 2, 3 }, queue:take(3))
    assert.equal(2, queue:put(5))
    assert.same({ 4, 5 }, queue:take(10))
    assert.same({}, queue:take(10))
  end)

  it("drops what comes when it is full, and counts it", function()
    local queue = queues.new(2)
    for i = 1, 5 do queue:put(i) end
    assert.equal(3, queue.dropped)
    assert.same({ 1, 2 }, queue:take(9))
    queue:put(6)
    assert.same({ 6 }, queue:take(9))
    assert.equal(3, queue.dropped)
  end)
end)
