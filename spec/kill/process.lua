--- A process that is going to be killed.
local task = require "curia.task"
local uv = require "luv"

local M = {}

---@class spec.kill.Process
---@field code? integer how it ended: its exit code, or minus the signal
---@field said string what it wrote on standard error
local Process = {}
Process.__index = Process

local function environment(more)
  local list = {}
  for name, value in pairs(uv.os_environ()) do list[#list + 1] = name .. "=" .. value end
  for name, value in pairs(more) do list[#list + 1] = name .. "=" .. value end
  return list
end

--- Starts a script in a process of its own.
---@param script string path
---@param args string[]
---@param env? table<string, any>
---@return spec.kill.Process
function M.start(script, args, env)
  local self = setmetatable({ ended = task.signal(), out = uv.new_pipe(), said = "" }, Process)
  self.process = assert(uv.spawn(uv.exepath(), {
    args = { "lua", script, table.unpack(args) }, env = environment(env or {}), stdio = { nil, nil, self.out },
  }, function(status, signal)
    self.code = signal ~= 0 and -signal or status
    self.ended:notify()
  end))
  self.out:read_start(function(_, data) self.said = self.said .. (data or "") end)
  return self
end

--- Waits for its end.
---@async
---@param timeout_ms? number
---@return boolean ended
function Process:wait(timeout_ms)
  if not self.code then self.ended:wait(timeout_ms) end
  return self.code ~= nil
end

---@param signal string
function Process:kill(signal)
  if not self.code then self.process:kill(signal) end
end

--- Waits for its end, however long that takes, and lets it go.
---@async
---@return integer code
function Process:close()
  while not self.code do self.ended:wait() end
  self.process:close()
  self.out:close()
  return self.code
end

return M
