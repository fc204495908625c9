--- Staggered calls (SPEC 4): of those with one prompt prefix, the first goes alone until its first byte or its end, so
--- that it fills the provider's prompt cache for the others.
local member_turn = require "curia.engine.member"
local task = require "curia.task"

local M = {}

---@class curia.Pilot the turn that goes first, as the others see it
---@field ahead boolean it is still alone
---@field begun curia.Signal
local Pilot = {}
Pilot.__index = Pilot

--- The first byte has come, or the turn has ended: the others may follow.
function Pilot:release()
  if not self.ahead then return end
  self.ahead = false
  self.begun:notify()
end

---@class curia.Stagger pilots by what shares a cache: a provider's model
local Stagger = {}
Stagger.__index = Stagger

--- For the turns of one round.
---@return curia.Stagger
function M.new()
  return setmetatable({ pilots = {} }, Stagger)
end

--- Gives a turn its place: the first that asks a model becomes its `pilot`, the others get whom they `follow`.
---@param turn curia.Turn
function Stagger:place(turn)
  local member = turn.member
  if not member.model then return end
  local key = member.provider_name .. "/" .. member.model
  turn.follows = self.pilots[key]
  if turn.follows then return end
  turn.pilot = setmetatable({ ahead = true, begun = task.signal() }, Pilot)
  self.pilots[key] = turn.pilot
end

--- Takes a turn that follows another; as `take_turn` of curia.engine.member.
---@async
---@param turn curia.Turn
---@return curia.MemberResult
function M.follow(turn)
  local pilot = turn.follows
  while pilot.ahead do pilot.begun:wait() end
  return member_turn.take_turn(turn)
end

return M
