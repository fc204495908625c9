--- From a count to a decision: order, tie, margin.
local json = require "curia.json"

local M = {}

-- Sums of floats differ in their last bits with the order of the voters; what is nearer than this is equal.
local GRID = 1e9

--- A number without the last bits, in which sums of the same terms may differ.
---@param value number
---@return number
function M.rounded(value)
  if math.type(value) == "integer" then return value end
  return math.floor(value * GRID + 0.5) / GRID
end

local function rounded_values(values)
  local keys = {}
  for id, value in pairs(values) do keys[id] = M.rounded(value) end
  return keys
end

--- An order by numbers, the greater before the lesser.
---@param first table<string, number>
---@param second? table<string, number> decides between those that are equal in the first
---@return fun(a: string, b: string): number compare positive when a is better, 0 when they are equal
function M.greater(first, second)
  first = rounded_values(first)
  if not second then return function(a, b) return first[a] - first[b] end end
  second = rounded_values(second)
  return function(a, b)
    local difference = first[a] - first[b]
    return difference ~= 0 and difference or second[a] - second[b]
  end
end

--- A lead as a share of the largest that there can be, within 0..1.
---@param lead number
---@param most number the largest lead there can be
---@return number
function M.share(lead, most)
  if most <= 0 then return 0 end
  return math.max(0, math.min(1, lead / most))
end

--- Sorts options, the better first, equal ones by id.
---@param options string[]
---@param compare fun(a: string, b: string): number
---@return string[] options
function M.sort(options, compare)
  table.sort(options, function(a, b)
    local difference = compare(a, b)
    if difference ~= 0 then return difference > 0 end
    return a < b
  end)
  return options
end

local function ranked(scores, compare)
  local ranking = json.array()
  for id in pairs(scores) do ranking[#ranking + 1] = id end
  return M.sort(ranking, compare)
end

-- The options that none is better than, by id.
local function heads(ranking, compare)
  local list = json.array()
  for _, id in ipairs(ranking) do
    if compare(ranking[1], id) > 0 then break end
    list[#list + 1] = id
  end
  return list
end

local function to_front(ranking, id)
  for i = 2, #ranking do
    if ranking[i] == id then return table.insert(ranking, 1, table.remove(ranking, i)) end
  end
end

-- Kish, Survey Sampling (1965), 11.7: as many equal voters would be as telling as these unequal ones.
local function effective_voters(weights)
  local sum, squares = 0.0, 0.0
  for i = 1, #weights do
    local weight = weights[i] + 0.0
    sum, squares = sum + weight, squares + weight * weight
  end
  local voters = squares > 0 and sum * sum / squares or 0
  return math.tointeger(voters) or voters
end

local function margin_of(count, ranking, tied)
  if #tied > 1 or #ranking == 0 then return 0 end
  if #ranking == 1 then return 1 end
  return count.margin(ranking[1], ranking[2])
end

---@class curia.Count
---@field scores table<string, number> of the options that are ranked
---@field margin fun(first: string, second: string): number the lead of the first, 0..1
---@field compare? fun(a: string, b: string): number positive when a is better, 0 when they are equal; a weak order;
--- by default the greater score is better
---@field heads? string[] those that may win, sorted: none where a rule asks for more than to be first; by default
--- those that none is better than
---@field weights? number[] of the voters, where a rule counts others than the ballots'
---@field detail? table what explains the count

--- The decision without a winner when no voter says anything.
---@param name string
---@param electorate curia.Electorate
---@param detail table
---@return curia.Decision
function M.none(name, electorate, detail)
  return {
    rule = name, ranking = json.array(), scores = {}, margin = 0, tie = false, ballots_used = electorate.used,
    discarded = electorate.discarded, effective_voters = 0, detail = detail,
  }
end

--- The decision that a count comes to.
---@param name string of the rule
---@param electorate curia.Electorate
---@param count curia.Count
---@param pick fun(tied: string[]): string?, string breaks a tie and says how
---@param detail table
---@return curia.Decision
function M.make(name, electorate, count, pick, detail)
  local compare = count.compare or M.greater(count.scores)
  local ranking = ranked(count.scores, compare)
  local tied = count.heads or heads(ranking, compare)
  local winner = tied[1]
  if #tied > 1 then winner, detail.tie_break = pick(tied) end
  if winner then to_front(ranking, winner) end
  return {
    rule = name, winner = winner, ranking = ranking, scores = count.scores,
    margin = margin_of(count, ranking, tied), tie = #tied > 1, tied = #tied > 1 and tied or nil,
    ballots_used = electorate.used, discarded = electorate.discarded,
    effective_voters = effective_voters(count.weights or electorate.weights), detail = detail,
  }
end

return M
