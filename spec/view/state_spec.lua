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
    assert.equal("It goes well.", table.concat(member.shown.text))
  end)

  it("hears at the end what was not streamed", function()
    local member = fed(14).round.by_id.optimist
    assert.equal("A is best.", table.concat(member.shown.text))
  end)

  it("begins anew when an answer does", function()
    local view = fed(6)
    view:apply({ type = "member_restarted", round = "independent_analysis", idx = 1, member = "optimist" }, 900)
    assert.same({}, view.round.by_id.optimist.shown.text)
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

  it("shows the first of several asks at once, then the next, and what the round makes of them", function()
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
    assert.same({ "streaming", "yes" }, { member.status, table.concat(member.shown.text) })
    apply("member_completed", 1, answered "yes")
    assert.same({ "streaming", "no", 1 }, { member.status, table.concat(member.shown.text), member.ended })
    apply("member_completed", 2, answered "no")
    assert.equal("done", member.status)
    apply("member_completed", nil, answered "the most frequent")
    assert.equal("the most frequent", table.concat(member.shown.text))
  end)

  it("tells apart the asks of one member that run at the same time", function()
    local view = state.new({ council = "bracket" }, 0)
    local function apply(kind, ask, more)
      local event = { type = kind, round = "pairwise_elimination", idx = 1, member = "judge", iteration = 2, ask = ask }
      for name, value in pairs(more or {}) do event[name] = value end
      view:apply(event, 0)
    end
    apply("member_started", 1)
    apply("member_started", 2)
    for _, text in ipairs { "Win", "ner" } do
      apply("member_token", 1, { kind = "content", text = text })
      apply("member_token", 2, { kind = "content", text = text:upper() })
    end
    local judge = view.round.by_id.judge
    assert.equal("Winner", table.concat(judge.shown.text))
    assert.equal("WINNER", table.concat(judge.asks[2].text))
  end)

  it("numbers the iterations of a round", function()
    local view = state.new({ council = "free" }, 0)
    view:apply({ type = "round_started", round = "critique", idx = 2, iteration = 3 }, 0)
    assert.equal("round 2 · critique · iteration 3", view:headline(view.round))
    view = state.new({ council = "a", planned = { { name = "critique", iterations = 4 } } }, 0)
    view:apply({ type = "round_started", round = "critique", idx = 1, iteration = 2 }, 0)
    assert.equal("round 1 of 1 · critique · iteration 2 of ≤4", view:headline(view.round))
  end)

  it("knows how many a bracket still has in", function()
    local view = state.new({ council = "a" }, 0)
    view:apply({ type = "round_started", round = "p", idx = 1, iteration = 1 }, 0)
    view:apply({ type = "round_completed", round = "p", idx = 1, result = {
      decision = { detail = { still_in = { "a", "b" } } } } }, 0)
    view:apply({ type = "round_started", round = "p", idx = 1, iteration = 2 }, 0)
    assert.equal(2, view.round.left)
  end)

  it("knows the model that is asked next", function()
    local view = fed(4)
    view:apply({ type = "member_retry", round = "independent_analysis", idx = 1, member = "skeptic", attempt = 1,
      wait_ms = 0, model = "m-3", error = { kind = "overloaded" } }, 0)
    assert.equal("m-3", view.round.by_id.skeptic.model)
  end)

  it("knows which tool is called, and which waits for somebody", function()
    local view = fed(4)
    local function apply(kind, more)
      local event = { type = kind, round = "independent_analysis", idx = 1, member = "optimist", call = { name = "search" } }
      for name, value in pairs(more or {}) do event[name] = value end
      view:apply(event, 0)
      return { view.round.by_id.optimist.status, view.round.by_id.optimist.tool }
    end
    assert.same({ "calling", "search" }, apply "tool_call_request")
    assert.same({ "blocked", "search" }, apply("run_blocked", { reason = "approval" }))
    assert.same({ "calling", "search" }, apply "run_resumed")
    assert.same({ "asking", "search" }, apply "tool_call_result")
  end)

  it("adds up what answers have taken, those of a council inside included", function()
    local view = fed(9)
    assert.equal(15, view:used().tokens)
    local inside = { run_id = "02-in", parent_run_id = "01-run" }
    local function apply(kind, more)
      local event = { type = kind, run_id = inside.run_id, parent_run_id = inside.parent_run_id }
      for name, value in pairs(more) do event[name] = value end
      view:apply(event, 0)
    end
    apply("run_started", { council = "panel", parent_member = "skeptic" })
    apply("member_started", { round = "r", idx = 1, member = "x" })
    local skeptic = view.round.by_id.skeptic
    assert.equal("asking", skeptic.inner.round.by_id.x.status)
    apply("member_completed", { round = "r", idx = 1, member = "x", result = {
      status = "ok", duration_ms = 1, response = { usage = { output_tokens = 7 }, cost = { usd = 0.5 } } } })
    assert.same({ tokens = 22, usd = 0.5 }, view:used())
    events.feed({ apply = function(_, event)
      if event.type == "member_completed" and event.member == "skeptic" then view:apply(event, 0) end
    end }, 10)
    assert.is_nil(skeptic.inner)
    assert.same({ tokens = 15 }, view:used())
  end)

  it("passes over a run inside that it has not seen begin", function()
    local view = fed(4)
    view:apply({ type = "member_started", run_id = "03-in", parent_run_id = "02-in", round = "r", idx = 1, member = "x" }, 0)
    assert.is_nil(view.round.by_id.x)
  end)
end)
