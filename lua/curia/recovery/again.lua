--- A run that is begun anew, as another one: its row, which is there before it begins.
local clock = require "curia.core.clock"
local log = require "curia.log"
local resuming = require "curia.durable.resume"
local rows = require "curia.store.runs"
local runs = require "curia.engine.runs"
local system = require "curia.core.system"

local M = {}

local STORED_MS = 10000

--- The runs that go on here without a journal, or are not stored yet.
---@type table<curia.Run, true>
M.live = {}

local KEPT = {
  "namespace", "group_name", "council", "spec_hash", "source", "source_hash", "durability", "recovery", "max_attempts",
  "job_id", "source_stack", "source_env", "input", "options", "seed",
}

--- The row of the next attempt of a run.
---@param row curia.store.RunRow
---@return curia.store.RunRow
function M.row(row)
  local new = {
    run_id = system.uuid7(), status = "pending", attempt = row.attempt + 1, attempts = 0, fence = 0, events = 0,
    parent_attempt_run_id = row.run_id, started_at = clock.wall_ms(),
  }
  for _, name in ipairs(KEPT) do new[name] = row[name] end
  if row.durability == "none" then new.recovery = "restart" end -- whoever finds it begins it
  return new
end

local OF_JOB = "UPDATE {jobs} SET run_id = ? WHERE job_id = ? AND run_id = ?"

local OF_STEP = [[UPDATE {workflow_steps} SET run_id = ?, version = version + 1 WHERE namespace = ? AND run_id = ?
  AND status = 'running']]

-- That may have been asked since the row was read.
local INHERIT = [[UPDATE {runs} SET cancel_requested = (SELECT b.cancel_requested FROM {runs} AS b
  WHERE b.namespace = {runs}.namespace AND b.run_id = ?) WHERE namespace = ? AND run_id = ?]]

--- Adds to a unit: the row of the next attempt. A job or a workflow's step whose run it was waits for it from now on,
--- and what was to end is to end.
---@param store curia.Store
---@param unit curia.sql.Statement[]
---@param new curia.store.RunRow
function M.put(store, unit, new)
  local before = new.parent_attempt_run_id
  rows.insert(store, unit, new)
  unit[#unit + 1] = { INHERIT, before, new.namespace, new.run_id }
  if new.job_id then unit[#unit + 1] = { OF_JOB, new.run_id, new.job_id, before } end
  unit[#unit + 1] = { OF_STEP, new.run_id, new.namespace, before }
end

-- What of the options that are on record concerns the run itself, and not who has started it.
local OPTIONS = {
  "retry", "failure_mode", "budget", "on_budget", "metadata", "models", "offline", "relay_topics", "member_timeout_ms",
  "deadline_ms", "recovery",
}

local function options_of(store, row)
  local opts = {
    run_id = row.run_id, namespace = row.namespace, group = row.group_name, seed = row.seed, durability = "none",
    recorder = { true, { store = store.url, prefix = store.prefix, fence = row.fence } },
  }
  for _, name in ipairs(OPTIONS) do opts[name] = row.options and row.options[name] end
  return opts
end

local function begin_recorded(store, row, made)
  local run, err = runs.start(made, row.input, options_of(store, row))
  if not run then return nil, err end
  M.live[run] = true
  run:on_end(function()
    run.recording:wait(STORED_MS)
    M.live[run] = nil
  end)
  return run
end

-- Nobody waits for a run that recovery takes up.
local function tell_mismatch(run)
  local _, err = run:result()
  if not err or err.kind ~= "replay_mismatch" then return end
  log.write("warn", ("run %s is blocked: %s"):format(run.id, err.message))
end

--- Begins, or goes on with, a claimed run of a council.
---@async
---@param store curia.Store
---@param row curia.store.RunRow
---@param made curia.Council
---@return curia.Run?
---@return curia.Error?
function M.go_on(store, row, made)
  if row.durability == "none" then return begin_recorded(store, row, made) end
  local run, err = resuming.resume(store, row, { councils = { [row.council] = made } })
  if run then run:on_end(tell_mismatch) end
  return run, err
end

return M
