--- What is told of a round when it is over: who said what, who failed and why, what was decided.
local ballots = require "curia.view.ballots"
local statuses = require "curia.view.status"
local width = require "curia.view.width"
local words = require "curia.view.words"

local M = {}

local MARKS = { ok = "✓", skipped = "–", eliminated = "–" }
local COLOURS = { ok = "green", skipped = "dim", eliminated = "dim" }

local TIE_BREAKS = { first = "name", random = "chance", ["function"] = "the council's function" }

-- What was voted on may be a whole answer.
local LONGEST_OPTION = 40

local function scored(id, scores)
  local score, name = type(scores) == "table" and scores[id], width.cut(width.clean(tostring(id)), LONGEST_OPTION)
  return type(score) == "number" and ("%s %s"):format(name, words.decimal(score)) or name
end

-- A ballot that does not count is told with its reason, so that nobody wonders who was not heard.
local function discarded_text(decision)
  local told = {}
  for i, ballot in ipairs(decision.discarded or {}) do
    told[i] = ("%s (%s)"):format(tostring(ballot.voter), tostring(ballot.reason))
  end
  return #told > 0 and "; not counted: " .. table.concat(told, ", ") or ""
end

-- A tie says who is tied and what became of it.
local function tie_text(decision)
  if not decision.tie then return "" end
  local broken = type(decision.detail) == "table" and decision.detail.tie_break
  if TIE_BREAKS[broken] then return (" (tie, broken by %s)"):format(TIE_BREAKS[broken]) end
  if type(broken) ~= "table" then return " (tie)" end
  if broken.choice then return (" (tie, broken by the chair for %s)"):format(broken.choice) end
  return (" (tie; the chair has not broken it: %s)"):format(tostring(broken.error))
end

-- A ranking alone would look like a winner; a bracket that goes on tells how many are left.
local function no_winner_text(decision)
  if decision.winner or decision.tie or not decision.rule then return "" end
  if type(decision.detail) == "table" and decision.detail.still_in then return "" end
  return "; no winner by the rule " .. decision.rule
end

-- How the winner came to win, and by how much.
local function rule_text(decision)
  if not decision.winner or not decision.rule then return "" end
  local margin = not decision.tie and type(decision.margin) == "number"
  return (" (%s%s)"):format((decision.rule:gsub("_", " ")),
    margin and (", margin %.0f %%"):format(decision.margin * 100) or "")
end

--- What a round decided, in one line: "ranking: skeptic 2.5, optimist 1.5 (borda, margin 50 %)"; nil where nothing was.
---@param decision? table
---@return string?
function M.decision(decision)
  if type(decision) ~= "table" then return nil end
  local ranked = {}
  for i, id in ipairs(decision.ranking or {}) do ranked[i] = scored(id, decision.scores) end
  local text
  if #ranked > 0 then text = "ranking: " .. table.concat(ranked, ", ") .. no_winner_text(decision)
  elseif decision.winner then text = "winner: " .. scored(decision.winner, decision.scores)
  else text = "no winner" end
  return width.clean(text .. rule_text(decision) .. tie_text(decision) .. discarded_text(decision))
end

--- How many of a round's members answered, or are still in: "2 of 3 answered".
---@param results table<string, curia.MemberResult>
---@return string
function M.turnout(results)
  local all, ok, out = 0, 0, 0
  for _, result in pairs(results) do
    if result.status ~= "skipped" then all = all + 1 end
    if result.status == "ok" then ok = ok + 1 end
    if result.status == "eliminated" then out = out + 1 end
  end
  return ("%d of %d %s"):format(ok, all, out > 0 and "left" or "answered")
end

-- What a round that asks several times tells of itself: how often, and why it stopped.
local function course(metadata)
  local why = metadata.stopped and " (" .. tostring(metadata.stopped):gsub("_", " ") .. ")" or ""
  if metadata.iterations then return words.counted(#metadata.iterations, "iteration") .. why end
  if metadata.saved then
    return words.counted(metadata.asked, "sample") .. why .. (", %d saved"):format(metadata.saved)
  end
end

--- How a round went: "2 of 3 answered · 5 samples (posterior), 5 saved · 2.1 s".
---@param result curia.RoundResult
---@return string
function M.facts(result)
  local told = course(result.metadata or {})
  return ("%s%s · %s"):format(M.turnout(result.results), told and " · " .. told or "",
    words.duration(result.duration_ms))
end

-- What a judge's ballot comes to is said before its words.
local function answer_text(result)
  local content, ballot = result.response.content or "", ballots.text(result.response.parsed)
  return ballot and ("%s\n\n%s"):format(ballot, content) or content
end

-- Who stood behind the labels that the judges saw.
local function labels_text(decision)
  local map = decision and decision.detail and decision.detail.label_to_id
  local told = {}
  for label, id in pairs(map or {}) do told[#told + 1] = ("%s = %s"):format(label, id) end
  table.sort(told)
  return #told > 0 and width.clean(table.concat(told, ", ")) or nil
end

local function indented(text, columns)
  local lines = width.wrap_all(width.clean(text):gsub("\n+$", ""), math.max(columns - 3, 8))
  for i, line in ipairs(lines) do lines[i] = line == "" and "" or "  " .. line end
  return lines
end

local function failure_lines(head, status, colour, columns, indent, paint)
  local lines = width.hang(status, columns - 1, indent)
  for i, line in ipairs(lines) do lines[i] = paint[colour](line) end
  lines[1] = head .. lines[1]
  return lines
end

-- What a member had said before it was cut off is shown, as what it is.
local function unfinished_lines(member, columns, paint)
  local text = table.concat(member.shown.text)
  if not text:find("%S") then return {} end
  local lines = indented(text, columns)
  table.insert(lines, 1, paint.dim("  unfinished:"))
  return lines
end

local function append(lines, more)
  return table.move(more, 1, #more, #lines + 1, lines)
end

local function member_lines(member, now, columns, paint)
  local result, name = member.result, width.clean(member.id)
  local colour = COLOURS[result.status] or "red"
  local head = ("%s %s  "):format(paint[colour](MARKS[result.status] or "✗"), paint.bold(name))
  local status = statuses.text(member, now)
  if result.status ~= "ok" then
    local lines = failure_lines(head, status, colour, columns, width.columns(name) + 4, paint)
    return append(lines, unfinished_lines(member, columns, paint))
  end
  local model = result.model and width.clean(result.model) .. " · " or ""
  local room = columns - width.columns(name) - 5
  local lines = indented(answer_text(result), columns)
  table.insert(lines, 1, head .. paint.dim(width.cut(model .. status, room)))
  return lines
end

local function title_lines(view, round, result, columns, paint)
  local place = width.cut(width.clean(view:headline(round)), columns - 1)
  local facts = M.facts(result)
  if width.columns(place) + width.columns(facts) + 4 > columns then
    return { paint.bold(place), paint.dim(facts), "" }
  end
  return { paint.bold(place) .. paint.dim(" · " .. facts), "" }
end

-- The matches of a bracket: a judge's several verdicts, of which its place shows the last alone.
local function matches_text(decision)
  local matches = type(decision) == "table" and type(decision.detail) == "table" and decision.detail.matches
  local told = {}
  for i, match in ipairs(matches or {}) do
    told[i] = match.tie and ("%s and %s tie, %s goes on"):format(match.a, match.b, match.winner)
      or ("%s beats %s"):format(match.winner, match.loser)
  end
  return #told > 0 and width.clean("matches: " .. table.concat(told, "; ")) or nil
end

local function decision_lines(decision, columns, paint)
  local lines = {}
  local texts = { matches_text(decision) or false, M.decision(decision) or false, labels_text(decision) or false }
  for _, text in ipairs(texts) do
    for _, line in ipairs(text and width.hang(text, columns - 1, 2) or {}) do lines[#lines + 1] = paint.cyan(line) end
  end
  if #lines > 0 then lines[#lines + 1] = "" end
  return lines
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
  local lines = title_lines(view, round, result, columns, paint)
  for _, member in ipairs(round.members) do
    local silent = round.chair and member.result and member.result.status == "ok"
    if member.result and not silent then
      append(lines, member_lines(member, now, columns, paint))
      lines[#lines + 1] = ""
    end
  end
  append(lines, decision_lines(result.decision, columns, paint))
  return lines
end

return M
