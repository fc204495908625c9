--- `curia runs show`: a run as a page, or its result as a document.
local fates = require "curia.cli.runs.fate"
local paper = require "curia.cli.paper"
local pages = require "curia.view.page"
local records = require "curia.view.records"
local rows = require "curia.store.runs"
local stores = require "curia.cli.runs.store"
local waiting = require "curia.cli.runs.waiting"
local words = require "curia.view.words"

local M = {}

local WIDE = 80 -- where no terminal says how wide it is

local function steps_text(store, row)
  local counts = store:query(
    "SELECT status, count(*) AS n FROM {steps} WHERE namespace = ? AND run_id = ? GROUP BY status ORDER BY status",
    row.namespace, row.run_id)
  local told = {}
  for i, count in ipairs(counts or {}) do told[i] = ("%d %s"):format(count.n, count.status) end
  return #told > 0 and table.concat(told, ", ") or nil
end

local function status_text(row, fate)
  if fate then return ("%s, but %s"):format(row.status, fate.note) end
  return row.status .. (row.reason and " (" .. row.reason .. ")" or "")
end

-- A run that has failed may be tried again, one whose council has changed may go on all the same.
local function command(row, fate)
  if fate then return fate.command end
  if row.durability == "none" or row.parent_run_id then return nil end
  local differs = row.reason == "replay_mismatch" and row.error and row.error.context
  if differs then return ("curia resume %s --accept %s"):format(row.run_id, differs.path) end
  return row.status == "failed" and "curia resume " .. row.run_id or nil
end

local ORDER = {
  { "status", status_text },
  { "why", function(row) return not row.result and row.error and words.problem(row.error) or nil end },
  { "go on", command },
  { "run", function(row) return not row.result and row.run_id or nil end }, -- else the footer says it
  { "started", function(row) return row.started_at and words.moment(row.started_at) end },
  { "ended", function(row) return row.finalized_at and words.moment(row.finalized_at) end },
  { "group", function(row) return row.group_name end },
  { "inside of", function(row) return row.parent_run_id end },
  { "again of", function(row) return row.parent_attempt_run_id end },
  { "job", function(row) return row.job_id end },
  { "cancel", function(row) return not row.finalized_at and row.cancel_requested or nil end },
  { "durable", function(row) return row.durability ~= "none" and row.durability or nil end },
}

local function facts(run)
  local store, row = run.store, run.row
  local found, fate = {}, fates.of(store, row)
  for _, fact in ipairs(ORDER) do
    local text = fact[2](row, fate)
    if text then found[#found + 1] = { fact[1], text } end
  end
  local steps = steps_text(store, row)
  if steps then found[#found + 1] = { "steps", steps } end
  local missing = stores.missing(run)
  if missing then found[#found + 1] = { "record", missing } end
  return found
end

local function add_waiting(found, row, calls)
  for _, call in ipairs(calls) do
    found[#found + 1] = { "waits for", "a decision about " .. call.text }
    found[#found + 1] = { "decide", ("curia approve %s %s yes|no"):format(row.run_id, call.id) }
  end
end

local function page_of(run, events, calls)
  local row = run.row
  local question = type(row.input) == "table" and row.input.question
  local page = {
    council = row.council, question = type(question) == "string" and question or nil, events = events,
    result = row.result, facts = facts(run),
  }
  add_waiting(page.facts, row, calls)
  return page
end

--- Prints a run.
---@async
---@param run curia.StoredRun
---@param values {json?: boolean}
---@return true?
---@return curia.Error?
function M.perform(run, values)
  local row = run.row
  if values.json then
    io.write(records.document(row.result or run:state(), nil))
    return stores.warn(run)
  end
  local events, err = rows.events(run.store, row.namespace, run.id)
  if not events then return nil, err end
  local calls
  calls, err = waiting.of(run.store, row, events)
  if not calls then return nil, err end
  local out = paper.open()
  local lines = pages.lines(page_of(run, events, calls), out.columns or WIDE, out.paint)
  out:write(table.concat(lines, "\n") .. "\n")
  return true
end

return M
