--- Ballots that are written with members' ids, as the judges of a round write them: with labels.
local prompts = require "curia.prompts"

local M = {}

--- What tells a ballot from other tables.
M.FIELDS = { choice = true, ordering = true, scores = true, winner = true }

--- Whether a value is a ballot.
---@param value any
---@return boolean
function M.is(value)
  if type(value) ~= "table" then return false end
  for name in pairs(M.FIELDS) do
    if value[name] ~= nil then return true end
  end
  return false
end

local function prompt_of(request)
  local texts = {}
  for _, message in ipairs(request.messages or {}) do
    if type(message.content) == "string" then texts[#texts + 1] = message.content end
  end
  return table.concat(texts, "\n")
end

-- The newest text of a member that stands in the prompt under a label that is nobody else's yet.
local function label_of(texts, prompt, labels, taken)
  for i = #texts, 1, -1 do
    for _, label in ipairs(labels) do
      if not taken[label] and prompt:find(prompts.fence(label, texts[i]), 1, true) then return label end
    end
  end
end

local function sorted_keys(map)
  local keys = {}
  for key in pairs(map) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

-- Label by id. An id that is a label itself (answers under real names) stays.
local function labels_of(said, prompt)
  local labels, by_id, taken = {}, {}, {}
  for label in prompt:gmatch '<answer from="([^"\n]+)">' do labels[#labels + 1] = label end
  for _, id in ipairs(sorted_keys(said)) do
    local label = label_of(said[id], prompt, labels, taken)
    if label then by_id[id], taken[label] = label, true end
  end
  return by_id
end

local function renamed(value, by_id)
  if type(value) == "string" then return by_id[value] or value end
  if type(value) ~= "table" then return value end
  local made = {}
  for key, item in pairs(value) do
    if type(key) == "string" then made[by_id[key] or key] = item else made[key] = renamed(item, by_id) end
  end
  return made
end

--- The ballot in the labels of the request that asks for it.
---@param ballot table
---@param request table neutral request
---@param said table<string, string[]> what each member has answered so far in the run
---@return table
function M.labelled(ballot, request, said)
  local by_id, made = labels_of(said, prompt_of(request)), {}
  for name, value in pairs(ballot) do made[name] = M.FIELDS[name] and renamed(value, by_id) or value end
  return made
end

return M
