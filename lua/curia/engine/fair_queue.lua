--- A queue that is fair between groups: these take turns, and within one the oldest run comes first.
local M = {}

---@class curia.FairQueue
---@field count integer
---@field lines table[] a line for each group that waits, the one whose turn it is first
---@field by_group table<any, table>
local Queue = {}
Queue.__index = Queue

---@return curia.FairQueue
function M.new()
  return setmetatable({ count = 0, lines = {}, by_group = {} }, Queue)
end

local function line_of(queue, group)
  local line = queue.by_group[group]
  if not line then
    line = { group = group }
    queue.by_group[group] = line
    table.insert(queue.lines, line)
  end
  return line
end

--- Puts somebody into the line of a group.
---@param waiter {group: any, order: number} smaller orders come first, equal ones as they came
function Queue:push(waiter)
  local line = line_of(self, waiter.group)
  local at = #line + 1
  while at > 1 and line[at - 1].order > waiter.order do at = at - 1 end
  table.insert(line, at, waiter)
  self.count = self.count + 1
end

--- Whose turn it is.
---@return table? waiter
function Queue:first()
  local line = self.lines[1]
  return line and line[1]
end

local function take_out(queue, line, at, index)
  table.remove(line, at)
  queue.count = queue.count - 1
  if #line > 0 then return end
  table.remove(queue.lines, index)
  queue.by_group[line.group] = nil
end

--- Takes out whose turn it is; the next turn is another group's.
---@return table? waiter
function Queue:pop()
  local line = self.lines[1]
  if not line then return nil end
  local waiter = line[1]
  take_out(self, line, 1, 1)
  if #line > 0 then table.insert(self.lines, table.remove(self.lines, 1)) end
  return waiter
end

local function index_of(list, item)
  for i, other in ipairs(list) do
    if other == item then return i end
  end
end

--- Takes out somebody who waits no more.
---@param waiter table
function Queue:remove(waiter)
  local line = self.by_group[waiter.group]
  local at = line and index_of(line, waiter)
  if at then take_out(self, line, at, index_of(self.lines, line)) end
end

return M
