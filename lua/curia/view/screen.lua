--- The lower part of a terminal, repainted by its differences. What is above scrolls as ever.
-- Everything goes through `write(text)`; the screen itself knows neither a terminal nor a clock.
local colour = require "curia.view.colour"
local width = require "curia.view.width"

local M = {}

local BEGIN, END = "\27[?2026h", "\27[?2026l" -- one picture at a time, where the terminal knows how
local HIDE, SHOW = "\27[?25l", "\27[?25h"
local NO_WRAP, WRAP = "\27[?7l", "\27[?7h"
local ERASE_LINE, ERASE_BELOW = "\27[2K", "\27[J"

---@class curia.view.Screen
---@field write fun(text: string)
---@field lines string[] what stands there
---@field row integer the line on which the cursor is, from 1
local Screen = {}
Screen.__index = Screen

--- Takes the terminal over from the cursor's line downwards.
---@param write fun(text: string)
---@return curia.view.Screen
function M.new(write)
  local screen = setmetatable({ write = write, lines = {}, row = 1 }, Screen)
  write(HIDE .. NO_WRAP)
  return screen
end

local function move(from, to)
  if to < from then return ("\27[%dA\r"):format(from - to) end
  return to > from and ("\27[%dB\r"):format(to - from) or "\r"
end

-- Erases a number of rows from the cursor's on. To erase all below the first row of the screen would make tmux keep
-- the picture in its history.
local function clear(rows)
  if rows < 2 then return ERASE_LINE end
  return ERASE_LINE .. move(1, 2) .. ERASE_BELOW .. move(2, 1)
end

-- Lines that stand there are reached by moving; new ones are made by feeding lines, which scrolls.
local function changes(self, lines)
  local parts, row = {}, self.row
  for i, line in ipairs(lines) do
    if i > #self.lines then
      parts[#parts + 1] = i > 1 and move(row, i - 1) .. "\n\r" .. line or "\r" .. line
      row = i
    elseif line ~= self.lines[i] then
      parts[#parts + 1] = move(row, i) .. ERASE_LINE .. line
      row = i
    end
  end
  return parts, row
end

local function shrink(self, lines, parts, row)
  if #lines >= #self.lines then return row end
  if #lines == 0 then
    parts[#parts + 1] = move(row, 1) .. clear(#self.lines)
    return 1
  end
  parts[#parts + 1] = move(row, #lines + 1) .. ERASE_BELOW .. move(#lines + 1, #lines)
  return #lines
end

local function difference(self, lines)
  local parts, row = changes(self, lines)
  row = shrink(self, lines, parts, row)
  local bottom = math.max(#lines, 1)
  if row ~= bottom then parts[#parts + 1] = move(row, bottom) end
  self.lines, self.row = lines, bottom
  return table.concat(parts)
end

--- Shows these lines in place of those that were there; writes only what differs.
---@param lines string[] none wider than the terminal
function Screen:draw(lines)
  local text = difference(self, lines)
  if text ~= "" then self.write(BEGIN .. text .. "\r" .. END) end
end

local function erase(self)
  local text = move(self.row, 1) .. clear(#self.lines)
  self.lines, self.row = {}, 1
  return text
end

--- Lets lines stand for good above what is drawn; they scroll away with everything else.
---@param lines string[] of any width
function Screen:commit(lines)
  if #lines == 0 then return end
  local drawn = self.lines
  local text = erase(self) .. WRAP .. table.concat(lines, "\r\n") .. "\r\n" .. NO_WRAP
  self.write(BEGIN .. text .. difference(self, drawn) .. "\r" .. END)
end

-- How many columns a painted line takes: what follows the last absolute place reaches furthest.
local function line_columns(line)
  local place, rest = line:match(".*\27%[(%d+)G(.*)$")
  return (place and tonumber(place) - 1 or 0) + width.columns(colour.strip(rest or line))
end

--- The terminal has another width now, and has broken the old lines anew: erases them where they are.
---@param columns integer the new width
function Screen:reflow(columns)
  local rows = 0
  for i = 1, self.row - 1 do
    rows = rows + math.max(1, math.ceil(line_columns(self.lines[i]) / columns))
  end
  self.lines, self.row = {}, 1
  self.write(BEGIN .. move(rows + 1, 1) .. clear(rows + 1) .. END)
end

--- Gives the terminal back for a while, with what is drawn erased.
function Screen:lend()
  self.write(erase(self) .. WRAP .. SHOW)
end

--- Takes the terminal over again, from the cursor's line downwards.
function Screen:retake()
  self.lines, self.row = {}, 1
  self.write(HIDE .. NO_WRAP)
end

--- Erases what is drawn and gives the terminal back; idempotent.
function Screen:close()
  if self.closed then return end
  self.closed = true
  self.write(erase(self) .. WRAP .. SHOW)
end

return M
