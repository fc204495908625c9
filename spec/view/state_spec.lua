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

  it("shows the first of several asks at once, and what the round makes of them", function()
    local view = state.new({ council = "free" }, 0)
    local function apply(kind, iteration, more)
      local event = { type = kind, round = "sample", idx = 1, member = "a", iteration = iteration }
      for name, value in pairs(more or {}) do event[name] = value end
      view:apply(event, 0)
    end
    local function answered(text) return { result = { status = "ok", response = { content = text } } } end
    apply("member_started", 1)
    apply("member_started", 2)
    apply("member_token", 2, { kind = "content", text = "no" })
    apply("member_token", 1, { kind = "content", text = "yes" })
    local member = view.round.by_id.a
    assert.same({ "streaming", "yes" }, { member.status, table.concat(member.text) })
    apply("member_completed", 1, answered "yes")
    assert.equal("streaming", member.status)
    apply("member_completed", 2, answered "no")
    assert.equal("done", member.status)
    apply("member_completed", nil, answered "the most frequent")
    assert.equal("the most frequent", table.concat(member.text))
  end)

  it("numbers the iterations of a round", function()
    local view = state.new({ council = "free" }, 0)
    view:apply({ type = "round_started", round = "critique", idx = 2, iteration = 3 }, 0)
    assert.equal("round 2 · critique · iteration 3", view:headline(view.round))
  end)
end)
