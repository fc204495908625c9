--- The end of a run: who answered, who did not and why, what it took.
local width = require "curia.view.width"
local words = require "curia.view.words"

local M = {}

--- What marks everything that no model has said.
M.OFFLINE = "OFFLINE: scripted answers, no model was asked"

local LABEL = 11 -- columns of the words in front

local function add_ids(order, seen, ids)
  for _, id in ipairs(ids) do
    if not seen[id] then order[#order + 1] = id end
    seen[id] = true
  end
end

-- The council's order, then whoever else has a result.
local function members_of(result, known)
  local order, seen = {}, {}
  add_ids(order, seen, known)
  for _, round in ipairs(result.rounds or {}) do
    local ids = {}
    for id in pairs(round.results) do ids[#ids + 1] = id end
    table.sort(ids)
    add_ids(order, seen, ids)
  end
  return order
end

local function excused(outcome)
  return outcome.status == "skipped" and outcome.metadata and outcome.metadata.reason == "router_excluded"
end

local function tell(problems, outcome, round, rounds)
  if outcome.status == "ok" or outcome.status == "eliminated" or excused(outcome) then return end
  local text = words.problem(outcome.error or { kind = outcome.status })
  if rounds > 1 then text = ("%s: %s"):format(round.name, text) end
  problems[#problems + 1] = text
end

local function look_at(result, id)
  local answered, model, problems = false, nil, {}
  for _, round in ipairs(result.rounds or {}) do
    local outcome = round.results[id]
    if outcome and outcome.status == "ok" then answered, model = true, outcome.model end
    if outcome then tell(problems, outcome, round, #result.rounds) end
  end
  return answered, model, problems
end

local function who(result, known)
  local answered, failed = {}, {}
  for _, id in ipairs(members_of(result, known)) do
    local ok, model, problems = look_at(result, id)
    if ok then answered[#answered + 1] = model and ("%s (%s)"):format(id, model) or id end
    for _, problem in ipairs(problems) do failed[#failed + 1] = ("%s: %s"):format(id, problem) end
  end
  return answered, failed
end

local function cost_text(cost)
  if not cost then return "unknown" end
  local source = cost.source == "price_table" and "by the price table"
    or cost.source == "provider" and "as the provider says" or "by both provider and price table"
  local rest = cost.unpriced_calls and (", without %s of unknown price"):format(words.counted(cost.unpriced_calls, "call"))
    or ""
  return ("%s %s%s"):format(words.dollars(cost.usd), source, rest)
end

local function token_text(usage)
  local input, output = usage and usage.input_tokens, usage and usage.output_tokens
  if not input and not output then return "unknown" end
  return ("%s in, %s out"):format(input and words.count(input) or "unknown", output and words.count(output) or "unknown")
end

local function row(lines, label, text, paint, colour)
  local shown = width.clean(text):gsub("\n", " ")
  lines[#lines + 1] = paint.dim(width.pad(label, LABEL)) .. (colour and paint[colour](shown) or shown)
end

-- Errors of the run as such (a deadline, a quorum, a broken script), which no member has.
local function own_errors(result)
  local list = {}
  for _, err in ipairs(result.errors or {}) do
    if not err.member then list[#list + 1] = words.problem(err) end
  end
  return list
end

local STATUS = {
  partial = { "partial", "yellow", "there is an answer, and somebody is missing in it" },
  error = { "failed", "red", "there is no final answer" },
}

local function status_row(lines, result, paint)
  local status = STATUS[result.status]
  if not status then return end
  local own = own_errors(result)
  row(lines, status[1], #own > 0 and table.concat(own, "; ") or status[3], paint, status[2])
end

--- The footer of a run.
---@param result table of the run
---@param members string[] ids in the order of the council
---@param paint curia.view.Palette
---@return string[]
function M.footer(result, members, paint)
  local lines = {}
  local answered, failed = who(result, members)
  if result.metadata and result.metadata.offline then lines[1] = paint.yellow(M.OFFLINE) end
  status_row(lines, result, paint)
  if #answered > 0 then row(lines, "answered", table.concat(answered, ", "), paint) end
  for i, text in ipairs(failed) do row(lines, i == 1 and "no answer" or "", text, paint, "red") end
  row(lines, "tokens", token_text(result.usage), paint)
  row(lines, "cost", cost_text(result.cost), paint)
  row(lines, "time", words.duration(result.duration_ms), paint)
  row(lines, "run", result.run_id, paint)
  return lines
end

--- The text of the final answer, or nil.
---@param result table
---@return string?
function M.answer(result)
  local final = result.final
  return final and final.content
end

return M
