--- Votes as they come in: how many each answer has, and which one leads.
local M = {}

---@class curia.Tally
---@field votes string[] in the order in which they came
---@field counts table<string, integer>
---@field leader? string the answer that has the most; of equals, the one that had as many first
---@field best integer votes of the leader
---@field second integer votes of the answer behind it
local Tally = {}
Tally.__index = Tally

--- A tally without votes.
---@return curia.Tally
function M.new()
  return setmetatable({ votes = {}, counts = {}, leader = nil, best = 0, second = 0 }, Tally)
end

--- Counts a vote.
---@param answer string
function Tally:add(answer)
  local count = (self.counts[answer] or 0) + 1
  self.votes[#self.votes + 1], self.counts[answer] = answer, count
  if answer == self.leader then
    self.best = count
  elseif count > self.best then
    self.leader, self.best, self.second = answer, count, self.best
  else
    self.second = math.max(self.second, count)
  end
end

return M
