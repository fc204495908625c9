--- A listener for the specs of telemetry.
local telemetry = require "curia.telemetry"

local M = {}

---@class spec.telemetry.Listener a list of the events it has heard: {name, measurements, metadata}
local Listener = {}
Listener.__index = Listener

--- Listens to some names, or to all.
function M.listen(given)
  local heard = setmetatable({}, Listener)
  heard.handle = telemetry.attach(given or "*", function(name, measurements, metadata)
    heard[#heard + 1] = { name = name, measurements = measurements, metadata = metadata }
  end)
  return heard
end

--- Those of one name.
function Listener:of(name)
  local found = {}
  for _, event in ipairs(self) do
    if event.name == name then found[#found + 1] = event end
  end
  return found
end

function Listener:stop()
  self.handle:detach()
end

return M
