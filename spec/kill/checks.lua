--- What must hold at the end of each batch of runs, whatever was killed.
local mock = require "spec.kill.mock"
local rows = require "curia.store.runs"
local steady = require "spec.kill.steady"

local M = {}

---@class spec.kill.Found what is counted, of which all but kills and runs must be nought
---@field kills integer
---@field runs integer
---@field repeated integer finished calls that were made again
---@field lost integer runs without an end
---@field duplicates integer runs whose end is told more than once, or not at all
---@field different integer results that differ from those of runs in peace
---@field again? string the first that was repeated
---@field astray? string the first job that has another end than in peace
---@field example? {run_id: string, expected: string, got: string} the first that differs

---@return spec.kill.Found
function M.found()
  return { kills = 0, runs = 0, repeated = 0, lost = 0, duplicates = 0, different = 0 }
end

local FINISHED = [[SELECT input FROM {steps} WHERE kind = 'call' AND status IN ('finished', 'abandoned')
  AND input IS NOT NULL]]

--- How many of the calls of each key have an outcome on record, or need none any more.
---@async
---@param store curia.Store
---@return table<string, integer>
function M.finished_calls(store)
  local counts = {}
  for _, row in ipairs(assert(store:query(FINISHED))) do
    local key = mock.key(assert(store:unpack(row.input)).messages)
    counts[key] = (counts[key] or 0) + 1
  end
  return counts
end

-- What fails by itself proves little; the budget's run is meant to.
local function check_peaceful(row)
  if row.status == "completed" or row.run_id:find "^budget" then return end
  error(("undisturbed, run %s is %s: %s"):format(row.run_id, row.status, row.error and row.error.message))
end

--- The results of runs that nobody has disturbed, by id.
---@async
---@param store curia.Store
---@param runs string[]
---@return table<string, string>
function M.results(store, runs)
  local results = {}
  for _, run_id in ipairs(runs) do
    local row = assert(rows.get(store, "default", run_id))
    check_peaceful(row)
    results[run_id] = steady(row.result)
  end
  return results
end

local TERMINAL = "SELECT count(*) AS n FROM {run_events} WHERE run_id = ? AND type IN ('run_completed', 'run_failed')"

--- Counts what is wrong with a run that must have ended.
---@async
---@param store curia.Store
---@param run_id string
---@param expected string its result
---@param found spec.kill.Found
function M.run(store, run_id, expected, found)
  local row = rows.get(store, "default", run_id)
  if not row or not row.finalized_at then
    found.lost = found.lost + 1
    return
  end
  if store:query(TERMINAL, run_id)[1].n ~= 1 then found.duplicates = found.duplicates + 1 end
  local got = steady(row.result)
  if got == expected then return end
  found.different = found.different + 1
  found.example = found.example or { run_id = run_id, expected = expected, got = got }
end

return M
