--- A run that is over, as a page to read: what was asked, each round with everybody's answer, the answer, what it took.
local report = require "curia.view.report"
local state = require "curia.view.state"
local statuses = require "curia.view.status"
local summary = require "curia.view.summary"
local width = require "curia.view.width"

local M = {}

---@class curia.view.Page
---@field council string
---@field question? string
---@field events curia.Event[]
---@field result? table nil while the run goes on
---@field facts {[1]: string, [2]: string}[] what else there is to say: label and text

local WIDEST = 100 -- columns in which long lines are still read with ease
local LABEL = 11

local function append(lines, more)
  return table.move(more, 1, #more, #lines + 1, lines)
end

local function head(page, columns, paint)
  local lines = { paint.bold(width.clean(page.council)) }
  append(lines, page.question and width.wrap_all(width.clean(page.question), columns) or {})
  lines[#lines + 1] = ""
  return lines
end

-- The round that was going on when the last event came: how its members stood.
local function under_way(view, now, columns, paint)
  local lines = { paint.bold(width.cut(width.clean(view:headline(view.round)), columns - 1)) }
  for _, member in ipairs(view.round.members) do
    local text = ("  %s: %s"):format(member.id, statuses.text(member, now))
    append(lines, width.hang(text, columns - 1, 4))
  end
  lines[#lines + 1] = ""
  return lines
end

-- As the view that moves would have left them standing, each at its own time.
local function rounds(page, columns, paint)
  local lines, first = {}, page.events[1]
  local view = state.new({ council = page.council, question = page.question }, first and first.at or 0)
  for _, event in ipairs(page.events) do
    view:apply(event, event.at)
    local round = event.type == "round_completed" and view.round
    if round then
      view:leave_round()
      append(lines, summary.round(view, round, event.result, event.at, columns, paint))
    end
  end
  if view.round then append(lines, under_way(view, page.events[#page.events].at, columns, paint)) end
  return lines
end

local function answer(page, columns, paint)
  local text = page.result and report.answer(page.result)
  if not text then return {} end
  return { paint.bold "answer", report.for_terminal(text, columns), "" }
end

local function facts(page, columns, paint)
  local lines = page.result and report.footer(page.result, {}, paint, columns) or {}
  for _, fact in ipairs(page.facts) do
    local shown = width.hang(width.clean(fact[2]):gsub("\n", " "), columns, LABEL)
    shown[1] = paint.dim(width.pad(fact[1], LABEL)) .. shown[1]
    append(lines, shown)
  end
  return lines
end

--- The page's lines.
---@param page curia.view.Page
---@param columns integer
---@param paint curia.view.Palette
---@return string[]
function M.lines(page, columns, paint)
  columns = math.min(columns, WIDEST)
  local lines = {}
  for _, part in ipairs { head, rounds, answer, facts } do append(lines, part(page, columns, paint)) end
  return lines
end

return M
