--- The terminal behind standard error: what it can, how large it is, and a way to write that never waits.
local system = require "curia.core.system"
local task = require "curia.task"
local uv = require "luv"

local M = {}

local STDERR = 2
local DRAIN_MS = 5

local STILL = { [""] = true, dumb = true, unknown = true }            -- terminals without a cursor that moves
local COLOURLESS = { "^vt52", "^vt1", "^vt2", "^vt3", "%-m$", "%-mono$" } -- and without colours, by TERM

--- Whether terminals take UTF-8 here, by the locale.
---@param getenv? fun(name: string): string?
---@return boolean
function M.is_utf8(getenv)
  getenv = getenv or os.getenv
  for _, name in ipairs { "LC_ALL", "LC_CTYPE", "LANG" } do
    local value = getenv(name)
    if value and value ~= "" then return value:lower():find("utf%-?8") ~= nil end
  end
  return true -- nothing is said (a container, say): the terminals of today speak UTF-8
end

--- Whether standard error shows a picture that moves, rather than plain lines.
---@param getenv? fun(name: string): string?
---@param isatty? fun(fd: integer): boolean
---@return boolean
function M.suits_live(getenv, isatty)
  getenv, isatty = getenv or os.getenv, isatty or system.isatty
  return isatty(STDERR) and not STILL[getenv("TERM") or ""] and M.is_utf8(getenv)
end

local function has_colours(kind)
  for _, pattern in ipairs(COLOURLESS) do
    if kind:find(pattern) then return false end
  end
  return true
end

--- Whether a terminal is painted in colours: NO_COLOR forbids, then CLICOLOR_FORCE demands, CLICOLOR=0 forbids.
---@param getenv? fun(name: string): string?
---@return boolean
function M.coloured(getenv)
  getenv = getenv or os.getenv
  if (getenv("NO_COLOR") or "") ~= "" then return false end
  local force = getenv("CLICOLOR_FORCE") or ""
  if force ~= "" and force ~= "0" then return true end
  return getenv("CLICOLOR") ~= "0" and has_colours(getenv("TERM") or "")
end

---@class curia.view.Terminal
---@field handle userdata
local Terminal = {}
Terminal.__index = Terminal

local function size_of(handle)
  local columns, rows = handle:get_winsize()
  if not columns or columns < 1 or rows < 1 then return 80, 24 end
  return columns, rows
end

--- How wide the terminal behind standard output or standard error is, or nil where there is none.
---@param fd 1|2
---@return integer?
function M.columns(fd)
  if not system.isatty(fd) then return nil end
  local handle = uv.new_tty(fd, false)
  if not handle then return nil end
  local columns = size_of(handle)
  handle:close()
  return columns
end

--- Opens the terminal.
---@return curia.view.Terminal?
---@return string? message
function M.open()
  local handle, message = uv.new_tty(STDERR, false)
  if not handle then return nil, message end
  return setmetatable({ handle = handle }, Terminal)
end

--- Its size; what it does not tell is 80 by 24.
---@return integer columns
---@return integer rows
function Terminal:size()
  return size_of(self.handle)
end

--- Writes without waiting: a terminal that is held (Ctrl-S, a dead connection) holds nothing else.
---@param text string
function Terminal:write(text)
  if not self.handle:is_closing() then self.handle:write(text) end
end

--- Whether something written is still on its way.
---@return boolean
function Terminal:busy()
  return not self.handle:is_closing() and self.handle:get_write_queue_size() > 0
end

--- Waits until everything is written.
---@async
function Terminal:drain()
  while self:busy() do task.sleep(DRAIN_MS) end
end

--- Closes it; idempotent.
function Terminal:close()
  if not self.handle:is_closing() then self.handle:close() end
end

return M
