local tallies = require "curia.sampling.tally"

local function tally_of(text)
  local tally = tallies.new()
  for answer in text:gmatch "." do tally:add(answer) end
  return tally
end

describe("a tally", function()
  it("is empty at first", function()
    local tally = tallies.new()
    assert.same({ nil, 0, 0, 0 }, { tally.leader, tally.best, tally.second, #tally.votes })
  end)

  it("knows the leader and the one behind it", function()
    for text, expected in pairs {
      x = { "x", 1, 0 }, xy = { "x", 1, 1 }, xyy = { "y", 2, 1 }, xyyx = { "y", 2, 2 }, xyyxx = { "x", 3, 2 },
      xyzz = { "z", 2, 1 }, xxyyzzz = { "z", 3, 2 },
    } do
      local tally = tally_of(text)
      assert.same(expected, { tally.leader, tally.best, tally.second }, text)
    end
  end)

  it("keeps the votes in their order, and a count of each", function()
    local tally = tally_of "abab"
    assert.same({ "a", "b", "a", "b" }, tally.votes)
    assert.same({ a = 2, b = 2 }, tally.counts)
  end)
end)
