--- `curia runs export`: runs with their events as lines of JSON, or a copy of the whole database.
local config = require "curia.config"
local errors = require "curia.errors"
local reading = require "curia.recorder.reading"
local records = require "curia.view.records"
local stores = require "curia.cli.runs.store"
local uv = require "luv"

local M = {}

local function export_run(run)
  if not io.write(records.line { run = run.row }) then return false end
  for event in run:watch():each() do
    if not io.write(records.line { event = event }) then return false end
  end
  return true
end

local function all_ids(store)
  local rows, err = reading.rows(store, { namespace = config.shared():get "namespace", inside = true })
  if not rows then return nil, err end
  local ids = {}
  for i, row in ipairs(rows) do ids[#rows + 1 - i] = row.run_id end -- oldest first
  return ids
end

--- Writes runs to standard output: `{"run": row}`, then `{"event": event}` for each of its events. Runs that still go
--- on are written as they are.
---@async
---@param store curia.Store
---@param ids string[] none: all
---@return true?
---@return curia.Error?
function M.lines(store, ids)
  local err
  if #ids == 0 then ids, err = all_ids(store) end
  if not ids then return nil, err end
  for _, id in ipairs(ids) do
    local run, problem = reading.from(store, id, config.shared():get "namespace")
    if not run then return nil, problem end
    run.ended = true -- what is there by now; nothing is waited for
    if not export_run(run) then return true end -- nobody reads on
    run, problem = stores.warn(run)
    if not run then return nil, problem end
  end
  io.flush()
  return true
end

--- Copies the database into a new file, while it is in use.
---@async
---@param store curia.Store
---@param path string
---@return true?
---@return curia.Error?
function M.database(store, path)
  if uv.fs_stat(path) then
    return nil, errors.new("validation", path .. " is there already; a copy never replaces anything")
  end
  local done, err = store.db:backup(path)
  if not done then os.remove(path) end -- what there is of it is no copy
  return done, err
end

return M
