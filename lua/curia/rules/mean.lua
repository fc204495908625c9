--- Mean score, also known as range voting (Smith 2000): the option with the highest mean of its scores wins.
--
-- A score that a voter does not give is no opinion: the mean is over those who gave one, and an option that nobody
-- scored is not ranked. `normalise` takes away that reviewers use a scale differently: "range" maps each voter's
-- least score to 0 and its greatest to 1, "standard" counts in standard deviations from the voter's own mean; a voter
-- with one score for all gives 0.5, or 0. Margin: the difference of the means as a share of the distance between the
-- ends of the scale: `scale`, else the least and the greatest score that was counted.
local decision = require "curia.rules.support.decision"
local rule = require "curia.rules.support.rule"

local function extent(scores)
  local least, greatest = math.huge, -math.huge
  for _, score in pairs(scores) do
    if score < least then least = score end
    if score > greatest then greatest = score end
  end
  return least, greatest
end

local function by_range(scores)
  local least, greatest = extent(scores)
  if least == greatest then return 0, 0.5 end
  return 1 / (greatest - least), -least / (greatest - least)
end

local function by_deviation(scores)
  local count, sum, squares = 0, 0, 0
  for _, score in pairs(scores) do count, sum = count + 1, sum + score end
  local mean = sum / count
  for _, score in pairs(scores) do squares = squares + (score - mean) ^ 2 end
  local deviation = math.sqrt(squares / count)
  if decision.rounded(deviation) == 0 then return 0, 0 end
  return 1 / deviation, -mean / deviation
end

-- How a voter's scores are counted: times a factor, plus an offset. Floats, as products of integers might wrap around.
local NORMALISE = { none = function() return 1.0, 0.0 end, range = by_range, standard = by_deviation }

local function terms_of(votes, normalise)
  local factors, offsets = {}, {}
  for i, scores in ipairs(votes) do factors[i], offsets[i] = normalise(scores) end
  return factors, offsets
end

local function sum_up(electorate, normalise)
  local votes, weights, means, counted = electorate.votes, electorate.weights, {}, {}
  local factors, offsets = terms_of(votes, normalise)
  local least, greatest = math.huge, -math.huge
  for _, id in ipairs(electorate.options) do
    local sum, total = 0, 0
    for i = 1, #votes do
      local score, weight = votes[i][id], weights[i]
      if score and weight > 0 then
        score = score * factors[i] + offsets[i]
        if score < least then least = score end
        if score > greatest then greatest = score end
        sum, total = sum + weight * score, total + weight
      end
    end
    if total > 0 then means[id], counted[id] = sum / total, total end
  end
  return means, counted, greatest - least
end

return rule.new {
  name = "mean",
  reads = "scores",
  options = {
    normalise = { type = "string", enum = { "none", "range", "standard" }, default = "none",
      doc = "makes the scores of each voter comparable" },
    scale = { type = "record", doc = "the least and the greatest score that can be given",
      fields = { least = { type = "number", required = true }, greatest = { type = "number", required = true } } },
  },
  count = function(electorate, opts)
    local means, weights, span = sum_up(electorate, NORMALISE[opts.normalise])
    local scale = opts.normalise == "none" and opts.scale
    if scale then span = scale.greatest - scale.least end
    return {
      scores = means, detail = { weights = weights, normalise = opts.normalise },
      margin = function(first, second) return decision.share(means[first] - means[second], span) end,
    }
  end,
}
