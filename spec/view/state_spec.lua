local events = require "spec.view.events"
local state = require "curia.view.state"

local function fed(last)
  local view = state.new(events.about, 0)
  events.feed(view, last)
  return view
end

describe("curia.view.state", function()
  it("knows who will take part before they do", function()
    local view = fed(2)
    assert.same({ "optimist", "skeptic" }, { view.round.members[1].id, view.round.members[2].id })
    assert.equal("waiting", view.round.members[1].status)
    assert.equal("round 1 of 3 · independent_analysis", view:headline(view.round))
  end)

  it("follows each member", function()
    local function status(last, id) return fed(last).round.by_id[id].status end
    assert.equal("asking", status(3, "optimist"))
    assert.equal("waiting", status(3, "skeptic"))
    assert.equal("thinking", status(5, "optimist"))
    assert.equal("streaming", status(6, "optimist"))
    assert.equal("retrying", status(7, "skeptic"))
    assert.equal("done", status(9, "optimist"))
    assert.equal("failed", status(10, "skeptic"))
  end)

  it("keeps what was said, and not what was thought", function()
    local member = fed(8).round.by_id.optimist
    assert.equal("It goes well.", table.concat(member.text))
    assert.same({ "It goes well." }, state.flow_of(member, 40):tail(5))
    assert.same({ "It goes", "well." }, state.flow_of(member, 8):tail(5))
  end)

  it("hears at the end what was not streamed", function()
    local member = fed(14).round.by_id.optimist
    assert.equal("A is best.", table.concat(member.text))
  end)

  it("begins anew when an answer does", function()
    local view = fed(6)
    view:apply({ type = "member_restarted", round = "independent_analysis", idx = 1, member = "optimist" }, 900)
    assert.same({}, view.round.by_id.optimist.text)
    assert.equal("asking", view.round.by_id.optimist.status)
  end)

  it("opens a round for whoever speaks outside of those planned", function()
    local view = state.new({ council = "free" }, 0)
    view:apply({ type = "member_started", round = "opening", idx = 1, member = "a" }, 0)
    view:apply({ type = "member_started", round = "opening", idx = 1, member = "b" }, 0)
    assert.equal(2, #view.round.members)
    assert.equal("round 1 · opening", view:headline(view.round))
  end)

  it("passes over what it does not know", function()
    local view = fed(2)
    view:apply({ type = "tool_call_request", member = "optimist" }, 0)
    assert.equal("waiting", view.round.members[1].status)
  end)
end)
