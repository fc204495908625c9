local bulk = require "curia.store.bulk"

local insert = bulk.insert { into = "t", columns = { "a", "b" }, tail = " ON CONFLICT DO NOTHING" }

local function rows(count)
  local made = {}
  for i = 1, count do made[i] = { i } end
  return made
end

describe("an insertion of rows", function()
  it("is one statement for all of them", function()
    local unit = { { "SELECT 1" } }
    insert(unit, { { 1, nil }, { nil, 2 } })
    assert.same({
      { "SELECT 1" },
      { "INSERT INTO t (a, b) VALUES (?, ?), (?, ?) ON CONFLICT DO NOTHING", n = 2, rows = { { 1 }, { nil, 2 } } },
    }, unit)
  end)

  it("is none for none, and several for more than a statement takes", function()
    local unit = {}
    insert(unit, {})
    assert.same({}, unit)
    insert(unit, rows(150))
    assert.same({ 64, 64, 22 }, { #unit[1].rows, #unit[2].rows, #unit[3].rows })
    assert.same({ 65, 150 }, { unit[2].rows[1][1], unit[3].rows[22][1] })
    assert.equal(unit[1][1], unit[2][1])
  end)
end)
