local streams = require "curia.view.stream"

describe("curia.view.stream", function()
  it("belongs to one of several asks", function()
    local stream = streams.new { iteration = 1, ask = 2 }
    assert.is_true(stream:is_of { iteration = 1, ask = 2 })
    assert.is_false(stream:is_of { iteration = 1, ask = 1 })
    assert.is_false(stream:is_of {})
  end)

  it("has lines as wide as is wanted", function()
    local stream = streams.new {}
    stream:hear("content", "It goes ")
    stream:hear("content", "well.")
    assert.same({ "It goes well." }, stream:lines(40):tail(5))
    assert.same({ "It goes", "well." }, stream:lines(8):tail(5))
    stream:hear("content", " Now.")
    assert.same({ "It goes", "well.", "Now." }, stream:lines(8):tail(5))
  end)

  it("shows thoughts until there is an answer", function()
    local stream = streams.new {}
    stream:hear("reasoning", "hm")
    local lines, thought = stream:lines(40)
    assert.same({ "thinking", { "hm" }, true }, { stream.status, lines:tail(5), thought })
    stream:hear("content", "Yes.")
    lines, thought = stream:lines(40)
    assert.same({ "streaming", { "Yes." }, false }, { stream.status, lines:tail(5), thought })
  end)

  it("begins anew", function()
    local stream = streams.new {}
    stream:hear("content", "No")
    stream:lines(40)
    stream:forget()
    assert.same({ "asking", {} }, { stream.status, (stream:lines(40)):tail(5) })
  end)
end)
