--- Majority judgment (Balinski and Laraki 2011, Majority Judgment: Measuring, Ranking, and Electing).
--
-- Voters grade the options; the one with the best median grade, the lower one of two in the middle, wins. Options of
-- one majority-grade are told apart by taking a voter with that grade out of each, and again, until the medians
-- differ (chapter 1 of the book). An option that a voter does not grade is rejected by it: it gets the worst grade.
--
-- Taking medians out one by one goes outwards from the middle of a distribution, first one step down, then one up;
-- with weights the steps become a distance. Margin: the difference of the first two grades that differ on that
-- way, as a share of the scale, times the share of the voters that were not yet taken out. A score is the place of
-- the majority-grade on the scale, from 1 for the worst.
local decision = require "curia.rules.support.decision"
local rule = require "curia.rules.support.rule"

-- The weight of an option's grades, by place on the scale.
local function distribution(electorate, id, places, count)
  local votes, weights, row = electorate.votes, electorate.weights, {}
  for place = 1, count do row[place] = 0 end
  for i = 1, #votes do
    local place = places[votes[i][id]] or 1
    row[place] = row[place] + weights[i]
  end
  return row
end

-- At each place the weight of this grade and all worse ones, twice, so that the middle is the total.
local function cumulative(row)
  local sums, sum = {}, 0
  for place, weight in ipairs(row) do
    sum = sum + 2 * weight
    sums[place] = decision.rounded(sum)
  end
  return sums
end

local function place_at(sums, position)
  for place = 1, #sums do
    if position < sums[place] then return place end
  end
  return #sums
end

-- The next distance from the middle at which a distribution takes another grade.
local function next_step(sums, middle, distance, nearest)
  for place = 1, #sums do
    local step = decision.rounded(math.abs(middle - sums[place]))
    if step > distance and step < nearest then nearest = step end
  end
  return nearest
end

-- The grades of two options where their medians first differ, and how far from the middle; nil if they never do.
local function difference(a, b, middle)
  local distance = 0
  while distance < middle do
    local step = next_step(b, middle, distance, next_step(a, middle, distance, middle))
    local between = (distance + step) / 2
    local one, other = place_at(a, middle - between), place_at(b, middle - between)
    if one ~= other then return one, other, distance end
    one, other = place_at(a, middle + between), place_at(b, middle + between)
    if one ~= other then return one, other, distance end
    distance = step
  end
end

-- The gauge of the book: the majority-grade with the shares of the voters above and below it.
local function gauges(sums_of, scores, grades, middle)
  local made = {}
  for id, sums in pairs(sums_of) do
    local place = scores[id]
    made[id] = {
      grade = grades[place], above = decision.share(2 * middle - sums[place], 2 * middle),
      below = decision.share(sums[place - 1] or 0, 2 * middle),
    }
  end
  return made
end

local function tally(electorate, grades)
  local places, sums_of, scores, middle = {}, {}, {}, decision.rounded(electorate.total)
  for place, grade in ipairs(grades) do places[grade] = place end
  for _, id in ipairs(electorate.options) do
    local sums = cumulative(distribution(electorate, id, places, #grades))
    -- The lower of two in the middle: the first grade that reaches half of the voters.
    for place = #sums, 1, -1 do
      if sums[place] >= middle then scores[id] = place end
    end
    sums_of[id] = sums
  end
  return sums_of, scores, middle
end

return rule.new {
  name = "majority_judgment",
  reads = "grades",
  options = {
    grades = { type = "list", items = { type = "string" }, nonempty = true, doc = "the scale, the worst first",
      default = { "reject", "poor", "acceptable", "good", "very good", "excellent" } },
  },
  count = function(electorate, opts)
    local grades = opts.grades
    local sums_of, scores, middle = tally(electorate, grades)
    local function compare(a, b)
      if scores[a] ~= scores[b] then return scores[a] - scores[b] end
      local one, other = difference(sums_of[a], sums_of[b], middle)
      return one and one - other or 0
    end
    return {
      scores = scores, compare = compare,
      detail = { gauges = gauges(sums_of, scores, grades, middle), grades = grades },
      margin = function(first, second)
        local one, other, distance = difference(sums_of[first], sums_of[second], middle)
        return one and decision.share((one - other) * (middle - distance), (#grades - 1) * middle) or 0
      end,
    }
  end,
}
