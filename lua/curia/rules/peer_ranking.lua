--- Peer ranking: each judge orders the answers of the others.
--
-- A judge that ranks k answers gives the one in place p the share (k - p) / (k - 1) of a point (1 for
-- a sole answer): Borda's count (1784), scaled so that judges who may not rank themselves weigh the
-- same. An option's score is its mean over the judges that ranked it; ties go to the better mean
-- position, then to the lesser id.
local json = require "curia.json"

local function points(place, count)
  return count == 1 and 1 or (count - place) / (count - 1)
end

local function readable(ballot, options)
  if ballot.discarded then return nil, ballot.discarded end
  if type(ballot.ordering) ~= "table" or #ballot.ordering == 0 then return nil, "no ordering" end
  local seen = {}
  for _, id in ipairs(ballot.ordering) do
    if options and not options[id] then return nil, "ranks an unknown option: " .. tostring(id) end
    if seen[id] then return nil, "ranks an option twice: " .. tostring(id) end
    seen[id] = true
  end
  return true
end

local function tally(ballot, sums)
  local count = #ballot.ordering
  for place, id in ipairs(ballot.ordering) do
    local sum = sums[id] or { points = 0, positions = 0, judges = 0 }
    sum.points = sum.points + points(place, count)
    sum.positions = sum.positions + place
    sum.judges = sum.judges + 1
    sums[id] = sum
  end
end

local function split(ballots, options)
  local used, discarded = json.array(), json.array()
  for _, ballot in ipairs(ballots) do
    local good, reason = readable(ballot, options)
    if good then used[#used + 1] = ballot
    else discarded[#discarded + 1] = { voter = ballot.voter, reason = reason } end
  end
  return used, discarded
end

local function rank(sums)
  local ranking, scores, positions, judges = json.array(), {}, {}, {}
  for id, sum in pairs(sums) do
    ranking[#ranking + 1] = id
    scores[id] = sum.points / sum.judges
    positions[id] = sum.positions / sum.judges
    judges[id] = sum.judges
  end
  table.sort(ranking, function(a, b)
    if scores[a] ~= scores[b] then return scores[a] > scores[b] end
    if positions[a] ~= positions[b] then return positions[a] < positions[b] end
    return a < b
  end)
  return ranking, scores, positions, judges
end

---@param ballots curia.Ballot[] with `ordering`, best first
---@param opts {options?: string[], label_to_id?: table} `options`: what may be ranked
---@return curia.Decision
return function(ballots, opts)
  local options
  if opts.options then
    options = {}
    for _, id in ipairs(opts.options) do options[id] = true end
  end
  local used, discarded = split(ballots, options)
  local sums = {}
  for _, ballot in ipairs(used) do tally(ballot, sums) end
  local ranking, scores, positions, judges = rank(sums)
  local first, second = ranking[1], ranking[2]
  return {
    rule = "peer_ranking", winner = first, ranking = ranking, scores = scores,
    margin = first and scores[first] - (second and scores[second] or 0) or 0,
    tie = second ~= nil and scores[first] == scores[second] and positions[first] == positions[second],
    ballots_used = used, discarded = discarded, effective_voters = #used,
    detail = { avg_position = positions, judges = judges, label_to_id = opts.label_to_id },
  }
end
