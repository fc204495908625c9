local isotonic = require "curia.isotonic"
local random = require "curia.engine.random"

local function points(xs, ys)
  local made = {}
  for i, x in ipairs(xs) do made[i] = { x = x, y = ys[i] } end
  return made
end

local function fitted(xs, ys)
  local steps, values = isotonic.fit(points(xs, ys)), {}
  for i, x in ipairs(xs) do values[i] = isotonic.at(steps, x) end
  return values
end

-- The min-max formula of isotonic regression (Robertson, Wright, Dykstra 1988): max over i <= k of min over j >= k of the
-- mean of the points i..j.
local function by_formula(xs, ys)
  local order, values = {}, {}
  for i in ipairs(xs) do order[i] = i end
  table.sort(order, function(a, b) return xs[a] < xs[b] end)
  local function mean(low, high)
    local sum, count = 0, 0
    for i, x in ipairs(xs) do
      if x >= low and x <= high then sum, count = sum + ys[i], count + 1 end
    end
    return sum / count
  end
  for k, x in ipairs(xs) do
    local best = -math.huge
    for _, i in ipairs(order) do
      if xs[i] <= x then
        local least = math.huge
        for _, j in ipairs(order) do
          if xs[j] >= x then least = math.min(least, mean(xs[i], xs[j])) end
        end
        best = math.max(best, least)
      end
    end
    values[k] = best
  end
  return values
end

describe("isotonic regression", function()
  it("pools adjacent violators, as computed by hand", function()
    assert.same({ 1, 2, 3 }, fitted({ 1, 2, 3 }, { 1, 2, 3 }))
    assert.same({ 2, 2, 2 }, fitted({ 1, 2, 3 }, { 3, 2, 1 }))
    assert.same({ 1, 2.5, 2.5, 4 }, fitted({ 1, 2, 3, 4 }, { 1, 3, 2, 4 }))
    assert.same({ 0, 0.5, 0.5, 1 }, fitted({ 0.1, 0.2, 0.3, 0.4 }, { 0, 1, 0, 1 }))
    assert.same({ 1, 7 / 3, 7 / 3, 7 / 3, 4 }, fitted({ 1, 2, 3, 4, 5 }, { 1, 3, 3, 1, 4 }))
    assert.same({ 2, 1 }, { #isotonic.fit(points({ 1, 2 }, { 0, 1 })), #isotonic.fit(points({ 1, 2 }, { 1, 0 })) })
  end)

  it("takes points in any order, and several at one place as their mean", function()
    assert.same({ 3, 1, 2 }, fitted({ 3, 1, 2 }, { 3, 1, 2 }))
    assert.same({ 0.5, 0.5, 1 }, fitted({ 1, 1, 2 }, { 0, 1, 1 }))
    local steps = isotonic.fit(points({ 1, 1, 1, 2 }, { 1, 1, 1, 0 }))
    assert.same({ { first = 1, last = 2, y = 0.75 } }, steps)
  end)

  it("is straight between steps and flat beyond the ends", function()
    local steps = isotonic.fit(points({ 0.2, 0.6 }, { 0, 1 }))
    assert.equal(0, isotonic.at(steps, 0))
    assert.equal(1, isotonic.at(steps, 0.9))
    assert.is_true(math.abs(isotonic.at(steps, 0.3) - 0.25) < 1e-12)
    assert.equal(0.4, isotonic.at(isotonic.fit(points({ 0.5 }, { 0.4 })), 0.7))
  end)

  it("agrees with the min-max formula on random points", function()
    local dice = random.new(7)
    for _ = 1, 200 do
      local xs, ys = {}, {}
      for i = 1, dice:integer(12) do xs[i], ys[i] = dice:integer(8) / 8, dice:integer(5) - 1 end
      local expected = by_formula(xs, ys)
      for i, value in ipairs(fitted(xs, ys)) do assert.is_true(math.abs(value - expected[i]) < 1e-9) end
    end
  end)

  it("leaves the points as they were", function()
    local given = points({ 2, 1 }, { 0, 1 })
    isotonic.fit(given)
    assert.same({ { x = 2, y = 0 }, { x = 1, y = 1 } }, given)
  end)
end)
