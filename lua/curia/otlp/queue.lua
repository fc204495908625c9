--- What waits to be sent: first in, first out. What comes when it is full is dropped and counted.
local M = {}

---@class curia.otlp.Queue
---@field limit integer
---@field first integer
---@field last integer
---@field dropped integer so far
local Queue = {}
Queue.__index = Queue

--- Adds an item.
---@param item any
---@return integer count how many wait now
function Queue:put(item)
  local count = self:count()
  if count >= self.limit then
    self.dropped = self.dropped + 1
    return count
  end
  self.last = self.last + 1
  self[self.last] = item
  return count + 1
end

--- Takes the oldest items.
---@param most integer
---@return any[]
function Queue:take(most)
  local items = {}
  for i = 1, math.min(most, self:count()) do
    items[i], self[self.first] = self[self.first], nil
    self.first = self.first + 1
  end
  return items
end

---@return integer
function Queue:count()
  return self.last - self.first + 1
end

--- Nothing waits yet.
---@param limit integer
---@return curia.otlp.Queue
function M.new(limit)
  return setmetatable({ limit = limit, first = 1, last = 0, dropped = 0 }, Queue)
end

return M
