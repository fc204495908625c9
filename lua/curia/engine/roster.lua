--- A set in the order of adding, newest first. Adding, removing and the next one cost the same, however many there are.
local M = {}

---@class curia.Roster
---@field count integer
---@field newest? any
---@field oldest? any
---@field older table<any, any> by item, the one that was added before it
---@field newer table<any, any>
local Roster = {}
Roster.__index = Roster

---@return curia.Roster
function M.new()
  return setmetatable({ count = 0, newest = nil, oldest = nil, older = {}, newer = {} }, Roster)
end

--- Adds an item that is not in it.
---@param item any
function Roster:add(item)
  local before = self.newest
  if before == nil then
    self.oldest = item
  else
    self.older[item], self.newer[before] = before, item
  end
  self.newest = item
  self.count = self.count + 1
end

---@param item any
---@return boolean
function Roster:has(item)
  return self.newest == item or self.newer[item] ~= nil
end

--- Takes an item out; no effect on one that is not in it.
---@param item any
function Roster:remove(item)
  if not self:has(item) then return end
  local older, newer = self.older[item], self.newer[item]
  self.older[item], self.newer[item] = nil, nil
  if newer == nil then self.newest = older else self.older[newer] = older end
  if older == nil then self.oldest = newer else self.newer[older] = newer end
  self.count = self.count - 1
end

local function next_older(roster, item)
  if item == nil then return roster.newest end
  return roster.older[item]
end

--- for item in roster:each() do ... end, newest first. The roster must not change meanwhile.
function Roster:each()
  return next_older, self, nil
end

--- The items as they are now, oldest first: for walks during which it may change.
---@return any[]
function Roster:items()
  local items, item = {}, self.oldest
  while item ~= nil do
    items[#items + 1] = item
    item = self.newer[item]
  end
  return items
end

return M
