local colour = require "curia.view.colour"
local events = require "spec.view.events"
local headline = require "curia.view.headline"
local state = require "curia.view.state"
local width = require "curia.view.width"

local function lines(last, columns, about)
  local view = state.new(about or events.about, 0)
  events.feed(view, last)
  return headline.lines(view, view.round, 2500, columns, colour.palette(false))
end

describe("curia.view.headline", function()
  it("tells the round, who is through and what was used", function()
    assert.same({ "round 1 of 3 · independent_analysis · 1 of 2 done · 1 failed     15 tokens · 2.5 s" }, lines(10, 82))
  end)

  it("tells what the ballots come to so far", function()
    assert.equal("1 of 2 ballots in, first places: optimist 1", lines(14, 83)[2])
    assert.equal("1 of 2 ballots in,…", lines(14, 19)[2])
  end)

  it("tells what is left of the budget, and that nothing is real", function()
    local about = { council = "a", planned = events.about.planned, budget = { usd = 2 }, offline = true }
    assert.matches("1 of 2 done · OFFLINE +30 tokens · %$0.00 of %$2.00 · 2.5 s$", lines(14, 100, about)[1])
  end)

  it("leaves out what there is no room for", function()
    assert.equal("round 1 of 3 · independent_analysis   15 tokens · 2.5 s", lines(10, 55)[1])
    assert.equal("round 1 of 3 · i…  2.5 s", lines(10, 24)[1])
    for columns = 8, 120 do
      assert.is_true(width.columns(lines(14, columns)[1]) <= columns)
    end
  end)

  it("says how many a bracket still has in", function()
    local view = state.new(events.about, 0)
    view.left = 4
    events.feed(view, 2)
    assert.matches("independent_analysis · 4 still in · 0 of 2 done", headline.lines(view, view.round, 0, 90, colour.palette(false))[1])
  end)
end)
