--- The views of a run. All have `event(event)`, `say(text)`, `ask(fn, ...)`, which calls `fn` while the terminal is
-- nobody else's, and `close()`, and close themselves as to-be-closed variables; `tokens` is true for those that show
-- answers while they come, `silent` for the one that shows nothing.
local clock = require "curia.core.clock"
local system = require "curia.core.system"
local terminal = require "curia.view.terminal"
local width = require "curia.view.width"

local STDERR = 2

local M = {}

local Silent = { tokens = false, silent = true }
Silent.__index = Silent
Silent.__close = function() end
function Silent.event() end
function Silent.say() end
function Silent.ask(_, fn, ...) return fn(...) end
function Silent.close() end

--- The view that shows nothing.
---@return table
function M.silent()
  return setmetatable({}, Silent)
end

-- Bytes beyond ASCII may be control characters of a terminal that takes no UTF-8.
local function write(text)
  local narrow = not terminal.is_utf8() and system.isatty(STDERR)
  io.stderr:write(narrow and width.ascii(text) or text)
end

--- When what happened, on standard error.
---@param about table as for `curia.view.state`
---@param level true|"debug"
---@return curia.view.Timeline
function M.timeline(about, level)
  return require "curia.view.timeline".open(about, level, write)
end

--- One line for each thing that happens, on standard error.
---@param about table as for `curia.view.state`
---@return curia.view.Plain
function M.plain(about)
  return require "curia.view.plain".open(about, { write = write, now = clock.ms })
end

--- The view for standard error as it is: moving on a terminal that can, else plain.
---@param about table as for `curia.view.state`
---@return table view
function M.open(about)
  if terminal.suits_live() then
    local live = require "curia.view.live".open(about)
    if live then return live end
  end
  return M.plain(about)
end

--- The colours that suit what is written beside a view, after it.
---@param view table
---@return curia.view.Palette
function M.palette(view)
  return view.paint or require "curia.view.colour".palette(false)
end

return M
