--- The criteria that answers are scored by, and what a reviewer's scores under them come to.
local prompts = require "curia.prompts"

local M = {}

local scale = { type = "list", doc = "least and greatest score ({1, 10})", items = { type = "number" } }

--- The option of a round that scores: a list of criteria, by name or with weight and scale.
M.option = {
  type = "list", doc = "criteria of the scores", nonempty = true,
  items = {
    type = "string|record", nonempty = true,
    fields = {
      name = { type = "string", doc = "the criterion, in a word or two", required = true, nonempty = true },
      about = { type = "string", doc = "what is looked at" },
      weight = { type = "number", doc = "its share in the total (1)", min = 0 },
      scale = scale,
    },
  },
}

---@class curia.Criterion
---@field name string
---@field about? string
---@field weight number
---@field low number
---@field high number

local LOW, HIGH = 1, 10

local function criterion_of(given)
  if type(given) == "string" then given = { name = given } end
  local range = given.scale or {}
  return {
    name = given.name, about = given.about, weight = given.weight or 1,
    low = range[1] or LOW, high = range[2] or HIGH,
  }
end

--- The criteria of a round, the usual ones where it names none.
---@param given? (string|table)[]
---@return curia.Criterion[]
function M.criteria(given)
  local made = {}
  for i, criterion in ipairs(given or prompts.rubric()) do made[i] = criterion_of(criterion) end
  return made
end

--- What is wrong with a rubric, beyond its types.
---@param given? (string|table)[]
---@return string? message
function M.fault(given)
  for _, criterion in ipairs(M.criteria(given)) do
    if criterion.low >= criterion.high then
      return ("the scale of '%s' must be two numbers, the lesser first"):format(criterion.name)
    end
  end
end

local function share(criterion, score)
  if type(score) ~= "number" then return nil, ("gives no score for '%s'"):format(criterion.name) end
  if not (score >= criterion.low and score <= criterion.high) then -- NaN is not within
    return nil, ("scores '%s' with %.14g, outside of %.14g to %.14g"):format(
      criterion.name, score, criterion.low, criterion.high)
  end
  return (score - criterion.low) / (criterion.high - criterion.low)
end

--- What the scores of one answer come to: their mean by weight, each on its own scale.
---@param criteria curia.Criterion[]
---@param scores any by criterion
---@return number? total between 0 and 1
---@return string? reason why there is none
function M.total(criteria, scores)
  if type(scores) ~= "table" then scores = { [criteria[1].name] = scores } end
  local sum, weights = 0, 0
  for _, criterion in ipairs(criteria) do
    local part, reason = share(criterion, scores[criterion.name])
    if not part then return nil, reason end
    sum, weights = sum + part * criterion.weight, weights + criterion.weight
  end
  return weights > 0 and sum / weights or 0
end

return M
