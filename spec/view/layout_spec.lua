local colour = require "curia.view.colour"
local events = require "spec.view.events"
local layout = require "curia.view.layout"
local paper = require "spec.view.paper"
local state = require "curia.view.state"
local width = require "curia.view.width"

local plain = colour.palette(false)

local function picture(last, columns, rows, about)
  local view = state.new(about or events.about, 0)
  events.feed(view, last)
  local sheet = paper.new(columns, rows)
  sheet:write(table.concat(layout.live(view, 2500, columns, rows, plain), "\r\n"))
  return sheet:text()
end

describe("curia.view.layout", function()
  it("puts members side by side where there is room", function()
    local lines = picture(8, 80, 24)
    assert.equal("round 1 of 3 · independent_analysis · 0 of 2 done", lines[1]:match("^(.-)  "))
    assert.truthy(lines[1]:find("2.5 s$"))
    assert.truthy(lines[2]:find("^[^ ]+ optimist  m%-1 +│ ↻ skeptic  m%-2"))
    assert.truthy(lines[3]:find("^answering · 2.3 s +│ again in 0.1 s: the provider asks to"))
    assert.truthy(lines[4]:find("^It goes well. +│ slow down: slow down %(HTTP 429%)"))
  end)

  it("stacks them where there is not", function()
    local lines = picture(9, 40, 24)
    assert.truthy(lines[2]:find("^✓ optimist"))
    assert.equal("done · 5 tokens · 1.5 s", lines[3])
    assert.equal("It goes well.", lines[4])
    assert.truthy(lines[6]:find("^↻ skeptic"))
  end)

  it("tells of each in one line where there is no room for words", function()
    local lines = picture(9, 40, 6)
    assert.equal(3, #lines)
    assert.equal("✓ optimist · done · 5 tokens · 1.5 s", lines[2])
  end)

  it("lets one speak below the others where there is room for one", function()
    local ids = { "a", "b", "c", "d", "e", "f" }
    local view = state.new({ council = "a", planned = { { name = "r", members = ids, chair = false } } }, 0)
    view:apply({ type = "round_started", round = "r", idx = 1 }, 0)
    view:apply({ type = "member_started", round = "r", idx = 1, member = "b" }, 0)
    view:apply({ type = "member_token", round = "r", idx = 1, member = "b", text = "Words" }, 0)
    local lines = layout.live(view, 0, 40, 16, plain)
    assert.same({ 11, "○ f · waiting", "", "⠋ b", "answering · 0.0 s", "Words" }, { #lines, table.unpack(lines, 7) })
  end)

  it("finds a place for twenty members, and says how many have none", function()
    local function crowd(columns, rows)
      local ids = {}
      for i = 1, 20 do ids[i] = ("member_%02d"):format(i) end
      local view = state.new({ council = "a", planned = { { name = "r", members = ids, chair = false } } }, 0)
      view:apply({ type = "round_started", round = "r", idx = 1 }, 0)
      local sheet = paper.new(columns, rows)
      sheet:write(table.concat(layout.live(view, 0, columns, rows, plain), "\r\n"))
      return sheet:text()
    end
    assert.equal(21, #crowd(80, 24))
    local lines = crowd(80, 12)
    assert.equal(8, #lines)
    assert.truthy(lines[2]:find("^○ member_01 · waiting +│ ○ member_02 · waiting +│ ○ member_03 · waiting$"))
    lines = crowd(80, 5)
    assert.same({ 3, "and 17 more" }, { #lines, lines[3] })
    assert.same({ "and 20 more" }, { table.unpack(crowd(20, 4), 2) })
  end)

  it("is never wider or higher than the terminal", function()
    for columns = 10, 130, 17 do
      for rows = 4, 30, 9 do
        for last = 2, #events.list, 3 do
          local view = state.new(events.about, 0)
          events.feed(view, last)
          local lines = layout.live(view, 9999, columns, rows, colour.palette(true))
          assert.is_true(#lines < rows)
          for _, line in ipairs(lines) do
            local at, rest = line:match(".*\27%[(%d+)G(.*)$")
            local used = (at and tonumber(at) - 1 or 0) + width.columns(colour.strip(rest or line))
            assert.is_true(used < math.max(columns, 10), ("%d of %d: %s"):format(used, columns, line))
          end
        end
      end
    end
  end)

  it("keeps columns in place whatever stands in them", function()
    local view = state.new(events.about, 0)
    events.feed(view, 4)
    view:apply({ type = "member_token", round = "independent_analysis", idx = 1, member = "optimist", kind = "content",
      text = ("日本語🚀"):rep(20) }, 0)
    local lines = layout.live(view, 0, 80, 24, plain)
    for i = 2, #lines do assert.truthy(lines[i]:find("\27[40G│\27[42G", 1, true), lines[i]) end
  end)

  it("says in every picture that a run is offline", function()
    local about = { council = "a", offline = true, planned = events.about.planned }
    assert.truthy(picture(8, 80, 24, about)[1]:find("OFFLINE", 1, true))
  end)

  it("shows nothing between two rounds", function()
    assert.same({}, layout.live(state.new(events.about, 0), 0, 80, 24, plain))
  end)

  it("shows no control character of a member", function()
    local view = state.new(events.about, 0)
    events.feed(view, 4)
    view:apply({ type = "member_token", round = "independent_analysis", idx = 1, member = "optimist", kind = "content",
      text = "\27[2Jgone" }, 0)
    assert.is_nil(table.concat(layout.live(view, 0, 40, 24, plain)):find("\27[2J", 1, true))
  end)
end)
