local colour = require "curia.view.colour"
local page = require "curia.view.page"

local PAINT = colour.palette(false)

local function event(seq, kind, more)
  local made = { v = 1, seq = seq, at = 1000 * seq, type = kind, run_id = "r" }
  for name, value in pairs(more or {}) do made[name] = value end
  return made
end

local function of(status, content)
  return { status = status, model = "m", duration_ms = 10, response = { content = content },
    error = status == "error" and { kind = "auth", message = "who are you?" } or nil }
end

local ROUND = { name = "opinions", idx = 1, duration_ms = 20, metadata = {},
  results = { ann = of("ok", "Because."), ben = of("error") } }

local EVENTS = {
  event(1, "run_started", { council = "panel" }),
  event(2, "round_started", { round = "opinions", idx = 1 }),
  event(3, "member_started", { round = "opinions", idx = 1, member = "ann", model = "m" }),
  event(4, "member_started", { round = "opinions", idx = 1, member = "ben", model = "m" }),
  event(5, "member_completed", { round = "opinions", idx = 1, member = "ann", result = ROUND.results.ann }),
  event(6, "member_completed", { round = "opinions", idx = 1, member = "ben", result = ROUND.results.ben }),
  event(7, "round_completed", { round = "opinions", idx = 1, result = ROUND }),
}

local function text(more)
  local given = { council = "panel", question = "Why?", events = EVENTS, facts = {} }
  for name, value in pairs(more or {}) do given[name] = value end
  return table.concat(page.lines(given, 80, PAINT), "\n")
end

describe("the page of a run", function()
  it("has the question, each round with everybody's answer, and who failed why", function()
    local shown = text()
    assert.matches("^panel\nWhy%?\n\nround 1", shown)
    assert.matches("ann.*Because%..*ben.*who are you%?", shown)
  end)

  it("has the answer, what it took, and what else there is to say", function()
    local shown = text {
      result = { status = "ok", rounds = { ROUND }, final = { content = "So." }, duration_ms = 5, run_id = "r" },
      facts = { { "steps", ("many "):rep(30) } },
    }
    assert.matches("\nanswer\nSo%.\n\n.*run        r\nsteps      many many", shown)
    for line in shown:gmatch "[^\n]+" do assert.is_true(utf8.len(line) <= 80) end
  end)

  it("shows a run that was given up when its process had died", function()
    local lost = { status = "error", errors = { { kind = "orphaned", message = "its process has died" } }, run_id = "r" }
    local shown = text { events = table.move(EVENTS, 1, 5, 1, {}), result = lost }
    assert.matches("failed     its process has died\n", shown)
  end)

  it("shows a run that goes on as far as it has come", function()
    assert.matches("^panel\nWhy%?\n\nstatus     running$", text { events = {}, facts = { { "status", "running" } } })
    local shown = text { events = table.move(EVENTS, 1, 5, 1, {}) }
    assert.matches("\nround 1[^\n]*\n  ann: done[^\n]*\n  ben: [^\n]+\n", shown)
  end)
end)
