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
    line = { group = group, first = 1, last = 0, count = 0 }
    queue.by_group[group] = line
    table.insert(queue.lines, line)
  end
  return line
end

--- Puts somebody into the line of a group, once.
---@param waiter {group: any, order: number} smaller orders come first, equal ones as they came
function Queue:push(waiter)
  local line = line_of(self, waiter.group)
  local at = line.last + 1
  while at > line.first and line[at - 1].order > waiter.order do
    line[at] = line[at - 1]
    at = at - 1
  end
  line[at], line.last = waiter, line.last + 1
  line.count, self.count = line.count + 1, self.count + 1
end

local function close_line(queue, line)
  queue.by_group[line.group] = nil
  for i, other in ipairs(queue.lines) do
    if other == line then return table.remove(queue.lines, i) end
  end
end

local function count_out(queue, line)
  line.count, queue.count = line.count - 1, queue.count - 1
  if line.count == 0 then close_line(queue, line) end
end

-- A line may hold thousands: nothing moves up when somebody leaves it. Those that have left are passed over.
local function head_of(line)
  while line[line.first].left do
    line[line.first] = nil
    line.first = line.first + 1
  end
  return line[line.first]
end

--- Whose turn it is.
---@return table? waiter
function Queue:first()
  local line = self.lines[1]
  return line and head_of(line)
end

--- Takes out whose turn it is; the next turn is another group's.
---@return table? waiter
function Queue:pop()
  local waiter = self:first()
  if not waiter then return nil end
  local line = self.lines[1]
  waiter.left = true
  count_out(self, line)
  if line.count > 0 and self.lines[2] then table.insert(self.lines, table.remove(self.lines, 1)) end
  return waiter
end

--- Takes out somebody who waits no more.
---@param waiter table
function Queue:remove(waiter)
  if waiter.left then return end
  waiter.left = true
  count_out(self, self.by_group[waiter.group])
end

return M
