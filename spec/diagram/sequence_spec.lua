local dsl = require "curia.language.dsl"
local sequence = require "curia.diagram.sequence"
local support = dofile "spec/diagram/support.lua"

local function event(kind, at, fields)
  fields.type, fields.at, fields.run_id = kind, at, fields.run_id or "r"
  return fields
end

local ERROR = { kind = "rate_limited", message = "slow down", reason = "Slow down." }

describe("curia.diagram.sequence", function()
  it("tells a run in its real order, with calls of tools, times, retries and outcomes", function()
    local call = { id = "c1", name = "search" }
    assert.equal([[
sequenceDiagram
  actor p1 as you
  participant p2 as advisor
  participant p3 as a
  participant p4 as b
  participant p5 as search
  p1->>p2: Ship?
  Note over p2: 1 think
  p2->>p3: think
  p2->>p4: think
  p4->>p5: calls search
  p3--xp2: again in 1.0 s#58; the provider asks to slow down#58; Slow down.
  p5-->>p4: result, 0.1 s
  p4->>p5: calls search
  p5--xp4: a tool failed#58; no
  p3-->>p2: ok, 1.5 s, 2 tries
  p4--xp2: timeout, 2.0 s, no answer in time#58; too slow
  Note over p2: think#58; 2.0 s, first is a
  p2-->>p1: partial, 2.1 s
]], sequence.of_events {
      event("run_started", 0, { council = "advisor", input = { question = "Ship?" } }),
      event("round_started", 0, { round = "think", idx = 1 }),
      event("member_started", 1, { round = "think", member = "a", model = "m" }),
      event("member_started", 1, { round = "think", member = "b", model = "m" }),
      event("member_token", 2, { round = "think", member = "b", text = "x" }),
      event("tool_call_request", 10, { member = "b", call = call }),
      event("member_retry", 20, { member = "a", wait_ms = 1000, error = ERROR }),
      event("tool_call_result", 130, { member = "b", call = call, result = "found" }),
      event("tool_call_request", 140, { member = "b", call = { name = "search" } }),
      event("tool_call_result", nil, { member = "b", call = { name = "search" }, error = { kind = "tool", message = "no" } }),
      event("member_completed", 1500, { member = "a", result = { status = "ok", duration_ms = 1500, attempts = 2 } }),
      event("log", 1600, { level = "info", text = "x" }),
      event("member_completed", 2000, { member = "b", result = { status = "timeout", duration_ms = 2000, attempts = 1,
        error = { kind = "timeout", message = "too slow" } } }),
      event("round_completed", 2000, { round = "think", result = { duration_ms = 2000, decision = { winner = "a" } } }),
      event("run_completed", 2100, { result = { status = "partial", duration_ms = 2100 } }),
      event("something_new", 2100, {}),
    })
  end)

  it("tells what else can happen", function()
    local text = sequence.of_events {
      event("run_started", 0, { council = "c", input = "x" }),
      event("round_started", 0, { round = "think", idx = 1, iteration = 2 }),
      event("member_started", 0, { round = "think", member = "a" }),
      event("member_restarted", 0, { round = "think", member = "a" }),
      event("member_completed", 0, { member = "b", result = { status = "skipped", metadata = { reason = "router_excluded" } } }),
      event("round_completed", 0, { round = "think", iteration = 2, result = { error = ERROR } }),
      event("run_blocked", 0, { reason = "approval" }), event("run_resumed", 0, {}),
      event("run_failed", 0, { errors = { ERROR } }),
    }
    for _, part in ipairs { "Note over p2: 1 think, time 2", "Note over p3: begins its answer anew",
      "p4--xp2: skipped, 0 ms, router_excluded", "Note over p2: think, time 2#58; 0 ms, the provider asks to slow down",
      "Note over p2: waits#58; approval", "Note over p2: goes on", "p2--xp1: the provider asks to slow down" } do
      assert.is_truthy(text:find(part, 1, true), part .. "\n" .. text)
    end
  end)

  it("shows a council in a council as asked by the one around it", function()
    local text = sequence.of_events {
      event("run_started", 0, { council = "outer", input = "x" }),
      event("run_started", 0, { council = "inner", input = "y", run_id = "s", parent_run_id = "r" }),
      event("member_started", 0, { round = "think", member = "a", run_id = "s", parent_run_id = "r" }),
      event("member_started", 0, { round = "think", member = "a" }),
      event("run_completed", 0, { result = { status = "ok" }, run_id = "s", parent_run_id = "r" }),
    }
    assert.matches("p2%->>p3: y\n  p3%->>p4: think\n  p2%->>p5: think\n  p3%-%->>p2: ok, 0 ms\n$", text)
  end)

  it("makes something of events that say little", function()
    assert.equal("sequenceDiagram\n", sequence.of_events {})
    for _, kind in ipairs { "run_started", "round_started", "member_started", "member_retry", "tool_call_request",
      "tool_call_result", "member_completed", "round_completed", "run_blocked", "run_completed", "run_failed" } do
      assert.matches("^sequenceDiagram\n", sequence.of_events { { type = kind } })
    end
  end)

  it("shows a council as a run of it would go", function()
    local council = dsl.council "c" { dsl.member "a" { tools = { "calc" } }, dsl.member "b" {}, dsl.round "think" {},
      dsl.round "review" { rule = "borda", members = { "b" } }, dsl.chair {} }
    assert.equal([[
sequenceDiagram
  actor p1 as you
  participant p2 as c
  participant p3 as a
  participant p4 as calc
  participant p5 as b
  participant p6 as chair
  p1->>p2: question
  Note over p2: 1 think
  par
  p2->>p3: think
  p3->>p4: may call calc
  p4-->>p3: result
  p3-->>p2: answer
  and
  p2->>p5: think
  p5-->>p2: answer
  end
  Note over p2: 2 review
  p2->>p5: review
  p5-->>p2: ballot
  Note over p2: 3 synthesis
  p2->>p6: synthesis
  p6-->>p2: answer
  p2-->>p1: answer
]], sequence.of_graph(council:graph(support.config())))
  end)

  it("shows what a council in a council asks", function()
    local inner = dsl.council "inner" { dsl.member "x" {}, dsl.round "think" {} }
    local text = sequence.of_graph(dsl.council "c" { dsl.member "a" { council = inner }, dsl.round "review" {} }
      :graph(support.config()))
    assert.matches("p2%->>p3: review\n  Note over p3: 1 think\n  p3%->>p4: think\n  p4%-%->>p3: answer\n  p3%-%->>p2: answer", text)
  end)

  it("shows a round in a round as a loop", function()
    local text = sequence.of_graph(support.council():graph(support.config()))
    assert.matches("loop repeated, at most 4 times\n    Note over p2: 1 think\n    p2%->>p%d+: think\n", text)
  end)
end)
