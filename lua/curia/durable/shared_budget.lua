--- What a durable run may use of a budget that it shares with others: it is asked for outside of the run, as another
-- run's spending is no matter of this one's record, and the answer is recorded.
--
-- A process that takes the run up counts what is on record as spent of the budget that it knows itself.
local M = {}

-- What was claimed and not handed in is given back: whoever asked has been cut short.
local Held = {
  __close = function(held)
    if held.claim and not held.taken then held.claim:give_back() end
    held.closed = true
  end,
}

local function perform(held, budget, model, request)
  local claim, refused = budget:claim(model, request, false)
  if claim and held.closed then claim:give_back() else held.claim = claim end
  return { error = refused }
end

--- Claims what an attempt may use, as `claim` of a budget.
---@async
---@param journal curia.Journal
---@param budget curia.Budget the shared one
---@param model table
---@param request table
---@return curia.Claim?
---@return curia.Error? err kind `budget`
function M.claim(journal, budget, model, request)
  local held <close> = setmetatable({}, Held)
  local outcome = journal:effect {
    path = "budget", kind = "budget", input = {}, perform = function() return perform(held, budget, model, request) end,
  }
  if outcome.error then return nil, outcome.error end
  held.taken = true
  return held.claim or budget:take(model, request)
end

return M
