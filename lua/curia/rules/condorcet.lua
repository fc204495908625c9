--- Condorcet's criterion (1785): the option that wins its duel with every other wins; where there is none,
-- `winner` is nil and `detail.cycle` shows why.
--
-- The cycle names options each of which beats the next, or ties with it where nothing beats it, and the last the
-- first: {"a", "b", "c"} reads a over b over c over a. That is no tie to be broken. The ranking is by Copeland's score;
-- unranked options as in copeland. Margin: the winner's narrowest duel, its lead as a share of all votes; 0 without
-- a winner.
local decision = require "curia.rules.support.decision"
local duels = require "curia.rules.support.duels"
local json = require "curia.json"
local rule = require "curia.rules.support.rule"

-- The one that beats an option by most, else the first that ties with it; nil for the Condorcet winner.
local function bane(votes, options, id)
  local found, most
  for _, other in ipairs(options) do
    local lead = other ~= id and votes[other][id] - votes[id][other]
    if lead and lead >= 0 and (not most or lead > most) then found, most = other, lead end
  end
  return found
end

-- Follows what stands in each option's way until an option comes back: something does when no option wins.
local function cycle_of(votes, options)
  local path, place, id = {}, {}, options[1]
  while not place[id] do
    path[#path + 1], place[id] = id, #path + 1
    id = bane(votes, options, id)
  end
  local cycle = json.array()
  for i = #path, place[id], -1 do cycle[#cycle + 1] = path[i] end
  return cycle
end

local function winner_of(votes, options)
  for _, id in ipairs(options) do
    if not bane(votes, options, id) then return id end
  end
end

local function narrowest(votes, winner)
  local least = math.huge
  for other, support in pairs(votes[winner]) do least = math.min(least, support - votes[other][winner]) end
  return least
end

return rule.new {
  name = "condorcet",
  reads = "ordering",
  count = function(electorate)
    local options, votes = electorate.options, duels.count(electorate)
    local winner = winner_of(votes, options)
    return {
      scores = duels.copeland(votes), heads = { winner },
      margin = function()
        return winner and decision.share(narrowest(votes, winner), electorate.total) or 0
      end,
      detail = { duels = votes, cycle = not winner and cycle_of(votes, options) or nil },
    }
  end,
}
