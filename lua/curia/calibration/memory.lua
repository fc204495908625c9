--- Outcomes in the memory of this process.
local M = {}

local members = {} -- id -> { outcomes =, count =, version = }
local changes = 0

---@param id string
---@param confidence number
---@param correct boolean
---@param most integer of one member: older ones make room
---@return true
function M.record(id, confidence, correct, most)
  members[id] = members[id] or { outcomes = {}, count = 0 }
  local member = members[id]
  member.outcomes[member.count % most + 1] = { x = confidence, y = correct and 1 or 0 }
  changes = changes + 1
  member.count, member.version = member.count + 1, changes
  return true
end

--- What changes with the outcomes: a curve that is known holds as long as it stays.
---@param id string
---@return integer
function M.version(id)
  return members[id] and members[id].version or 0
end

---@param id string
---@return {x: number, y: integer}[]
function M.outcomes(id)
  return members[id] and members[id].outcomes or {}
end

---@param id? string
---@return true
function M.forget(id)
  if id then members[id] = nil else members = {} end
  return true
end

return M
