--- What a run has used so far, as far as providers have said.
local words = require "curia.view.words"

local M = {}

---@class curia.view.Totals
---@field tokens integer in and out
---@field usd? number nil while no price is known

---@return curia.view.Totals
function M.new()
  return { tokens = 0 }
end

local function add(totals, tokens, usd)
  totals.tokens = totals.tokens + tokens
  if usd then totals.usd = (totals.usd or 0) + usd end
end

--- Adds what an answer took.
---@param totals curia.view.Totals
---@param response? {usage?: table, cost?: {usd: number}}
function M.add_response(totals, response)
  if not response then return end
  local usage, cost = response.usage or {}, response.cost
  add(totals, (usage.input_tokens or 0) + (usage.output_tokens or 0), cost and cost.usd)
end

--- Adds what another run has used.
---@param totals curia.view.Totals
---@param other curia.view.Totals
function M.add(totals, other)
  add(totals, other.tokens, other.usd)
end

local function of_limit(text, limit)
  return limit and ("%s of %s"):format(text, limit) or text
end

--- In words, from the most to the least important: "$0.0012 of $0.50", "1,045 tokens".
---@param totals curia.view.Totals
---@param budget? {usd?: number, tokens?: integer}
---@return string[]
function M.texts(totals, budget)
  budget = budget or {}
  local texts = {}
  if totals.usd or budget.usd then
    texts[1] = of_limit(words.dollars(totals.usd or 0), budget.usd and words.dollars(budget.usd))
  end
  if totals.tokens > 0 or budget.tokens then
    local used = budget.tokens and words.count(totals.tokens) or words.counted(totals.tokens, "token")
    texts[#texts + 1] = of_limit(used, budget.tokens and words.counted(budget.tokens, "token"))
  end
  return texts
end

return M
