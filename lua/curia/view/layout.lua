--- The picture of a round on a terminal: members side by side as the width allows, their words as they come.
-- Pure: from the state and the size to lines, each already painted and no wider than the terminal.
local cell = require "curia.view.cell"
local headline = require "curia.view.headline"
local width = require "curia.view.width"
local words = require "curia.view.words"

local M = {}

local NARROWEST = 30       -- columns that a member needs beside others, for its words
local NARROWEST_BRIEF = 24 -- and for one line about it
local GAP = 3              -- between two members: blank, bar, blank
local SMALLEST = 8         -- columns that are painted in any case
local LOWEST_WITH_TALLY = 10

-- Each column stands at an absolute place, so that a character whose width the terminal sees in another way
-- moves nothing beside it.
local function beside(cells, columns, paint)
  local height, lines = 0, {}
  for _, each in ipairs(cells) do height = math.max(height, #each) end
  for i = 1, height do
    local parts = { cells[1][i] or "" }
    for at = 2, #cells do
      local start = (at - 1) * (columns + GAP)
      parts[#parts + 1] = ("\27[%dG%s\27[%dG%s"):format(start - 1, paint.dim("│"), start + 1, cells[at][i] or "")
    end
    lines[i] = table.concat(parts)
  end
  return lines
end

local function grid(count, columns, narrowest)
  local per_row = math.max(1, math.min(count, (columns + GAP) // (narrowest + GAP)))
  local rows = math.ceil(count / per_row)
  per_row = math.ceil(count / rows)
  return per_row, rows, (columns - (per_row - 1) * GAP) // per_row
end

local function row_of(members, from, per_row, now, columns, height, paint)
  local cells = {}
  for i = from, math.min(from + per_row - 1, #members) do
    cells[#cells + 1] = cell.lines(members[i], now, columns, height, paint)
  end
  return beside(cells, columns, paint)
end

-- Those that no place is left for.
local function rest_line(count, columns, paint)
  return paint.dim(width.cut("and " .. words.counted(count, "more", "more"), columns))
end

-- Where there is no room for words, one line a member tells how it is: below each other, else in several columns.
local function brief(members, now, columns, height, paint)
  local per_row, rows, own = 1, #members, columns
  if rows > height then per_row, rows, own = grid(#members, columns, NARROWEST_BRIEF) end
  local fits = rows <= height
  local shown, lines = fits and rows or height - 1, {}
  for row = 1, shown do
    local cells = {}
    for i = (row - 1) * per_row + 1, math.min(row * per_row, #members) do
      cells[#cells + 1] = { cell.line(members[i], now, own, paint) }
    end
    lines[row] = beside(cells, own, paint)[1]
  end
  if not fits then lines[#lines + 1] = rest_line(#members - shown * per_row, columns, paint) end
  return lines
end

local BUSY = { streaming = true, thinking = true }

-- One who speaks, where the others have left room for more than a line or two.
local function speaker(members, now, columns, height, paint)
  if height <= cell.HEADER + 1 then return {} end
  for _, member in ipairs(members) do
    if BUSY[member.status] then return { "", table.unpack(cell.lines(member, now, columns, height - 1, paint)) } end
  end
  return {}
end

local function list_and_speaker(members, now, columns, height, paint)
  local lines = brief(members, now, columns, height, paint)
  local more = speaker(members, now, columns, height - #lines, paint)
  return table.move(more, 1, #more, #lines + 1, lines)
end

local function panes(members, now, columns, height, paint)
  if #members == 0 then return {} end
  local per_row, rows, own = grid(#members, columns, NARROWEST)
  local each = (height - (rows - 1)) // rows
  if each <= cell.HEADER then return list_and_speaker(members, now, columns, height, paint) end
  local lines = {}
  for from = 1, #members, per_row do
    if from > 1 then lines[#lines + 1] = "" end
    local row = row_of(members, from, per_row, now, own, each, paint)
    table.move(row, 1, #row, #lines + 1, lines)
  end
  return lines
end

--- The lines of the round that is going on; none between two rounds.
---@param view curia.view.State
---@param now number
---@param columns integer of the terminal
---@param rows integer of the terminal
---@param paint curia.view.Palette
---@return string[]
function M.live(view, now, columns, rows, paint)
  local round = view.round
  if not round then return {} end
  columns = math.max(columns - 1, SMALLEST) -- the last column stays free: writing it may break the line
  local lines = headline.lines(view, round, now, columns, paint)
  if rows < LOWEST_WITH_TALLY then lines[2] = nil end
  local below = panes(round.members, now, columns, math.max(rows - 2 - #lines, 1), paint)
  return table.move(below, 1, #below, #lines + 1, lines)
end

return M
