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
---@field let_go? fun(at_once: boolean) what a durable run does instead of ending
---@field released? boolean it was let go
local Caught = {}
Caught.__index = Caught

local function give_away(self, say)
  if not self.released then say "letting go of the run once what is under way has ended; a second signal: at once" end
  self.let_go(self.released or false)
  self.released = true
end

-- A durable run ends once its end is stored.
local function hold_up(run)
  local writer = run.conductor and run.conductor.writer
  return writer and writer.stuck
end

local function say_cancelling(run, say)
  local err = hold_up(run)
  if not err then return say "cancelling; Ctrl-C again stops at once" end
  say("cancelling; the run cannot be stored at the moment, and waits: " .. err.message)
  say "Ctrl-C again stops at once"
end

-- Who types Ctrl-C does not want the run. Who stops the program or closes the terminal says nothing about the run: a
-- durable one may go on elsewhere.
local function on_signal(self, name, run, say)
  local is_first = not self.code
  self.code = self.code or CODES[name]
  if self.released or self.let_go and is_first and name ~= "sigint" then return give_away(self, say) end
  if not is_first then return run:terminate() end
  if name == "sigint" then say_cancelling(run, say) end
  run:cancel(REASONS[name])
end

--- Catches the signals until the returned value is closed.
---@param run curia.Run
---@param say fun(text: string)
---@param let_go? fun(at_once: boolean) for a durable run
---@return curia.cli.Caught
function M.catch(run, say, let_go)
  local caught = setmetatable({ handles = {}, let_go = let_go }, Caught)
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
