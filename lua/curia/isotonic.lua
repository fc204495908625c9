--- Isotonic regression: the non-decreasing curve nearest to given points in the sense of least squares, by pooling
--- adjacent violators (Ayer et al. 1955); to calibrate probabilities: Zadrozny, Elkan 2002. Pure functions.
local M = {}

---@class curia.IsotonicPoint
---@field x number
---@field y number
---@field weight number

-- One point for each x: its mean, and how many there were.
local function distinct(points)
  local sorted, merged = table.move(points, 1, #points, 1, {}), {}
  table.sort(sorted, function(a, b) return a.x < b.x end)
  for _, point in ipairs(sorted) do
    local last = merged[#merged]
    if last and last.x == point.x then
      last.sum, last.weight = last.sum + point.y, last.weight + 1
    else
      merged[#merged + 1] = { x = point.x, sum = point.y, weight = 1 }
    end
  end
  return merged
end

local function mean(block)
  return block.sum / block.weight
end

-- Blocks of neighbours, each with its mean: a new one that lies below the last is pooled with it.
local function pooled(points)
  local blocks = {}
  for _, point in ipairs(points) do
    local block = { sum = point.sum, weight = point.weight, first = point.x, last = point.x }
    while blocks[1] and mean(blocks[#blocks]) >= mean(block) do
      local before = table.remove(blocks)
      block.sum, block.weight, block.first = before.sum + block.sum, before.weight + block.weight, before.first
    end
    blocks[#blocks + 1] = block
  end
  return blocks
end

--- Fits a curve.
---@param points {x: number, y: number}[] in any order, at least one
---@return {first: number, last: number, y: number}[] steps from left to right; y grows strictly
function M.fit(points)
  local steps = {}
  for i, block in ipairs(pooled(distinct(points))) do
    steps[i] = { first = block.first, last = block.last, y = mean(block) }
  end
  return steps
end

local function between(left, right, x)
  return left.y + (right.y - left.y) * (x - left.last) / (right.first - left.last)
end

--- The curve at `x`: flat on the steps and beyond the ends, straight between two steps.
---@param steps {first: number, last: number, y: number}[]
---@param x number
---@return number
function M.at(steps, x)
  for i, step in ipairs(steps) do
    if x < step.first then return i == 1 and step.y or between(steps[i - 1], step, x) end
    if x <= step.last then return step.y end
  end
  return steps[#steps].y
end

return M
