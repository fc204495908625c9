--- The rounds of a free `run`: what is asked under one label stands in one round, and a member
-- answers once in each.
--
-- A round ends when another one has begun and none of its asks is under way; so rounds follow each
-- other where the script asks step by step, and overlap only where it asks under several labels at
-- the same time.
local clock = require "curia.core.clock"

local M = {}

---@class curia.FreeRounds
local Free = {}
Free.__index = Free

---@class curia.FreeRound
---@field round {name: string, idx: integer}
---@field result curia.RoundResult
---@field asked table<string, true> ids of members
---@field live integer asks under way

---@param run curia.Run
---@return curia.FreeRounds
function M.new(run)
  return setmetatable({ run = run, open = {}, newest = nil }, Free)
end

local function close(self, free)
  for i, other in ipairs(self.open) do
    if other == free then table.remove(self.open, i) end
  end
  if self.newest == free then self.newest = nil end
  free.result.duration_ms = (clock.us() - free.started_us) / 1000
  self.run.log:tell("round_completed", free.round, nil, free.result)
  self.run:leave_round(free.round, free.result)
end

--- Ends the rounds that no ask belongs to any more.
---@param all? boolean those with asks under way too: the run ends
function Free:close_idle(all)
  for _, free in ipairs(table.move(self.open, 1, #self.open, 1, {})) do
    if all or free.live == 0 then close(self, free) end
  end
end

local function begin(self, label)
  self:close_idle()
  local run = self.run
  local round = { name = label, idx = #run.rounds + 1, module = {} }
  local result = { name = label, idx = round.idx, results = {}, started_at = clock.wall_ms(), metadata = {} }
  local free = { round = round, result = result, asked = {}, live = 0, started_us = clock.us() }
  self.open[#self.open + 1], self.newest = free, free
  run:enter_round(round, result)
  run.log:tell("round_started", round)
  return free
end

local function find(self, label, id)
  for _, free in ipairs(self.open) do
    if free.round.name == label and not free.asked[id] then return free end
  end
end

--- The round of an ask that begins.
---@param label string
---@param id string the member
---@return curia.FreeRound
function Free:enter(label, id)
  local free = find(self, label, id) or begin(self, label)
  free.asked[id] = true
  free.live = free.live + 1
  return free
end

--- The ask has ended, in whatever way.
---@param free curia.FreeRound
function Free:leave(free)
  free.live = free.live - 1
  if free.live == 0 and self.newest ~= free and not free.result.duration_ms then close(self, free) end
end

return M
