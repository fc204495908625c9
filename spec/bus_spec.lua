local buses = require "curia.bus"

local function sink(tokens)
  return { tokens = tokens ~= false, seen = {}, push = function(self, event) table.insert(self.seen, event) end }
end

describe("the local bus", function()
  local bus

  before_each(function() bus = buses.new() end)

  it("hands what is published to all that listen to the topic, in their order", function()
    local one, two, other = sink(), sink(), sink()
    bus:subscribe("t", one)
    bus:subscribe("t", two)
    bus:subscribe("u", other)
    bus:publish("t", "event")
    bus:publish("nobody's", "event")
    assert.same({ { "event" }, { "event" }, {} }, { one.seen, two.seen, other.seen })
  end)

  it("knows whether anybody listens at all", function()
    local one, two = sink(), sink()
    assert.is_false(bus.wanted)
    bus:subscribe("t", one)
    bus:subscribe("u", two)
    assert.is_true(bus.wanted)
    assert.is_true(bus:unsubscribe("t", one))
    assert.is_true(bus.wanted)
    assert.is_true(bus:unsubscribe("u", two))
    assert.is_false(bus.wanted)
  end)

  it("forgets who has gone, and no other", function()
    local one, two = sink(), sink()
    bus:subscribe("t", one)
    bus:subscribe("t", two)
    bus:unsubscribe("t", one)
    assert.is_false(bus:unsubscribe("t", one))
    assert.is_false(bus:unsubscribe("u", two))
    bus:publish("t", "event")
    assert.same({ {}, { "event" } }, { one.seen, two.seen })
  end)

  it("knows how many take tokens", function()
    assert.equal(0, bus:wants_tokens "t")
    bus:subscribe("t", sink())
    bus:subscribe("t", sink(false))
    bus:subscribe("u", sink())
    assert.equal(1, bus:wants_tokens "t")
  end)
end)
