--- Ctrl-C and its relatives, for the time of a run: the first asks it to end, the second ends it.
local task = require "curia.task"
local uv = require "luv"

local M = {}

--- The exit code after Ctrl-C.
M.CTRL_C = 130

local CODES = { sigint = M.CTRL_C, sigterm = 143, sighup = 129 }
local REASONS = { sigint = "stopped with Ctrl-C", sigterm = "stopped by SIGTERM", sighup = "the terminal is gone" }

---@class curia.cli.Caught
---@field code? integer the exit code, once something was caught
local Caught = {}
Caught.__index = Caught

local function on_signal(self, name, run, say)
  if self.code then
    run:terminate()
    return
  end
  self.code = CODES[name]
  if name == "sigint" then say("cancelling; Ctrl-C again stops at once") end
  run:cancel(REASONS[name])
end

--- Catches the signals until the returned value is closed.
---@param run curia.Run
---@param say fun(text: string)
---@return curia.cli.Caught
function M.catch(run, say)
  local caught = setmetatable({ handles = {} }, Caught)
  for name in pairs(CODES) do
    local handle = uv.new_signal()
    handle:start(name, function() on_signal(caught, name, run, say) end)
    caught.handles[#caught.handles + 1] = handle
  end
  return caught
end

function Caught:__close()
  for _, handle in ipairs(self.handles) do handle:close() end
end

---@class curia.cli.End
---@field now boolean a signal has come
---@field code? integer the exit code of the first that has
---@field reason? string what it was
---@field told userdata signal: one has come
local End = { __close = Caught.__close }
End.__index = End

--- For programs that go on until they are told to stop. Close it as a to-be-closed variable.
---@return curia.cli.End
function M.the_end()
  local ending = setmetatable({ now = false, told = task.signal(), handles = {} }, End)
  for name in pairs(CODES) do
    local handle = uv.new_signal()
    handle:start(name, function()
      ending.now = true
      ending.code, ending.reason = ending.code or CODES[name], ending.reason or REASONS[name]
      ending.told:notify()
    end)
    ending.handles[#ending.handles + 1] = handle
  end
  return ending
end

return M
