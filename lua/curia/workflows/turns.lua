--- One at a time for each name, in the order of asking.
--
--     local turn <close> = turns:take "name"
--     turn:wait()
local task = require "curia.task"

local M = {}

---@class curia.workflow.Turns
---@field queues table<string, curia.workflow.Turn[]> by name; the first has its turn
local Turns = {}
Turns.__index = Turns

---@class curia.workflow.Turn ends when it is closed, also before it has come
local Turn = {}
Turn.__index = Turn

---@return curia.workflow.Turns
function M.new()
  return setmetatable({ queues = {} }, Turns)
end

--- Asks for a turn.
---@param name string
---@return curia.workflow.Turn
function Turns:take(name)
  local queue = self.queues[name] or {}
  self.queues[name] = queue
  local turn = setmetatable({ turns = self, name = name, signal = task.signal() }, Turn)
  queue[#queue + 1] = turn
  return turn
end

--- Waits until it has come.
---@async
function Turn:wait()
  local queue = self.turns.queues[self.name]
  while queue[1] ~= self do self.signal:wait() end
end

local function remove(queue, item)
  for i, other in ipairs(queue) do
    if other == item then return table.remove(queue, i) end
  end
end

function Turn:__close()
  local queue = self.turns.queues[self.name]
  remove(queue, self)
  if queue[1] then queue[1].signal:notify() else self.turns.queues[self.name] = nil end
end

return M
