--- Standard output as people read it: how wide it is, in which colours and characters.
local colour = require "curia.view.colour"
local terminal = require "curia.view.terminal"
local width = require "curia.view.width"

local M = {}

---@class curia.cli.Paper
---@field columns? integer nil: no terminal
---@field paint curia.view.Palette without colours where there is no terminal
local Paper = {}
Paper.__index = Paper

local STDOUT = 1

---@return curia.cli.Paper
function M.open()
  local columns = terminal.columns(STDOUT)
  return setmetatable({ columns = columns, paint = colour.palette(columns ~= nil and terminal.coloured()) }, Paper)
end

--- Writes a text. Beyond ASCII a terminal that takes no UTF-8 might see control characters.
---@param text string clean
function Paper:write(text)
  io.write(self.columns and not terminal.is_utf8() and width.ascii(text) or text)
end

return M
