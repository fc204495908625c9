local events = require "spec.view.events"
local plain = require "curia.view.plain"

local function lines(about, last)
  local written = {}
  local view = plain.open(about, {
    write = function(text) written[#written + 1] = text end, now = function() return 0 end,
  })
  for i = 1, last or #events.list do view:event(events.list[i]) end
  view:close()
  return table.concat(written)
end

describe("curia.view.plain", function()
  it("tells each thing in a line, in ASCII of its own", function()
    local text = lines(events.about)
    assert.equal([[
advisor: Ship?
round 1 of 3: independent_analysis
  skeptic: again in 2.0 s: the provider asks to slow down: slow down (HTTP 429)
  optimist: done, 5 tokens, 1.5 s
  skeptic: the key was refused: bad key (HTTP 401)
  1 of 2 answered, 2.0 s
round 2 of 3: ranking
  optimist: done, 5 tokens, 1.5 s
  skeptic: the key was refused: bad key (HTTP 401)
  1 of 2 answered, 1.0 s; ranking: optimist 1, skeptic 0.25 (peer ranking); not counted: skeptic (no ordering)
round 3 of 3: synthesis
  chair: done, 5 tokens, 1.5 s
  1 of 1 answered, 1.0 s
  info: nearly done
]], text)
    assert.is_nil(text:find("[\128-\255]"))
  end)

  it("marks what is offline", function()
    local text = lines({ council = "a", offline = true }, 1)
    assert.truthy(text:find("OFFLINE: scripted answers, no model was asked\n", 1, true))
  end)

  it("shows no control character", function()
    assert.equal("a: [2Jx y\n", lines({ council = "a", question = "\27[2Jx\ny" }, 1))
  end)

  it("numbers what a round asks several times, and what it repeats", function()
    local written = {}
    local view = plain.open({ council = "a" }, { write = function(text) written[#written + 1] = text end, now = function() return 0 end })
    local function event(kind, iteration, status)
      view:event { type = kind, round = "sample", idx = 1, member = "a", iteration = iteration,
        result = { status = status, duration_ms = 1, metadata = { reason = "tournament_loss" } } }
    end
    event("round_started")
    event("member_started", 1)
    event("member_started", 2)
    event("member_completed", 2, "ok")
    event("round_started", 4)
    event("member_completed", 4, "eliminated")
    assert.same({ "round 1: sample\n", "  a #2: done, 1 ms\n", "round 1: sample, iteration 4\n", "  a: out, tournament loss\n" },
      { table.unpack(written, 2) })
  end)

  it("tells of those inside of a council that is a member, of tools and of who waits", function()
    local written = {}
    local view = plain.open({ council = "a" }, {
      write = function(text) written[#written + 1] = text end, now = function() return 0 end })
    local function event(kind, fields)
      fields.type, fields.run_id = kind, fields.run_id or "1"
      view:event(fields)
    end
    local ok = { status = "ok", duration_ms = 1, response = {} }
    event("run_started", {})
    event("round_started", { round = "r", idx = 1 })
    event("member_started", { round = "r", idx = 1, member = "panel" })
    event("run_started", { run_id = "2", parent_run_id = "1", parent_member = "panel", council = "inner" })
    event("round_started", { run_id = "2", round = "q", idx = 1 })
    event("member_started", { run_id = "2", round = "q", idx = 1, member = "x" })
    event("tool_call_request", { run_id = "2", round = "q", idx = 1, member = "x", call = { name = "rm" } })
    event("run_blocked", { run_id = "2", round = "q", idx = 1, member = "x", reason = "approval", call = { name = "rm" } })
    event("run_blocked", { member = "panel", reason = "approval", sub_run_id = "2" })
    event("tool_call_result", { run_id = "2", round = "q", idx = 1, member = "x", call = { name = "rm" },
      error = { kind = "tool", message = "refused" } })
    event("member_completed", { run_id = "2", round = "q", idx = 1, member = "x", result = ok })
    event("member_completed", { round = "r", idx = 1, member = "panel", result = ok })
    event("member_completed", { run_id = "2", round = "q", idx = 1, member = "y", result = ok })
    assert.equal([[
a
round 1: r
  panel > x: calls rm
  panel > x: rm waits for approval
  panel > x: rm: a tool failed: refused
  panel > x: done, 1 ms
  panel: done, 1 ms
]], table.concat(written))
  end)

  it("lets somebody be asked", function()
    local view = plain.open(events.about, { write = function() end, now = function() return 0 end })
    assert.same({ "y", 2 }, { view:ask(function(...) return ... end, "y", 2) })
  end)
end)
