--- How far voters agree: two by two, and all together beyond chance.
local alpha = require "curia.agreement.alpha"
local json = require "curia.json"
local options = require "curia.engine.options"
local units = require "curia.agreement.units"

local M = {}

local FIELDS = {
  field = { type = "string", enum = { "choice", "ordering", "approvals", "scores", "grades" } },
  level = { type = "string", enum = alpha.LEVELS },
  grades = { type = "list", items = { type = "string" }, nonempty = true },
}

local function with_ballots(decisions)
  local kept = {}
  for _, decision in ipairs(decisions) do
    if decision.ballots_used then kept[#kept + 1] = decision end
  end
  return kept
end

local function of_rounds(rounds)
  local decisions = {}
  for _, round in ipairs(rounds) do decisions[#decisions + 1] = round.decision end
  return with_ballots(decisions)
end

-- The decisions that something holds: a run's result, a round's, a decision, or ballots alone.
local function decisions_in(results)
  if results.rounds then return of_rounds(results.rounds) end
  if results.decision then return with_ballots { results.decision } end
  if results.ballots_used then return { results } end
  return { { ballots_used = results } }
end

local function first_ballot(decisions)
  for _, decision in ipairs(decisions) do
    if decision.ballots_used[1] then return decision.ballots_used[1], decision end
  end
end

-- Decisions about other things than the field, such as the reviews before a vote, are left out by `units`.
local function ballots_of(decisions)
  local lists = {}
  for i, decision in ipairs(decisions) do lists[i] = decision.ballots_used end
  return lists
end

local function range_of(read)
  local least, greatest = math.huge, -math.huge
  for _, unit in ipairs(read) do
    for _, value in pairs(unit) do least, greatest = math.min(least, value), math.max(greatest, value) end
  end
  return greatest - least
end

-- 1 for equal values; numbers lose their difference as a share of the range of all.
local function likeness_of(level, read)
  if level == "nominal" then return function(x, y) return x == y and 1 or 0 end end
  local range = range_of(read)
  return function(x, y) return range > 0 and 1 - math.abs(x - y) / range or 1 end
end

local function of_pair(read, a, b, likeness)
  local sum, shared = 0, 0
  for _, unit in ipairs(read) do
    if unit[a] ~= nil and unit[b] ~= nil then
      sum, shared = sum + likeness(unit[a], unit[b]), shared + 1
    end
  end
  return shared > 0 and sum / shared or nil
end

local function pairwise(read, voters, likeness)
  local matrix, sum, count = {}, 0, 0
  for _, voter in ipairs(voters) do matrix[voter] = { [voter] = 1 } end
  for i, a in ipairs(voters) do
    for j = i + 1, #voters do
      local b = voters[j]
      local value = of_pair(read, a, b, likeness)
      matrix[a][b], matrix[b][a] = value, value
      if value then sum, count = sum + value, count + 1 end
    end
  end
  return matrix, count > 0 and sum / count or nil
end

---@class curia.Agreement
---@field field? string what of the ballots was compared; nil without ballots
---@field level? "nominal"|"ordinal"|"interval"
---@field voters string[]
---@field matrix table<string, table<string, number>> 0..1 for each two voters that judged something in common: the
--- mean over it of 1 for equal values, 0 for others; of places and numbers one minus their difference as a share of
--- the range of all (for orderings that is Spearman's footrule: Diaconis and Graham 1977)
---@field mean? number of the pairs
---@field alpha? number Krippendorff's; nil where it says nothing, as for a single choice
---@field units integer what was judged: each option of each decision; a choice is one

--- How far the voters of a decision agree. A run's result is about all its decisions.
---@param results table a run's result, a round's, a decision, or a list of ballots
---@param opts? {field?: string, level?: string, grades?: string[]} by default the field is the one that tells most
--- of the first ballot, and its level follows; `grades` is the scale, the worst first, unless the decision has it
---@return curia.Agreement
function M.agreement(results, opts)
  if type(results) ~= "table" then error("bad argument #1 to 'agreement' (a table expected)", 2) end
  opts = options.read("agreement", opts, FIELDS)
  local decisions = decisions_in(results)
  local ballot, decision = first_ballot(decisions)
  local field = opts.field or units.field_of(ballot)
  if not ballot or not field then return { voters = json.array(), matrix = {}, units = 0 } end
  local scale = opts.grades or decision.detail and decision.detail.grades
  local read, voters = units.read(ballots_of(decisions), field, scale)
  local level = opts.level or units.LEVELS[field]
  local matrix, mean = pairwise(read, voters, likeness_of(level, read))
  return {
    field = field, level = level, voters = json.array(voters), matrix = matrix, mean = mean,
    alpha = alpha.alpha(read, level), units = #read,
  }
end

return M
