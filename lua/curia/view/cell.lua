--- The picture of one member: its place among others, or one line where there is no room.
local ballots = require "curia.view.ballots"
local statuses = require "curia.view.status"
local width = require "curia.view.width"

local M = {}

--- The lines above a member's words.
M.HEADER = 2

local SPINNER = { "⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏" }
local SPIN_MS = 100

local LOOKS = {
  waiting = { mark = "○", colour = "dim" },
  asking = { colour = "cyan" },
  thinking = { colour = "cyan" },
  streaming = { colour = "cyan" },
  calling = { colour = "cyan" },
  blocked = { mark = "?", colour = "magenta", urgent = true },
  retrying = { mark = "↻", colour = "yellow", urgent = true },
  done = { mark = "✓", colour = "green" },
  failed = { mark = "✗", colour = "red", urgent = true },
  skipped = { mark = "–", colour = "dim" },
}

local function mark_of(member, now)
  return LOOKS[member.status].mark or SPINNER[now // SPIN_MS % #SPINNER + 1]
end

local function model_of(member)
  return member.model or member.inner and "council " .. member.inner.council
end

local function title(member, now, columns, paint)
  local name, model = width.cut(width.clean(member.id), columns - 2), model_of(member)
  local room = columns - 2 - width.columns(name)
  model = model and room > 4 and width.cut("  " .. width.clean(model), room) or ""
  return paint[LOOKS[member.status].colour](mark_of(member, now)) .. " " .. paint.bold(name) .. paint.dim(model)
end

local function add(lines, more, paint)
  for _, line in ipairs(more) do lines[#lines + 1] = paint(line) end
end

-- What went wrong, or waits for a person, is worth more lines than one.
local function add_status(lines, member, now, columns, paint)
  local look, text = LOOKS[member.status], statuses.text(member, now)
  add(lines, look.urgent and width.wrap(text, columns) or { width.cut(text, columns) }, paint[look.colour])
end

local function add_ballot(lines, member, columns, paint)
  local response = member.status == "done" and member.result.response
  local text = response and ballots.text(response.parsed)
  if text then add(lines, width.wrap((width.clean(text):gsub("\n", " ")), columns), paint.cyan) end
end

-- The members of the council that this member is, and theirs.
local function add_inner(lines, inner, now, columns, indent, paint)
  for _, member in ipairs(inner and inner.round and inner.round.members or {}) do
    lines[#lines + 1] = indent .. M.line(member, now, math.max(columns - #indent, 2), paint)
    add_inner(lines, member.inner, now, columns, indent .. "  ", paint)
  end
end

local function add_words(lines, member, columns, height, paint)
  local flow, thought = member.shown:lines(columns)
  add(lines, flow:tail(height - #lines), thought and paint.dim or function(line) return line end)
end

--- The lines of a member, at most `height` of them.
---@param member curia.view.Member
---@param now number
---@param columns integer
---@param height integer
---@param paint curia.view.Palette
---@return string[]
function M.lines(member, now, columns, height, paint)
  local lines = { title(member, now, columns, paint) }
  add_status(lines, member, now, columns, paint)
  add_ballot(lines, member, columns, paint)
  add_inner(lines, member.inner, now, columns, "  ", paint)
  for i = #lines, math.max(M.HEADER, height) + 1, -1 do lines[i] = nil end
  add_words(lines, member, columns, height, paint)
  return lines
end

--- A member in one line.
---@param member curia.view.Member
---@param now number
---@param columns integer
---@param paint curia.view.Palette
---@return string
function M.line(member, now, columns, paint)
  local text = ("%s %s · %s"):format(mark_of(member, now), width.clean(member.id), statuses.text(member, now))
  return paint[LOOKS[member.status].colour](width.cut(text, columns))
end

return M
