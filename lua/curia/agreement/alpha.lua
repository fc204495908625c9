--- Krippendorff's alpha: how far several judges agree beyond chance.
--
-- Krippendorff, Computing Krippendorff's Alpha-Reliability (2011): 1 - Do / De, the observed disagreement over that
-- expected by chance, with any number of judges, and values that are missing. 1 is perfect agreement, 0 what chance
-- gives, below 0 systematic disagreement.
local M = {}

--- What the values are: names, places in an order, or numbers whose differences count.
M.LEVELS = { "nominal", "ordinal", "interval" }

-- Values that share a unit with none cannot be paired and are left out.
local function pairable(units)
  local kept, counts, total = {}, {}, 0
  for _, unit in ipairs(units) do
    local values = {}
    for _, value in pairs(unit) do values[#values + 1] = value end
    if #values > 1 then
      kept[#kept + 1], total = values, total + #values
      for _, value in ipairs(values) do counts[value] = (counts[value] or 0) + 1 end
    end
  end
  return kept, counts, total
end

local function squared(x, y)
  return (x - y) ^ 2
end

local function differs(x, y)
  return x ~= y and 1 or 0
end

-- The ordinal difference of two values is the number of values between their middles: the difference of mid-ranks.
local function mid_ranks(counts)
  local values, ranks, below = {}, {}, 0
  for value in pairs(counts) do values[#values + 1] = value end
  table.sort(values)
  for _, value in ipairs(values) do
    ranks[value] = below + counts[value] / 2
    below = below + counts[value]
  end
  return ranks
end

local function difference_of(level, counts)
  if level == "nominal" then return differs end
  if level == "interval" then return squared end
  local ranks = mid_ranks(counts)
  return function(x, y) return squared(ranks[x], ranks[y]) end
end

local function observed(units, difference)
  local sum = 0
  for _, values in ipairs(units) do
    for i = 1, #values do
      for j = i + 1, #values do sum = sum + 2 * difference(values[i], values[j]) / (#values - 1) end
    end
  end
  return sum
end

local function expected(counts, total, difference)
  local sum = 0
  for x, times in pairs(counts) do
    for y, others in pairs(counts) do sum = sum + times * others * difference(x, y) end
  end
  return sum / (total - 1)
end

--- Alpha of units that several judges have given values.
---@param units table<string, any>[] for each unit the judges' values, by judge; numbers unless nominal
---@param level? "nominal"|"ordinal"|"interval" nominal without it
---@return number? alpha nil where it says nothing: fewer than two units with two values, or one value for all
function M.alpha(units, level)
  local kept, counts, total = pairable(units)
  if #kept < 2 then return nil end
  local difference = difference_of(level or "nominal", counts)
  local by_chance = expected(counts, total, difference)
  if by_chance == 0 then return nil end
  return 1 - observed(kept, difference) / by_chance
end

return M
