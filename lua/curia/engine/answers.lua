--- Finds answers and decisions among the rounds of a run.
local M = {}

--- The last decision.
---@param rounds curia.RoundResult[]
---@return table? decision
---@return integer? idx the round that took it
function M.last_decision(rounds)
  for i = #rounds, 1, -1 do
    if rounds[i].decision then return rounds[i].decision, i end
  end
end

--- The last answer that a member gave before round `idx`: the one that was judged. Ballots are none, nor critiques.
---@param rounds curia.RoundResult[]
---@param id string
---@param idx? integer the first round that does not count any more
---@return table? response
function M.of_member(rounds, id, idx)
  for i = (idx or #rounds + 1) - 1, 1, -1 do
    local round = rounds[i]
    local result = round.results[id]
    local texts = round.metadata.texts
    local is_answer = texts == "answers" or not (round.decision or texts)
    if is_answer and result and result.status == "ok" then return result.response end
  end
end

return M
