--- What good answers tell of a provider's limits: how much is left of the minute's allowance.
local M = {}

-- OpenAI and those like it; Anthropic.
local REMAINING = {
  "x-ratelimit-remaining-requests", "x-ratelimit-remaining-tokens", "x-ratelimit-remaining",
  "anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-tokens-remaining",
  "anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-output-tokens-remaining",
}

--- Whether nothing is left, so that the next call will be refused.
---@param headers table<string, string> lower-case names
---@return boolean
function M.is_spent(headers)
  for _, name in ipairs(REMAINING) do
    if headers[name] and tonumber(headers[name]) == 0 then return true end
  end
  return false
end

return M
