local random = require "curia.engine.random"
local rosters = require "curia.engine.roster"

local function listed(roster)
  local items = {}
  for item in roster:each() do items[#items + 1] = item end
  return items
end

describe("a roster", function()
  it("gives what was added, newest first, and its items oldest first", function()
    local roster = rosters.new()
    for _, item in ipairs { "a", "b", "c" } do roster:add(item) end
    assert.same({ "c", "b", "a" }, listed(roster))
    assert.same({ "a", "b", "c" }, roster:items())
    assert.same({ "c", "a", 3 }, { roster.newest, roster.oldest, roster.count })
  end)

  it("knows what is in it, the only one too", function()
    local roster = rosters.new()
    assert.is_false(roster:has "a")
    roster:add "a"
    assert.is_true(roster:has "a")
    roster:remove "a"
    assert.is_false(roster:has "a")
    assert.same({}, listed(roster))
    assert.same({ 0 }, { roster.count, roster.newest, roster.oldest })
  end)

  it("lets go of what is in front, in the middle and at the end; of what is not in it, nothing", function()
    for _, case in ipairs { { "a", "c", "b" }, { "b", "c", "a" }, { "c", "b", "a" }, { "d", "c", "b", "a" } } do
      local roster = rosters.new()
      for _, item in ipairs { "a", "b", "c" } do roster:add(item) end
      roster:remove(case[1])
      assert.same({ table.unpack(case, 2) }, listed(roster))
      assert.equal(#case - 1, roster.count)
    end
  end)

  it("stays in order whatever comes and goes", function()
    local roster, plain, dice = rosters.new(), {}, random.new(4)
    for i = 1, 2000 do
      if #plain > 0 and dice:integer(2) == 1 then
        roster:remove(table.remove(plain, dice:integer(#plain)))
      else
        roster:add(i)
        plain[#plain + 1] = i
      end
      assert.equal(#plain, roster.count)
    end
    assert.same(plain, roster:items())
    local newest = listed(roster)
    for i, item in ipairs(plain) do assert.equal(item, newest[#plain + 1 - i]) end
  end)
end)
