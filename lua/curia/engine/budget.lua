--- The retry budget of a run: it keeps a fan-out from becoming a storm (SPEC 10).
-- All attempts of a run stay within 1.2 x calls + 3; two of the retries are the chair's.
local M = {}

local FACTOR, SPARE, CHAIRS = 1.2, 3, 2

---@class curia.RetryBudget
---@field calls integer calls begun
---@field attempts integer tries begun
local Budget = {}
Budget.__index = Budget

--- @param has_chair boolean
---@return curia.RetryBudget
function M.new(has_chair)
  return setmetatable({ calls = 0, attempts = 0, reserve = has_chair and CHAIRS or 0 }, Budget)
end

--- Counts the first try of a call.
function Budget:call()
  self.calls = self.calls + 1
  self.attempts = self.attempts + 1
end

--- Takes one retry, if there is one left for this caller.
---@param is_chair boolean
---@return boolean
function Budget:retry(is_chair)
  -- The chair's own call, which is still to come, brings its share.
  local limit = is_chair and FACTOR * self.calls + SPARE
    or FACTOR * (self.calls + (self.reserve > 0 and 1 or 0)) + SPARE - self.reserve
      - (self.reserve > 0 and 1 or 0)
  if self.attempts + 1 > limit then return false end
  self.attempts = self.attempts + 1
  return true
end

return M
