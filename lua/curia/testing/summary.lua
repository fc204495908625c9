--- What a result holds, in a few lines: for messages of assertions that do not hold.
local M = {}

--- The keys of a table, in their order.
---@param map table<string, any>
---@return string[]
function M.sorted_keys(map)
  local keys = {}
  for key in pairs(map) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

local function member_line(id, member)
  local err = member.error
  return ("    %s: %s%s"):format(id, member.status, err and (" (%s)"):format(tostring(err)) or "")
end

local function decision_line(decision)
  return ("    decision: %s"):format(decision.winner and tostring(decision.winner) or "no winner")
end

local function add_round(lines, round)
  lines[#lines + 1] = ("  round %s"):format(round.name)
  for _, id in ipairs(M.sorted_keys(round.results)) do lines[#lines + 1] = member_line(id, round.results[id]) end
  if round.decision then lines[#lines + 1] = decision_line(round.decision) end
end

--- A result as text: its rounds, what became of their members, decisions, errors.
---@param result table
---@return string
function M.of(result)
  local lines = { ("council %s: %s"):format(result.council, result.status) }
  for _, round in ipairs(result.rounds) do add_round(lines, round) end
  for _, err in ipairs(result.errors or {}) do lines[#lines + 1] = "  error: " .. tostring(err) end
  return table.concat(lines, "\n")
end

return M
