--- The geometric mean of the probabilities of the answer's tokens, exp(mean(log p)): the inverse of its perplexity, and
--- independent of its length (Jelinek et al. 1977).
local M = { asks = true }

--- Wants log probabilities: the adapters ask for them where the provider and the model have some.
---@param request table
function M.prepare(request)
  request.logprobs = true
end

local function mean_of(logprobs)
  local sum, count = 0, 0
  for _, token in ipairs(logprobs) do
    local value = type(token) == "table" and token.logprob
    if type(value) == "number" then sum, count = sum + value, count + 1 end
  end
  return count > 0 and sum / count or nil
end

---@param response table
---@param _ctx curia.Ctx
---@param member table
---@return number? share
---@return string? why there is none
function M.measure(response, _ctx, member)
  local mean = type(response.logprobs) == "table" and mean_of(response.logprobs)
  if mean then return math.min(1, math.exp(mean)) end -- rounding gives values above 0
  return nil, ("provider %s gave no log probabilities with the answer"):format(tostring(member.provider_name))
end

return M
