local cells = require "curia.view.cell"
local colour = require "curia.view.colour"
local streams = require "curia.view.stream"
local width = require "curia.view.width"

local plain = colour.palette(false)

local function member(status, fields)
  local made = { id = "ann", model = "m-1", status = status, asked = 0, since = 0, shown = streams.new {}, asks = {}, ended = 0 }
  for name, value in pairs(fields or {}) do made[name] = value end
  return made
end

local function said(kind, text)
  local stream = streams.new {}
  stream:hear(kind, text)
  return { shown = stream, asks = { stream } }
end

local function lines(of, columns, height, paint)
  return cells.lines(of, 1000, columns or 30, height or 10, paint or plain)
end

describe("curia.view.cell", function()
  it("has a name, a state and words", function()
    assert.same({ "⠋ ann  m-1", "answering · 1.0 s", "One", "two." }, lines(member("streaming", said("content", "One\r\ntwo."))))
  end)

  it("shows the last words where there is no room for all", function()
    assert.same({ "⠋ ann  m-1", "answering · 1.0 s", "c" }, lines(member("streaming", said("content", "a\nb\nc")), 30, 3))
  end)

  it("shows thoughts dim", function()
    local painted = lines(member("thinking", said("reasoning", "hm")), 30, 10, colour.palette(true))
    assert.equal("\27[2mhm\27[0m", painted[3])
    assert.equal("Yes", lines(member("streaming", said("content", "Yes")), 30, 10, colour.palette(true))[3])
  end)

  it("says a ballot before its words", function()
    local result = { duration_ms = 5, response = { parsed = { ordering = { "b", "a" } } } }
    assert.same({ "✓ ann  m-1", "done · 5 ms", "ranks b > a" }, lines(member("done", { result = result })))
  end)

  it("gives what waits or went wrong the lines it needs, and no more than there are", function()
    local failed = member("failed", { error = { kind = "auth", reason = ("bad "):rep(20) } })
    assert.equal(6, #lines(failed, 20))
    assert.equal(3, #lines(failed, 20, 3))
    assert.same({ "? ann  m-1", "search waits", "for approval" }, lines(member("blocked", { tool = "search" }), 12))
  end)

  it("shows who is in the council that a member is", function()
    local inside = { council = "panel", round = { members = { member("streaming", { id = "x" }), member("waiting", { id = "y" }) } } }
    inside.round.members[2].inner = { round = { members = { member("waiting", { id = "z" }) } } }
    local ann = member("asking", { inner = inside })
    ann.model = nil
    assert.same({ "⠋ ann  council panel", "asked · 1.0 s", "  ⠋ x · answering · 1.0 s", "  ○ y · waiting", "    ○ z · waiting" },
      lines(ann))
  end)

  it("is no wider than its place", function()
    local names = { "ann", "日本語の名前", ("e\u{301}"):rep(30), "👩\u{200d}🚀👩\u{200d}🚀" }
    for _, name in ipairs(names) do
      for columns = 3, 40, os.getenv "CURIA_GC_STRESS" and 6 or 1 do
        local of = member("streaming", said("content", ("日本語 👩\u{200d}🚀 e\u{301} שלום https://example.org/" .. ("x"):rep(60))))
        of.id = name
        for _, line in ipairs(lines(of, columns)) do
          assert.is_true(width.columns(line) <= columns, ("%d: %s"):format(columns, line))
        end
        assert.is_true(width.columns(cells.line(of, 0, columns, plain)) <= columns)
      end
    end
  end)
end)
