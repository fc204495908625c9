--- Schulze's method (2011): an option is better than another if the strongest path from it to the other is
-- stronger than the strongest path back.
--
-- A path is a chain of duels won; its strength is the fewest winning votes on it (Schulze, A new monotonic,
-- clone-independent, reversal symmetric, and Condorcet-consistent single-winner election method, Social Choice and
-- Welfare 36). The options that none is better than may win; a score is the number of options that one is better than.
-- Unranked options stand below all ranked ones, beside each other (section 2.1). Margin: the difference of the two
-- paths between the first and the second as a share of all votes.
local decision = require "curia.rules.support.decision"
local duels = require "curia.rules.support.duels"
local json = require "curia.json"
local rule = require "curia.rules.support.rule"

local function links(votes, options)
  local paths = {}
  for _, a in ipairs(options) do
    local row = {}
    for b, support in pairs(votes[a]) do row[b] = support > votes[b][a] and support or 0 end
    paths[a] = row
  end
  return paths
end

-- Floyd and Warshall's algorithm with (min, max), section 2.3.
local function widen(row, through, via)
  local first = row[via]
  for id, strength in pairs(row) do
    local second = through[id] or 0
    local whole = first < second and first or second
    if whole > strength then row[id] = whole end
  end
end

local function strongest_paths(votes, options)
  local paths = links(votes, options)
  for _, via in ipairs(options) do
    local through = paths[via]
    for _, from in ipairs(options) do
      if from ~= via and paths[from][via] > 0 then widen(paths[from], through, via) end
    end
  end
  return paths
end

local function compare(paths, options)
  local wins, unbeaten = {}, json.array()
  for _, a in ipairs(options) do
    local won, lost = 0, 0
    for b, strength in pairs(paths[a]) do
      local back = paths[b][a]
      if strength > back then won = won + 1 elseif strength < back then lost = lost + 1 end
    end
    wins[a] = won
    if lost == 0 then unbeaten[#unbeaten + 1] = a end
  end
  return wins, unbeaten
end

return rule.new {
  name = "schulze",
  reads = "ordering",
  count = function(electorate)
    local votes = duels.count(electorate)
    local paths = strongest_paths(votes, electorate.options)
    local wins, unbeaten = compare(paths, electorate.options)
    return {
      scores = wins, heads = unbeaten, detail = { duels = votes, paths = paths },
      margin = function(first, second)
        return decision.share(paths[first][second] - paths[second][first], electorate.total)
      end,
    }
  end,
}
