--- `curia runs list`: two lines for each run on a terminal, one with tabs in a pipe.
local config = require "curia.config"
local fates = require "curia.cli.runs.fate"
local json = require "curia.json"
local paper = require "curia.cli.paper"
local reading = require "curia.recorder.reading"
local width = require "curia.view.width"
local words = require "curia.view.words"

local M = {}

local MOST = 20 -- on a terminal, unless told otherwise

local COLOURS = {
  completed = "green", failed = "red", terminated = "red", died = "red", cancelled = "yellow", ["let go"] = "yellow",
}

local function question_of(row)
  local question = type(row.input) == "table" and row.input.question
  return type(question) == "string" and width.clean(question):gsub("%s+", " ") or ""
end

local function cost_of(row)
  return row.offline and "offline" or row.cost and words.dollars(row.cost) or "-"
end

local function state_of(row)
  return row.fate and row.fate.state or row.status
end

-- ---- for people -----------------------------------------------------------------------------------

local function fate_lines(fate, columns, paint)
  if not fate then return "" end
  local text = fate.note .. (fate.command and ": " .. fate.command or "")
  return "  " .. paint.yellow(table.concat(width.hang(text, columns - 3, 0), "\n  ")) .. "\n"
end

local function lines_of(row, columns, paint)
  local state = state_of(row)
  local asked = width.cut(width.clean(row.council) .. ": " .. question_of(row), columns - 3)
  return ("%s  %s  %s %s\n  %s\n"):format(row.run_id, words.short_moment(row.inserted_at),
    paint[COLOURS[state] or "cyan"](width.pad(state, 10)), cost_of(row), paint.dim(asked))
    .. fate_lines(row.fate, columns, paint)
end

local function sum(rows)
  local cost, known = 0, 0
  for _, row in ipairs(rows) do
    if row.cost or row.offline then cost, known = cost + (row.cost or 0), known + 1 end
  end
  local unpriced = #rows - known
  return ("%s, %s%s"):format(words.counted(#rows, "run"), known > 0 and words.dollars(cost) or "cost unknown",
    known > 0 and unpriced > 0 and (" (%d of unknown cost)"):format(unpriced) or "")
end

local function show(rows, out)
  for _, row in ipairs(rows) do out:write(lines_of(row, out.columns, out.paint)) end
  out:write(out.paint.dim(#rows == 0 and "no runs" or sum(rows)) .. "\n")
end

-- ---- for programs ---------------------------------------------------------------------------------

local function line_of(row)
  return table.concat({
    row.run_id, words.timestamp(row.inserted_at), state_of(row), row.council, cost_of(row),
    question_of(row),
  }, "\t") .. "\n"
end

local function document(rows)
  local list = json.array()
  for i, row in ipairs(rows) do
    row.process, row.fate = row.fate and row.fate.state, nil
    row.duration_ms = row.finalized_at and row.started_at and row.finalized_at - row.started_at
    list[i] = row
  end
  return json.encode(list, { indent = 2 }) .. "\n"
end

--- Prints the runs that the options ask for, newest first.
---@async
---@param store curia.Store
---@param values table `status`, `council`, `since` (ms ago), `limit`, `group`, `inside`, `json`
---@param now integer Unix ms
---@return true?
---@return curia.Error?
function M.perform(store, values, now)
  local out = paper.open()
  local rows, err = reading.rows(store, {
    namespace = config.shared():get "namespace", status = values.status, council = values.council,
    group = values.group, inside = values.inside, since = values.since and now - values.since,
    limit = values.limit or out.columns and not values.json and MOST or nil,
  })
  if not rows then return nil, err end
  for _, row in ipairs(rows) do row.fate = fates.of(store, row) end
  if values.json then io.write(document(rows))
  elseif out.columns then show(rows, out)
  else
    for _, row in ipairs(rows) do io.write(line_of(row)) end
  end
  return true
end

return M
