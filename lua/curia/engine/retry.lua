--- Whether a failed attempt is tried again, and after which wait (SPEC 10). Pure functions.
local M = {}

--- A vendor that asks for a longer wait than this is not waited for, deadline or not: the error says when
--- it will answer again, and a fallback or the peers go on.
M.LONGEST_HINT_MS = 5 * 60 * 1000

local RETRYABLE = { transient = true, rate_limited = true, overloaded = true, timeout = true }

--- Whether another try can help. An adapter's own word (x-should-retry, a quota) counts first. Twenty minutes
--- that were not enough (ETOTAL) will not be enough again.
---@param err curia.Error
---@return boolean
function M.retryable(err)
  if err.retryable ~= nil then return err.retryable end
  if err.code == "ETOTAL" then return false end
  return RETRYABLE[err.kind] == true
end

--- The policy of a member: the first layer that speaks, field by field not mixed.
---@param ... table|nil layers, strongest first: member, round, run, council, application
---@return {attempts: integer, base_ms: number, max_ms: number}
function M.policy(...)
  local built_in = { attempts = 2, base_ms = 1000, max_ms = 30000 }
  for i = 1, select("#", ...) do
    local layer = select(i, ...)
    if layer then
      return {
        attempts = layer.attempts or built_in.attempts,
        base_ms = layer.base_ms or built_in.base_ms,
        max_ms = layer.max_ms or built_in.max_ms,
      }
    end
  end
  return built_in
end

--- The wait before the next try: the vendor's hint, else full-jitter exponential back-off
--- (Brooker, "Exponential Backoff And Jitter", 2015). A hint of 0 means "soon", not "all at once".
---@param policy {base_ms: number, max_ms: number}
---@param attempt integer the attempt that failed, from 1
---@param err curia.Error
---@param random fun(): number in [0, 1)
---@return number ms
function M.wait_ms(policy, attempt, err, random)
  local hint = err.retry_after_ms
  if hint and hint > 0 then return hint end
  local ceiling = hint and policy.base_ms / 2 or policy.base_ms * 2 ^ (attempt - 1)
  return math.floor(math.min(policy.max_ms, ceiling) * random())
end

return M
