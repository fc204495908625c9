--- Options two by two: by how many voters each is preferred to each.
--
-- Whoever is not ranked stands below all that are, beside the others that are not (Schulze 2011, section 2.1).
local decision = require "curia.rules.support.decision"

local M = {}

-- Ten counters of six bits share an integer: adding the set of the options that stand below an option counts ten
-- duels at once. A counter is full after 63 ballots; then they are moved to the table.
local LANE, PER_WORD, MOST = 6, 10, 63

local function zeros(options)
  local duels = {}
  for _, a in ipairs(options) do
    local row = {}
    for _, b in ipairs(options) do row[b] = b ~= a and 0 or nil end
    duels[a] = row
  end
  return duels
end

-- The lanes of the options from `from` on; those of all others are 0.
local function word(options, from)
  local unit, all = {}, 0
  for _, id in ipairs(options) do unit[id] = 0 end
  for i = from, math.min(from + PER_WORD - 1, #options) do
    unit[options[i]] = 1 << LANE * (i - from)
    all = all | unit[options[i]]
  end
  return { unit = unit, all = all, from = from }
end

local function add(sums, unit, below, ordering)
  for i = 1, #ordering do
    local id = ordering[i]
    below = below - unit[id]
    sums[id] = sums[id] + below
  end
end

local function move(sums, weight, part, options, duels)
  local from, last = part.from, math.min(part.from + PER_WORD - 1, #options)
  for _, id in ipairs(options) do
    local packed, row = sums[id], duels[id]
    sums[id] = 0
    for i = from, packed ~= 0 and last or 0 do
      local voters = packed >> LANE * (i - from) & MOST
      if voters > 0 then row[options[i]] = row[options[i]] + voters * weight end
    end
  end
end

-- Neighbours of one weight are counted together.
local function count(electorate, part, duels)
  local options, votes, weights, sums = electorate.options, electorate.votes, electorate.weights, {}
  for _, id in ipairs(options) do sums[id] = 0 end
  local weight, voters = weights[1], 0
  for i = 1, #votes do
    if voters == MOST or weights[i] ~= weight then
      move(sums, weight, part, options, duels)
      weight, voters = weights[i], 0
    end
    add(sums, part.unit, part.all, votes[i])
    voters = voters + 1
  end
  move(sums, weight, part, options, duels)
end

-- So that those with equal votes tie, in whatever order the votes were added.
local function round(duels)
  for _, row in pairs(duels) do
    for id, votes in pairs(row) do row[id] = decision.rounded(votes) end
  end
end

--- Counts all duels.
---@param electorate curia.Electorate of orderings
---@return table<string, table<string, number>> duels `duels[a][b]`: the weight of those who prefer a to b
function M.count(electorate)
  local duels = zeros(electorate.options)
  for from = 1, #electorate.options, PER_WORD do count(electorate, word(electorate.options, from), duels) end
  if math.type(electorate.total) == "float" then round(duels) end
  return duels
end

--- Copeland's score: 1 for a duel won, 1/2 for one that is tied.
---@param duels table<string, table<string, number>>
---@return table<string, number>
function M.copeland(duels)
  local scores = {}
  for a, row in pairs(duels) do
    local score = 0
    for b, votes in pairs(row) do
      local against = duels[b][a]
      score = score + (votes > against and 1 or votes == against and 0.5 or 0)
    end
    scores[a] = score
  end
  return scores
end

return M
