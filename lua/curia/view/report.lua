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

local EXCUSES = { router_excluded = true, early_stop = true }

local function excused(outcome)
  return outcome.status == "skipped" and outcome.metadata and EXCUSES[outcome.metadata.reason]
end

-- The same trouble in several rounds is told once.
local function tell(problems, outcome, round)
  if outcome.status == "ok" or outcome.status == "eliminated" or excused(outcome) then return end
  local text = words.problem(outcome.error or { kind = outcome.status })
  local problem = problems[text]
  if not problem then
    problem = { text = text, rounds = {} }
    problems[text] = problem
    problems[#problems + 1] = problem
  end
  table.insert(problem.rounds, round.name)
end

local function look_at(result, id)
  local answered, model, problems = false, nil, {}
  for _, round in ipairs(result.rounds or {}) do
    local outcome = round.results[id]
    if outcome and outcome.status == "ok" then answered, model = true, outcome.model end
    if outcome then tell(problems, outcome, round) end
  end
  return answered, model, problems
end

local function who(result, known)
  local answered, failed = {}, {}
  for _, id in ipairs(members_of(result, known)) do
    local ok, model, problems = look_at(result, id)
    if ok then answered[#answered + 1] = model and ("%s (%s)"):format(id, model) or id end
    for _, problem in ipairs(problems) do
      local where = #result.rounds > 1 and (" in %s"):format(table.concat(problem.rounds, ", ")) or ""
      failed[#failed + 1] = ("%s%s: %s"):format(id, where, problem.text)
    end
  end
  return answered, failed
end

local function cost_text(cost)
  if not cost then return "unknown" end
  local source = cost.source == "price_table" and "by the price table"
    or cost.source == "provider" and "as the provider says" or "by both provider and price table"
  local unpriced = cost.unpriced_calls
  local rest = unpriced and (", without %s of unknown price"):format(words.counted(unpriced, "call")) or ""
  return ("%s %s%s"):format(words.dollars(cost.usd), source, rest)
end

local function token_text(usage)
  local input, output = usage and usage.input_tokens, usage and usage.output_tokens
  if not input and not output then return "unknown" end
  local function known(count) return count and words.count(count) or "unknown" end
  return ("%s in, %s out"):format(known(input), known(output))
end

local function row(out, label, text, colour)
  local paint = out.paint
  local shown = width.hang(width.clean(text):gsub("\n", " "), out.columns, LABEL)
  for i, line in ipairs(shown) do
    local painted = colour and paint[colour](line) or line
    table.insert(out.lines, i == 1 and paint.dim(width.pad(label, LABEL)) .. painted or painted)
  end
end

-- Errors of the run as such (a deadline, a quorum, a broken script), which no member has, each once.
local function own_errors(result)
  local list, seen = {}, {}
  for _, err in ipairs(result.errors or {}) do
    local text = words.problem(err)
    if not err.member and not seen[text] then list[#list + 1] = text end
    seen[text] = true
  end
  return list
end

local STATUS = {
  partial = { "partial", "yellow", "there is an answer, and somebody is missing in it" },
  error = { "failed", "red", "there is no final answer" },
}

local function cancelled(result)
  local first = result.errors and result.errors[1]
  return result.status == "error" and first and first.kind == "cancelled" and first.message
end

local function status_row(out, result)
  local status, reason = STATUS[result.status], cancelled(result)
  if not status then return end
  if reason then return row(out, "cancelled", reason, "red") end
  local own = own_errors(result)
  row(out, status[1], #own > 0 and table.concat(own, "; ") or status[3], status[2])
end

--- The footer of a run.
---@param result table of the run
---@param members string[] ids in the order of the council
---@param paint curia.view.Palette
---@param columns? integer how wide it may become (unlimited)
---@return string[]
function M.footer(result, members, paint, columns)
  local out = { lines = {}, paint = paint, columns = columns or math.maxinteger }
  local answered, failed = who(result, members)
  if result.metadata and result.metadata.offline then out.lines[1] = paint.yellow(M.OFFLINE) end
  status_row(out, result)
  if #answered > 0 then row(out, "answered", table.concat(answered, ", ")) end
  for i, text in ipairs(failed) do row(out, i == 1 and "no answer" or "", text, "red") end
  row(out, "tokens", token_text(result.usage))
  row(out, "cost", cost_text(result.cost))
  if result.duration_ms then row(out, "time", words.duration(result.duration_ms)) end -- else its process has died
  row(out, "run", result.run_id)
  return out.lines
end

--- Why a run has no answer, in one line; nil where it has one.
---@param result table of the run
---@return string?
function M.failure(result)
  if result.status ~= "error" then return nil end
  if cancelled(result) then return words.problem(result.errors[1]) end
  local told, failed = own_errors(result), select(2, who(result, {}))
  return "failed: " .. table.concat(#told > 0 and told or #failed > 0 and failed or { STATUS.error[3] }, "; ")
end

--- The text of the final answer, or nil.
---@param result table
---@return string?
function M.answer(result)
  local final = result.final
  return final and final.content
end

--- The final answer as people read it on a terminal: clean, and broken between words.
---@param answer string
---@param columns integer
---@param ascii? boolean the terminal knows nothing else
---@return string
function M.for_terminal(answer, columns, ascii)
  local clean = width.clean(answer)
  return table.concat(width.wrap_all(ascii and width.ascii(clean) or clean, columns), "\n")
end

return M
