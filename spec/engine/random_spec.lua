local random = require "curia.engine.random"

describe("the run's random numbers", function()
  it("are those of xoshiro256**", function()
    -- The generator's own test vector, for the state 1, 2, 3, 4.
    local r = random.new(0)
    r[1], r[2], r[3], r[4] = 1, 2, 3, 4
    local bits = {}
    for i = 1, 4 do bits[i] = r:bits() end
    assert.same({ 11520, 0, 1509978240, 1215971899390074240 }, bits)
  end)

  it("are seeded by splitmix64", function()
    local r = random.new(1234567)
    assert.same({ 6457827717110365317, 3203168211198807973 }, { r[1], r[2] })
  end)

  it("repeat for a seed, and differ between seeds", function()
    local function first(seed)
      local r = random.new(seed)
      return { r:bits(), r:bits(), r:bits() }
    end
    assert.same(first(1), first(1))
    assert.not_same(first(1), first(2))
    assert.not_same(first(1), first(~1))
  end)

  it("lie in [0, 1), and in 1..n, evenly", function()
    local r, counts = random.new(7), { 0, 0, 0, 0, 0, 0 }
    for _ = 1, 60000 do
      local number = r:number()
      assert(number >= 0 and number < 1)
      local face = r:integer(6)
      counts[face] = counts[face] + 1
    end
    for _, count in ipairs(counts) do assert.is_true(count > 9500 and count < 10500) end
    for _ = 1, 10 do assert.equal(1, r:integer(1)) end
  end)
end)
