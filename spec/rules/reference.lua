--- The decision rules once more, as slow and as close to their definitions as can be: what the specs compare with.
--
-- Each function takes ballots, all readable and of weight 1, and the options, and gives the options that may win (in
-- the order of the options) and the scores, where the rule has a score that is worth comparing.
local M = {}

local function keep(list, good)
  local kept = {}
  for _, item in ipairs(list) do
    if good(item) then kept[#kept + 1] = item end
  end
  return kept
end

local function scores_of(options, score)
  local scores = {}
  for _, id in ipairs(options) do scores[id] = score(id) end
  return scores
end

-- Sums here are exact or nearly so: what differs less than this is equal.
local function near(a, b)
  return math.abs(a - b) < 1e-9
end

local function best(options, scores)
  local most = -math.huge
  for _, score in pairs(scores) do most = math.max(most, score) end
  return keep(options, function(id) return scores[id] and near(scores[id], most) end), scores
end

local function count(list, good)
  return #keep(list, good)
end

-- ---- choices --------------------------------------------------------------------------------------

local function votes_for(ballots, id)
  return count(ballots, function(b) return b.choice == id end)
end

function M.plurality(ballots, options)
  return best(options, scores_of(options, function(id) return votes_for(ballots, id) end))
end

function M.majority(ballots, options)
  return keep(options, function(id) return votes_for(ballots, id) * 2 > #ballots end)
end

function M.unanimous(ballots, options)
  return keep(options, function(id) return votes_for(ballots, id) == #ballots end)
end

function M.approval(ballots, options)
  return best(options, scores_of(options, function(id)
    return count(ballots, function(b)
      return count(b.approvals, function(approved) return approved == id end) == 1
    end)
  end))
end

function M.weighted(ballots, options)
  return best(options, scores_of(options, function(id)
    local sum = 0
    for _, b in ipairs(ballots) do sum = sum + (b.choice == id and b.confidence or 0) end
    return sum
  end))
end

-- Takes the outer ones away until one or two are left.
local function median(numbers)
  table.sort(numbers)
  while #numbers > 2 do
    table.remove(numbers)
    table.remove(numbers, 1)
  end
  return numbers[2] and (numbers[1] + numbers[2]) / 2 or numbers[1]
end

function M.median(ballots, options)
  return best(options, scores_of(options, function(id)
    local given = {}
    for _, b in ipairs(ballots) do given[#given + 1] = b.choice == id and b.confidence or nil end
    return median(given)
  end))
end

-- ---- scores and grades ----------------------------------------------------------------------------

function M.mean(ballots, options)
  return best(options, scores_of(options, function(id)
    local scored, sum = keep(ballots, function(b) return b.scores[id] end), 0
    for _, b in ipairs(scored) do sum = sum + b.scores[id] end
    return #scored > 0 and sum / #scored or nil
  end))
end

-- The grades in the order in which they are taken out: always the lower one in the middle.
local function majority_value(places)
  table.sort(places)
  local value = {}
  while #places > 0 do value[#value + 1] = table.remove(places, (#places + 1) // 2) end
  return value
end

local function exceeds(a, b)
  for i = 1, #a do
    if a[i] ~= b[i] then return a[i] > b[i] end
  end
  return false
end

function M.majority_judgment(ballots, options, grades)
  local place, values = {}, {}
  for i, grade in ipairs(grades) do place[grade] = i end
  for _, id in ipairs(options) do
    local places = {}
    for i, b in ipairs(ballots) do places[i] = place[b.grades[id]] or 1 end
    values[id] = majority_value(places)
  end
  return keep(options, function(id)
    return count(options, function(other) return exceeds(values[other], values[id]) end) == 0
  end), scores_of(options, function(id) return values[id][1] end)
end

-- ---- orderings ------------------------------------------------------------------------------------

local function place_of(ballot, id)
  for place, other in ipairs(ballot.ordering) do
    if other == id then return place end
  end
  return math.huge
end

local function support(ballots, a, b)
  return count(ballots, function(ballot) return place_of(ballot, a) < place_of(ballot, b) end)
end

local function others(options, id)
  return keep(options, function(other) return other ~= id end)
end

function M.borda(ballots, options)
  return best(options, scores_of(options, function(id)
    local points = 0
    for _, other in ipairs(others(options, id)) do
      local above, below = support(ballots, id, other), support(ballots, other, id)
      points = points + above + (#ballots - above - below) / 2
    end
    return points
  end))
end

function M.copeland(ballots, options)
  return best(options, scores_of(options, function(id)
    local score = 0
    for _, other in ipairs(others(options, id)) do
      local above, below = support(ballots, id, other), support(ballots, other, id)
      score = score + (above > below and 1 or above == below and 0.5 or 0)
    end
    return score
  end))
end

function M.condorcet(ballots, options)
  return keep(options, function(id)
    return count(others(options, id), function(other)
      return support(ballots, id, other) <= support(ballots, other, id)
    end) == 0
  end)
end

-- All paths, not only the strongest: those that visit no option twice.
local function strength(ballots, options, from, to)
  local function link(a, b)
    local votes = support(ballots, a, b)
    return votes > support(ballots, b, a) and votes or 0
  end
  local strongest = link(from, to)
  for _, via in ipairs(others(others(options, from), to)) do
    local first = link(from, via)
    local rest = first > 0 and strength(ballots, others(options, from), via, to) or 0
    strongest = math.max(strongest, math.min(first, rest))
  end
  return strongest
end

function M.schulze(ballots, options)
  local function beats(a, b)
    return strength(ballots, options, a, b) > strength(ballots, options, b, a)
  end
  return keep(options, function(id)
    return count(others(options, id), function(other) return beats(other, id) end) == 0
  end), scores_of(options, function(id)
    return count(others(options, id), function(other) return beats(id, other) end)
  end)
end

local function firsts(ballots, standing, id)
  return count(ballots, function(ballot)
    return place_of(ballot, id) < math.huge and count(standing, function(other)
      return place_of(ballot, other) < place_of(ballot, id)
    end) == 0
  end)
end

-- One leaves at a time, down to the last; every choice among those with the fewest votes is tried.
local function survivors(ballots, standing, found)
  if #standing == 1 then
    found[standing[1]] = true
    return found
  end
  local fewest = math.huge
  for _, id in ipairs(standing) do fewest = math.min(fewest, firsts(ballots, standing, id)) end
  for _, id in ipairs(standing) do
    if firsts(ballots, standing, id) == fewest then survivors(ballots, others(standing, id), found) end
  end
  return found
end

function M.instant_runoff(ballots, options)
  local found = survivors(ballots, options, {})
  return keep(options, function(id) return found[id] end)
end

function M.knockout(ballots, options)
  local _, points = M.borda(ballots, options)
  local standing = { table.unpack(options) }
  table.sort(standing, function(a, b) return points[a] > points[b] or points[a] == points[b] and a < b end)
  while #standing > 2 do
    local out = {}
    local best_goes_on = #standing % 2
    for i = 1, #standing // 2 do
      local better, worse = standing[best_goes_on + i], standing[#standing + 1 - i]
      local loses = support(ballots, worse, better) > support(ballots, better, worse) and better or worse
      out[loses] = true
    end
    standing = keep(standing, function(id) return not out[id] end)
  end
  return keep(options, function(id)
    return count(standing, function(other) return other == id end) == 1 and count(standing, function(other)
      return support(ballots, other, id) > support(ballots, id, other)
    end) == 0
  end)
end

-- The judges' shares; the mean position tells apart those that are equal.
function M.peer_ranking(ballots, options)
  local shares, positions = {}, {}
  for _, id in ipairs(options) do
    local judges, share, position = 0, 0, 0
    for _, b in ipairs(ballots) do
      local place, ranked = place_of(b, id), #b.ordering
      if place < math.huge then
        judges, position = judges + 1, position + place
        share = share + (ranked == 1 and 1 or (ranked - place) / (ranked - 1))
      end
    end
    if judges > 0 then shares[id], positions[id] = share / judges, -position / judges end
  end
  local leaders, scores = best(options, shares)
  local leading = {}
  for _, id in ipairs(leaders) do leading[id] = positions[id] end
  return best(leaders, leading), scores
end

return M
