--- Namespaces (SPEC 9): what one tenant has, which no other can see: runs by id, groups by name, a bus.
local buses = require "curia.bus"
local rosters = require "curia.engine.roster"

local M = {}

---@class curia.Namespace
---@field name string
---@field runs curia.Roster those that live or linger
---@field by_id table<string, curia.Run>
---@field groups table<string, curia.RunGroup> a group stays while somebody has hold of it
---@field bus curia.Bus
local Namespace = {}
Namespace.__index = Namespace

-- A namespace stays while one of its runs is known, a group is kept or a topic is watched: all of these hold it.
local known = setmetatable({}, { __mode = "v" })

--- The namespace of that name.
---@param name string
---@return curia.Namespace
function M.of(name)
  local found = known[name]
  if found then return found end
  found = setmetatable({
    name = name, runs = rosters.new(), by_id = {}, groups = setmetatable({}, { __mode = "v" }), bus = buses.new(),
  }, Namespace)
  known[name] = found
  return found
end

---@param run curia.Run
function Namespace:add(run)
  self.by_id[run.id] = run
  self.runs:add(run)
end

--- Forgets a run; its id may have become another's meanwhile.
---@param run curia.Run
function Namespace:remove(run)
  if self.by_id[run.id] == run then self.by_id[run.id] = nil end
  self.runs:remove(run)
end

return M
