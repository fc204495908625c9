--- A line from whoever sits at the terminal, without holding the loop.
local task = require "curia.task"
local uv = require "luv"

local M = {}

local STDIN = 0

local function close(input)
  if not input:is_closing() then
    input:read_stop()
    input:close()
  end
end

--- Asks; gives the line that is typed, or nil at the end of the input.
---@async
---@param question string
---@return string? line
function M.line(question)
  io.stderr:write(question)
  local input, signal, text, over = uv.new_tty(STDIN, true), task.signal(), "", false
  if not input then return nil end
  local _ <close> = setmetatable({}, { __close = function() close(input) end })
  input:read_start(function(err, chunk)
    if err or not chunk then over = true else text = text .. chunk end
    signal:notify()
  end)
  while not over and not text:find "\n" do signal:wait() end
  return text:match "^([^\r\n]*)" ~= "" and text:match "^([^\r\n]*)" or (not over and "" or nil)
end

--- Whether there is a terminal to ask at.
---@return boolean
function M.possible()
  local system = require "curia.core.system"
  return system.isatty(STDIN) and system.isatty(2)
end

return M
