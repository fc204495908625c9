--- From ballots to units: what every voter was asked to judge, and the value that each gave it.
local check = require "curia.language.check"

local M = {}

-- A ballot judges its options one by one, each a unit; a choice is one unit for all ballots of a decision.
local VALUES = {}

function VALUES.choice(ballot)
  return type(ballot.choice) == "string" and { [""] = ballot.choice } or nil
end

function VALUES.ordering(ballot)
  local places = {}
  for place, id in ipairs(ballot.ordering) do
    if type(id) == "string" then places[id] = place end
  end
  return places
end

function VALUES.scores(ballot)
  local scores = {}
  for id, score in pairs(ballot.scores) do
    scores[id] = type(score) == "number" and score == score and score or nil
  end
  return scores
end

function VALUES.approvals(ballot, options)
  local approved = {}
  for _, id in ipairs(options) do approved[id] = 0 end
  for _, id in ipairs(ballot.approvals) do
    if approved[id] then approved[id] = 1 end
  end
  return approved
end

function VALUES.grades(ballot, _, scale)
  local places = {}
  for id, grade in pairs(ballot.grades) do places[id] = scale[grade] end
  return places
end

--- The fields of a ballot that can be compared, and the level of measurement of each.
M.LEVELS = {
  choice = "nominal", ordering = "ordinal", scores = "interval", approvals = "nominal", grades = "ordinal",
}

local ORDER = { "scores", "grades", "ordering", "approvals", "choice" }

--- The field that most tells of a ballot.
---@param ballot curia.Ballot
---@return string?
function M.field_of(ballot)
  for _, field in ipairs(type(ballot) == "table" and ORDER or {}) do
    local value = ballot[field]
    if type(value) == (field == "choice" and "string" or "table") then return field end
  end
end

local function has(ballot, field)
  if type(ballot) ~= "table" or ballot.discarded then return false end
  return field == "choice" or type(ballot[field]) == "table"
end

local function approved_by_any(ballots)
  local options, seen = {}, {}
  for _, ballot in ipairs(ballots) do
    for _, id in ipairs(has(ballot, "approvals") and ballot.approvals or {}) do
      if type(id) == "string" and not seen[id] then options[#options + 1], seen[id] = id, true end
    end
  end
  return options
end

local function add(units, by_option, voter, values)
  for _, id in ipairs(check.sorted_keys(values)) do
    if not by_option[id] then
      by_option[id] = {}
      units[#units + 1] = by_option[id]
    end
    by_option[id][voter] = values[id]
  end
end

--- The units of decisions; what stands under the same option in two decisions are two units.
---@param decisions curia.Ballot[][] the ballots of each
---@param field string
---@param grades? string[] the scale of grades, the worst first
---@return table<string, any>[] units values by voter
---@return string[] voters in the order of their ballots
function M.read(decisions, field, grades)
  local units, voters, known, scale = {}, {}, {}, {}
  for place, grade in ipairs(grades or {}) do scale[grade] = place end
  for _, ballots in ipairs(decisions) do
    local by_option, options = {}, approved_by_any(ballots)
    for i, ballot in ipairs(ballots) do
      local values = has(ballot, field) and VALUES[field](ballot, options, scale)
      if values then
        local voter = type(ballot.voter) == "string" and ballot.voter or "ballot " .. i
        if not known[voter] then voters[#voters + 1], known[voter] = voter, true end
        add(units, by_option, voter, values)
      end
    end
  end
  return units, voters
end

return M
