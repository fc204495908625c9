--- Adds up votes that go to one option, or to several in full.
local decision = require "curia.rules.support.decision"

local M = {}

--- A table with 0 for each option.
---@param options string[]
---@return table<string, number>
function M.zeros(options)
  local sums = {}
  for _, id in ipairs(options) do sums[id] = 0 end
  return sums
end

--- The weight of the votes for each option.
---@param electorate curia.Electorate of choices
---@return table<string, number>
function M.sums(electorate)
  local sums, weights = M.zeros(electorate.options), electorate.weights
  for i, choice in ipairs(electorate.votes) do sums[choice] = sums[choice] + weights[i] end
  return sums
end

--- A count in which the option with the most votes is first. Margin: the lead as a share of all votes.
---@param sums table<string, number>
---@param total number
---@return curia.Count
function M.count(sums, total)
  return {
    scores = sums,
    margin = function(first, second) return decision.share(sums[first] - sums[second], total) end,
  }
end

--- Those with more than a share of the votes; at most one for a half or more.
---@param sums table<string, number>
---@param least number
---@return string[]
function M.above(sums, least)
  local list = {}
  for id, votes in pairs(sums) do
    if decision.rounded(votes) > decision.rounded(least) then list[#list + 1] = id end
  end
  return list
end

return M
