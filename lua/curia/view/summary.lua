--- What is told of a round when it is over: who said what, who failed and why, what was decided.
local layout = require "curia.view.layout"
local width = require "curia.view.width"
local words = require "curia.view.words"

local M = {}

local MARKS = { ok = "✓", skipped = "–", eliminated = "–" }
local COLOURS = { ok = "green", skipped = "dim", eliminated = "dim" }

local function number(value)
  return (("%.2f"):format(value):gsub("%.?0+$", ""))
end

local function scored(id, scores)
  local score = type(scores) == "table" and scores[id]
  return type(score) == "number" and ("%s %s"):format(id, number(score)) or tostring(id)
end

local function discarded_text(decision)
  local discarded = decision.discarded
  if type(discarded) ~= "table" or #discarded == 0 then return "" end
  return (" (%s unreadable)"):format(words.counted(#discarded, "ballot"))
end

--- What a round decided, in one line: "ranking: skeptic 2.5, optimist 1.5"; nil where nothing was.
---@param decision? table
---@return string?
function M.decision(decision)
  if type(decision) ~= "table" then return nil end
  local ranked = {}
  for i, id in ipairs(decision.ranking or {}) do ranked[i] = scored(id, decision.scores) end
  local text
  if #ranked > 0 then text = "ranking: " .. table.concat(ranked, ", ")
  elseif decision.winner then text = "winner: " .. scored(decision.winner, decision.scores)
  else text = "no winner" end
  return width.clean(text .. (decision.tie and " (tie)" or "") .. discarded_text(decision))
end

--- How many of a round's members answered: "2 of 3 answered".
---@param results table<string, curia.MemberResult>
---@return string
function M.turnout(results)
  local all, ok = 0, 0
  for _, result in pairs(results) do
    if result.status ~= "skipped" then all = all + 1 end
    if result.status == "ok" then ok = ok + 1 end
  end
  return ("%d of %d answered"):format(ok, all)
end

-- A ballot reads better as an order than as JSON; labels are told as the members that they stand for.
local function answer_text(result, decision)
  local response = result.response
  local parsed = response.parsed
  if type(parsed) ~= "table" or type(parsed.ordering) ~= "table" then return response.content or "" end
  local names = decision and decision.detail and decision.detail.label_to_id or {}
  local order = {}
  for i, label in ipairs(parsed.ordering) do order[i] = tostring(names[label] or label) end
  local rationale = type(parsed.rationale) == "string" and "\n" .. parsed.rationale or ""
  return table.concat(order, " > ") .. rationale
end

local function indented(text, columns)
  local lines = width.wrap_all(width.clean(text):gsub("\n+$", ""), math.max(columns - 3, 8))
  for i, line in ipairs(lines) do lines[i] = line == "" and "" or "  " .. line end
  return lines
end

local function member_lines(member, now, decision, columns, paint)
  local result = member.result
  local colour = COLOURS[result.status] or "red"
  local head = ("%s %s"):format(paint[colour](MARKS[result.status] or "✗"), paint.bold(width.clean(member.id)))
  local status = layout.status(member, now)
  if result.status ~= "ok" then return { head .. "  " .. paint[colour](status) } end
  local model = result.model and width.clean(result.model) .. " · " or ""
  local lines = indented(answer_text(result, decision), columns)
  table.insert(lines, 1, head .. "  " .. paint.dim(model .. status))
  return lines
end

local function title(view, round, result, paint)
  local facts = ("%s · %s"):format(M.turnout(result.results), words.duration(result.duration_ms))
  return paint.bold(width.clean(view:headline(round))) .. paint.dim(" · " .. facts)
end

--- The lines that stay of a round: everybody's answer in full. The chair's own answer is left out where it
--- is the council's, which follows.
---@param view curia.view.State
---@param round curia.view.Round
---@param result table the round's result
---@param now number
---@param columns integer
---@param paint curia.view.Palette
---@return string[]
function M.round(view, round, result, now, columns, paint)
  local lines = { title(view, round, result, paint), "" }
  for _, member in ipairs(round.members) do
    local silent = round.chair and member.result and member.result.status == "ok"
    if member.result and not silent then
      local told = member_lines(member, now, result.decision, columns, paint)
      table.move(told, 1, #told, #lines + 1, lines)
      lines[#lines + 1] = ""
    end
  end
  local decision = M.decision(result.decision)
  if decision then
    lines[#lines + 1] = paint.cyan(decision)
    lines[#lines + 1] = ""
  end
  return lines
end

return M
