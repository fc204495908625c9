local ballots = require "curia.rules.support.ballots"
local duels = require "curia.rules.support.duels"
local random = require "curia.engine.random"

-- One duel at a time.
local function plain_count(electorate)
  local made = {}
  for _, a in ipairs(electorate.options) do
    made[a] = {}
    for _, b in ipairs(electorate.options) do made[a][b] = a ~= b and 0 or nil end
  end
  for i, ordering in ipairs(electorate.votes) do
    local below = {}
    for _, id in ipairs(electorate.options) do below[id] = true end
    for _, id in ipairs(ordering) do
      below[id] = nil
      for other in pairs(below) do made[id][other] = made[id][other] + electorate.weights[i] end
    end
  end
  return made
end

local function random_electorate(dice, options, voters, weights)
  local list = {}
  for i = 1, voters do
    local left, ordering = { table.unpack(options) }, {}
    for place = 1, dice:integer(#options) do ordering[place] = table.remove(left, dice:integer(#left)) end
    list[i] = { ordering = ordering, weight = weights[dice:integer(#weights)] }
  end
  return ballots.read("ordering", list, { options = options })
end

describe("duels", function()
  it("count who is preferred to whom, the unranked below the ranked", function()
    local read = ballots.read("ordering", { { ordering = { "b", "a" } }, { ordering = { "c" }, weight = 3 } }, { options = { "a", "b", "c" } })
    assert.same({ a = { b = 0, c = 1 }, b = { a = 1, c = 1 }, c = { a = 3, b = 3 } }, duels.count(read))
  end)

  it("agree with counting them one by one, for few and many options, voters and weights", function()
    local dice, options = random.new(3), {}
    for count = 1, 33 do
      options[count] = ("o%02d"):format(count)
      local read = random_electorate(dice, options, 150, count % 2 == 0 and { 1 } or { 1, 2, 7 })
      assert.same(plain_count(read), duels.count(read))
    end
  end)

  it("tie where the sums of weights differ only in their last bits", function()
    local read = ballots.read("ordering", { { ordering = { "a" }, weight = 0.1 }, { ordering = { "a" }, weight = 0.2 },
      { ordering = { "b" }, weight = 0.3 } }, {})
    local votes = duels.count(read)
    assert.equal(votes.a.b, votes.b.a)
    assert.same({ a = 0.5, b = 0.5 }, duels.copeland(votes))
  end)
end)
