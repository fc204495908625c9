--- Whether answers still change from one iteration of a round to the next: what free-text rounds have as `converged`.
local M = {}

local SIMILARITY = 0.8

--- The option that these rounds take.
M.options = {
  similarity = { type = "number", doc = "in iterate: the share of common words that makes a text unchanged (0.8)",
    min = 0, max = 1 },
}

-- Letters, digits and bytes of other scripts make words.
local function words_of(text)
  local words, count = {}, 0
  for word in text:lower():gmatch("[%w\128-\255]+") do
    if not words[word] then words[word], count = true, count + 1 end
  end
  return words, count
end

--- The share of words that two texts have in common: the coefficient of Jaccard (1901) of their sets of words.
---@param a string
---@param b string
---@return number in 0..1; of two texts without words 1
function M.jaccard(a, b)
  local words_a, count_a = words_of(a)
  local words_b, count_b = words_of(b)
  local common = 0
  for word in pairs(words_a) do common = common + (words_b[word] and 1 or 0) end
  local all = count_a + count_b - common
  return all == 0 and 1 or common / all
end

local function text_of(result)
  return result and result.status == "ok" and result.response.content
end

--- `converged` of a round: every member that has answered now and before has said almost the same.
---@param previous? curia.RoundResult nil after the first iteration
---@param current curia.RoundResult
---@param opts {similarity?: number}
---@return boolean
function M.unchanged(previous, current, opts)
  local compared = 0
  for id, result in pairs(previous and current.results or {}) do
    local now, before = text_of(result), text_of(previous.results[id])
    if now and before then
      if M.jaccard(before, now) < (opts.similarity or SIMILARITY) then return false end
      compared = compared + 1
    end
  end
  return compared > 0
end

return M
