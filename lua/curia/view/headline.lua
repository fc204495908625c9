--- The lines above the members: which round of how many, who is through, what it has cost, what the ballots say.
local ballots = require "curia.view.ballots"
local totals = require "curia.view.totals"
local width = require "curia.view.width"
local words = require "curia.view.words"

local M = {}

local GAP = 2 -- columns between what stands left and what stands right

local function count(members)
  local sums = { done = 0, failed = 0, skipped = 0, blocked = 0 }
  for _, member in ipairs(members) do
    if sums[member.status] then sums[member.status] = sums[member.status] + 1 end
  end
  return sums
end

local function progress(round)
  local sums, parts = count(round.members), {}
  local all = #round.members - sums.skipped
  if round.left then parts[#parts + 1] = ("%d still in"):format(round.left) end
  if all > 1 then parts[#parts + 1] = ("%d of %d done"):format(sums.done, all) end
  if sums.failed > 0 then parts[#parts + 1] = sums.failed .. " failed" end
  if sums.blocked > 0 then parts[#parts + 1] = sums.blocked .. " waiting for approval" end
  return parts
end

-- What stands left, as much of it as there is room for; the round itself is cut if it must be.
local function left_text(view, round, room)
  local text = view:headline {
    name = width.clean(round.name), idx = round.idx, iteration = round.iteration, iterations = round.iterations,
  }
  for _, part in ipairs(progress(round)) do
    local longer = text .. " · " .. part
    if width.columns(longer) > room then break end
    text = longer
  end
  return width.cut(text, room)
end

-- The time stands at the right in any case; money and tokens where they do not crowd the round out.
local function right_text(view, now, columns)
  local text = words.elapsed(now - view.started)
  for _, fact in ipairs(totals.texts(view:used(), view.budget)) do
    local longer = fact .. " · " .. text
    if width.columns(longer) > columns // 2 then break end
    text = longer
  end
  return text
end

local function first_line(view, round, now, columns, paint)
  local right, mark = right_text(view, now, columns), view.offline and " · OFFLINE" or ""
  local left = left_text(view, round, columns - width.columns(right) - width.columns(mark) - GAP)
  local gap = columns - width.columns(left) - width.columns(mark) - width.columns(right)
  return paint.bold(left) .. paint.yellow(mark) .. (" "):rep(math.max(1, gap)) .. paint.dim(right)
end

--- The lines above the members of a round.
---@param view curia.view.State
---@param round curia.view.Round
---@param now number
---@param columns integer
---@param paint curia.view.Palette
---@return string[]
function M.lines(view, round, now, columns, paint)
  local tally = ballots.so_far(round.members)
  return { first_line(view, round, now, columns, paint), tally and paint.cyan(width.cut(tally, columns)) }
end

return M
