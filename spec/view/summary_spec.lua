local colour = require "curia.view.colour"
local events = require "spec.view.events"
local state = require "curia.view.state"
local summary = require "curia.view.summary"

local plain = colour.palette(false)

local function told(last, columns)
  local view = state.new(events.about, 0)
  events.feed(view, last - 1)
  return summary.round(view, view.round, events.list[last].result, 0, columns or 80, plain)
end

describe("curia.view.summary", function()
  it("keeps everybody's answer, and why somebody has none", function()
    assert.same({
      "round 1 of 3 · independent_analysis · 1 of 2 answered · 2.0 s", "",
      "✓ optimist  m-1 · done · 5 tokens · 1.5 s", "  It goes well.", "",
      "✗ skeptic  the key was refused: bad key (HTTP 401)", "",
    }, told(11))
  end)

  it("tells a ranking, what it came to, and who was behind the labels", function()
    assert.same({
      "round 2 of 3 · ranking · 1 of 2 answered · 1.0 s", "",
      "✓ optimist  m-1 · done · 5 tokens · 1.5 s", "  ranks optimist > skeptic", "", "  A is best.", "",
      "✗ skeptic  the key was refused: bad key (HTTP 401)", "",
      "ranking: optimist 1, skeptic 0.25 (peer ranking); not counted: skeptic (no", "  ordering)",
      "Response A = optimist, Response B = skeptic", "",
    }, told(16))
  end)

  it("leaves the chair's answer to the end", function()
    assert.same({ "round 3 of 3 · synthesis · 1 of 1 answered · 1.0 s", "" }, told(21))
  end)

  it("shows what was said before a failure as unfinished", function()
    local view = state.new(events.about, 0)
    events.feed(view, 6)
    local result = { member = "optimist", status = "error", error = { kind = "cancelled" }, duration_ms = 1 }
    local event = { type = "member_completed", round = "independent_analysis", idx = 1, member = "optimist" }
    event.result = result
    view:apply(event, 1)
    local ended = { results = { optimist = result }, duration_ms = 1 }
    local lines = summary.round(view, view.round, ended, 1, 80, plain)
    assert.same({ "✗ optimist  cancelled", "  unfinished:", "  It goes " }, { lines[3], lines[4], lines[5] })
  end)

  it("fits a narrow terminal", function()
    for _, line in ipairs(told(16, 30)) do assert.is_true(require "curia.view.width".columns(line) <= 30, line) end
  end)

  it("tells what became of a tie", function()
    local function told_of(tie_break, winner)
      return summary.decision { ranking = { "a", "b" }, tie = true, winner = winner, detail = { tie_break = tie_break } }
    end
    assert.equal("ranking: a, b (tie, broken by name)", told_of("first", "a"))
    assert.equal("ranking: a, b (tie)", told_of("chair"))
    assert.equal("ranking: a, b (tie, broken by chance)", told_of("random", "a"))
    assert.equal("ranking: a, b (tie, broken by the council's function)", told_of("function", "a"))
    assert.equal("ranking: a, b (tie, broken by the chair for a)", told_of({ by = "chair", choice = "a" }, "a"))
    assert.equal("ranking: a, b (tie; the chair has not broken it: no choice could be read)",
      told_of { by = "chair", error = "no choice could be read" })
  end)

  it("says what each ballot comes to before its words", function()
    local view = state.new(events.about, 0)
    for parsed, wanted in pairs {
      [{ choice = "b", confidence = 0.5 }] = "  votes for b (confidence 0.5)", [{ choice = "b" }] = "  votes for b",
      [{ scores = { b = 0.5, a = 1 } }] = "  scores a 1, b 0.5", [{ agrees = true }] = "  words",
    } do
      local result = { member = "a", status = "ok", response = { content = "words", parsed = parsed }, duration_ms = 1 }
      view:apply({ type = "round_started", round = "vote", idx = 1 }, 0)
      view:apply({ type = "member_completed", round = "vote", idx = 1, member = "a", result = result }, 1)
      local lines = summary.round(view, view.round, { results = { a = result }, duration_ms = 1 }, 1, 80, plain)
      assert.equal(wanted, lines[4])
    end
  end)

  it("tells decisions of every kind", function()
    assert.is_nil(summary.decision(nil))
    assert.equal("no winner", summary.decision({}))
    assert.equal("winner: a", summary.decision({ winner = "a" }))
    local tied = { ranking = { "a", "b" }, scores = { a = 2.5, b = 2.5 }, tie = true }
    assert.equal("ranking: a 2.5, b 2.5 (tie)", summary.decision(tied))
    assert.equal("ranking: a, b", summary.decision({ ranking = { "a", "b" } }))
    assert.equal("ranking: a, b; no winner by the rule majority", summary.decision({ ranking = { "a", "b" }, rule = "majority" }))
  end)

  it("names the rule, and by how much it was won", function()
    local decision = { winner = "a", ranking = { "a", "b" }, rule = "majority_judgment", margin = 1 / 3 }
    assert.equal("ranking: a, b (majority judgment, margin 33 %)", summary.decision(decision))
    decision.tie, decision.detail = true, { tie_break = "first" }
    assert.equal("ranking: a, b (majority judgment) (tie, broken by name)", summary.decision(decision))
  end)

  it("tells the matches of a bracket", function()
    local decision = { ranking = { "a" }, detail = { still_in = { "a", "c" }, matches = {
      { a = "a", b = "b", winner = "a", loser = "b", tie = false },
      { a = "c", b = "d", winner = "c", loser = "d", tie = true } } } }
    local view = state.new(events.about, 0)
    view:apply({ type = "round_started", round = "p", idx = 1 }, 0)
    local lines = summary.round(view, view.round, { results = {}, decision = decision, duration_ms = 1 }, 1, 80, plain)
    local shown = table.concat(lines, "\n")
    assert.truthy(shown:find("matches: a beats b; c and d tie, c goes on\nranking: a", 1, true), shown)
  end)

  it("cuts what was voted on where it is a whole answer", function()
    local text = summary.decision({ ranking = { ("word "):rep(40) } })
    assert.is_true(#text < 60)
    assert.matches("^ranking: word word", text)
  end)

  it("tells how a round went", function()
    local function facts(results, metadata) return summary.facts({ results = results, metadata = metadata, duration_ms = 5 }) end
    local ok, out = { status = "ok" }, { status = "eliminated" }
    assert.equal("1 of 1 answered · 5 ms", facts { a = ok })
    assert.equal("1 of 2 left · 5 ms", facts { a = ok, b = out })
    assert.equal("1 of 1 answered · 4 samples (posterior), 6 saved · 5 ms",
      facts({ a = ok }, { asked = 4, saved = 6, stopped = "posterior" }))
    assert.equal("1 of 1 answered · 3 iterations (max iterations) · 5 ms",
      facts({ a = ok }, { iterations = { 1, 2, 3 }, stopped = "max_iterations" }))
  end)
end)
