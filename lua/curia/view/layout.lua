--- The picture of a round on a terminal: members side by side as the width allows, their words as they come.
-- Pure: from the state and the size to lines, each already painted and no wider than the terminal.
local state = require "curia.view.state"
local width = require "curia.view.width"
local words = require "curia.view.words"

local M = {}

local NARROWEST = 30 -- columns that a member needs beside others
local GAP = 3        -- between two members: blank, bar, blank
local HEADER = 2     -- lines above a member's words

local SPINNER = { "⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏" }
local SPIN_MS = 100

local LOOKS = {
  waiting = { mark = "○", colour = "dim" },
  asking = { colour = "cyan" },
  thinking = { colour = "cyan" },
  streaming = { colour = "cyan" },
  retrying = { mark = "↻", colour = "yellow" },
  done = { mark = "✓", colour = "green" },
  failed = { mark = "✗", colour = "red" },
  skipped = { mark = "–", colour = "dim" },
}

local function mark_of(member, now)
  return LOOKS[member.status].mark or SPINNER[now // SPIN_MS % #SPINNER + 1]
end

local function done_text(member)
  local tokens = words.tokens(member.result.response and member.result.response.usage)
  local time = words.duration(member.result.duration_ms)
  return tokens and ("done · %s · %s"):format(tokens, time) or "done · " .. time
end

local function left(member, now)
  return math.max(0, member.wait_ms - (now - member.since))
end

local STATUS = {
  waiting = function() return "waiting" end,
  asking = function(member, now) return "asked · " .. words.elapsed(now - member.asked) end,
  thinking = function(member, now) return "thinking · " .. words.elapsed(now - member.asked) end,
  streaming = function(member, now) return "answering · " .. words.elapsed(now - member.asked) end,
  retrying = function(member, now) return words.retry(left(member, now), member.error) end,
  done = done_text,
  failed = function(member) return words.problem(member.error or { kind = member.result.status }) end,
  skipped = function(member)
    local reason = member.result.metadata and member.result.metadata.reason
    local word = member.result.status == "eliminated" and "out" or "skipped"
    return word .. (reason and (" · " .. tostring(reason):gsub("_", " ")) or "")
  end,
}

--- A member's state in a few words.
---@param member curia.view.Member
---@param now number
---@return string clean, one line
function M.status(member, now)
  return (width.clean(STATUS[member.status](member, now)):gsub("\n", " "))
end

-- What went wrong is worth more lines than one.
local function details(member, now, columns)
  local status = M.status(member, now)
  if member.status == "failed" or member.status == "retrying" then return width.wrap(status, columns) end
  return { width.cut(status, columns) }
end

local function cell_lines(member, now, columns, height, paint)
  local look = LOOKS[member.status]
  local mark, name = mark_of(member, now), width.clean(member.id)
  local model = member.model and ("  " .. width.clean(member.model)) or ""
  name = width.cut(name, columns - 2)
  local room = columns - 2 - width.columns(name)
  local beside_name = paint.dim(room > 4 and width.cut(model, room) or "")
  local lines = { paint[look.colour](mark) .. " " .. paint.bold(name) .. beside_name }
  for _, line in ipairs(details(member, now, columns)) do
    if #lines < math.max(HEADER, height) then lines[#lines + 1] = paint[look.colour](line) end
  end
  local flowing = state.flow_of(member, columns)
  for _, line in ipairs(flowing:tail(height - #lines)) do lines[#lines + 1] = line end
  return lines
end

-- Each column stands at an absolute place, so that a character whose width the terminal sees in another way
-- moves nothing beside it.
local function beside(cells, columns, paint)
  local height, lines = 0, {}
  for _, cell in ipairs(cells) do height = math.max(height, #cell) end
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

local function grid(count, columns)
  local per_row = math.max(1, math.min(count, (columns + GAP) // (NARROWEST + GAP)))
  local rows = math.ceil(count / per_row)
  per_row = math.ceil(count / rows)
  return per_row, rows, (columns - (per_row - 1) * GAP) // per_row
end

local function row_of(members, from, per_row, now, columns, height, paint)
  local cells = {}
  for i = from, math.min(from + per_row - 1, #members) do
    cells[#cells + 1] = cell_lines(members[i], now, columns, height, paint)
  end
  return beside(cells, columns, paint)
end

-- Where there is no room for words, one line a member tells how it is.
local function brief(members, now, columns, height, paint)
  local lines = {}
  for i = 1, math.min(#members, height) do
    local member = members[i]
    local look = LOOKS[member.status]
    local text = ("%s %s · %s"):format(mark_of(member, now), width.clean(member.id), M.status(member, now))
    lines[i] = paint[look.colour](width.cut(text, columns))
  end
  return lines
end

local function panes(members, now, columns, height, paint)
  if #members == 0 then return {} end
  local per_row, rows, own = grid(#members, columns)
  local each = (height - (rows - 1)) // rows
  if each <= HEADER then return brief(members, now, columns, height, paint) end
  local lines = {}
  for from = 1, #members, per_row do
    if from > 1 then lines[#lines + 1] = "" end
    local row = row_of(members, from, per_row, now, own, each, paint)
    table.move(row, 1, #row, #lines + 1, lines)
  end
  return lines
end

local function headline(view, round, now, columns, paint)
  local text = view:headline({ name = width.clean(round.name), idx = round.idx, iteration = round.iteration })
  local elapsed = words.elapsed(now - view.started)
  local mark = view.offline and " · OFFLINE" or ""
  text = width.cut(text, columns - #elapsed - width.columns(mark) - 2)
  local gap = columns - width.columns(text) - width.columns(mark) - #elapsed
  return paint.bold(text) .. paint.yellow(mark) .. (" "):rep(math.max(1, gap)) .. paint.dim(elapsed)
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
  columns = math.max(columns - 1, 8) -- the last column stays free: writing it may break the line
  local lines = panes(round.members, now, columns, math.max(rows - 3, 1), paint)
  table.insert(lines, 1, headline(view, round, now, columns, paint))
  return lines
end

return M
