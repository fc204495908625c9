--- The retry budget of a run: it keeps a fan-out from becoming a storm (SPEC 10).
-- All attempts of a run stay within 1.2 x calls + 3; two of the retries are the chair's. A call is one request to
-- one model: a fallback's first try is a call of its own, as it adds nothing to the load of the model that failed.
local rounds = require "curia.language.rounds"

local M = {}

local FACTOR, SPARE, CHAIRS = 1.2, 3, 2

---@class curia.RetryBudget
---@field calls integer calls begun
---@field attempts integer tries begun
---@field plan curia.Plan
local Budget = {}
Budget.__index = Budget

--- @param plan curia.Plan
---@return curia.RetryBudget
function M.new(plan)
  return setmetatable({ calls = 0, attempts = 0, plan = plan }, Budget)
end

-- The calls that the plan's rounds make, the chair's included; a free run's are not known but for the chair's.
local function planned_calls(plan)
  if plan.run then return plan.chair and 1 or 0 end
  local count = 0
  for _, round in ipairs(plan.rounds) do
    local _, most = rounds.calls(round, plan)
    count = count + most
  end
  return count
end

-- What members must leave: the chair finds its retries untouched, but calls still to come bring their share.
local function reserved(budget)
  local plan = budget.plan
  if not plan.chair then return 0 end
  local to_come = math.max(planned_calls(plan) - budget.calls, 1)
  return math.max(0, CHAIRS - (FACTOR - 1) * to_come)
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
  local limit = FACTOR * self.calls + SPARE - (is_chair and 0 or reserved(self))
  if self.attempts + 1 > limit then return false end
  self.attempts = self.attempts + 1
  return true
end

return M
