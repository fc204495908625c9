--- The rows of jobs: statements that insert them, and readers.
local clock = require "curia.core.clock"
local errors = require "curia.errors"
local json = require "curia.json"

local M = {}

---@class curia.Job
---@field job_id string
---@field namespace string
---@field queue string
---@field state "available"|"scheduled"|"executing"|"retryable"|"completed"|"discarded"|"cancelled"
---@field priority integer the smallest goes first
---@field council string
---@field run_id string
---@field group? string
---@field input any
---@field options? table options of the run
---@field metadata? table
---@field attempt integer how often it was begun
---@field max_attempts integer
---@field backoff? {base_ms?: integer, max_ms?: integer}
---@field errors? {at: integer, attempt: integer, kind: string, message: string}[] of the attempts that failed
---@field timeout_ms? integer
---@field schedule_at integer before it the job does not begin, Unix ms
---@field unique_key? string no other job of the namespace, the stack and the environment has it
---@field unique_until? integer until when it has the key; without it, until it ends
---@field cancel_requested? string why
---@field incarnation? string the process that executes it; without one, a job that executes is parked
---@field parked? boolean its run waits for a decision, as its runner has found out
---@field fence integer grows with each claim
---@field source_stack? string
---@field source_env? string
---@field attempted_at? integer
---@field finished_at? integer
---@field inserted_at integer
---@field duplicate? boolean `enqueue` has found it, and made none

--- The states that a job does not leave by itself.
M.ENDED = { completed = true, discarded = true, cancelled = true }

local PLAIN = {
  "job_id", "namespace", "queue", "state", "priority", "council", "run_id", "group_name", "attempt", "max_attempts",
  "timeout_ms", "schedule_at", "unique_key", "unique_until", "incarnation", "fence", "source_stack", "source_env",
  "attempted_at", "inserted_at", "updated_at",
}
local GIVEN = { "input", "options", "backoff", "metadata" }
local PACKED = { "input", "options", "backoff", "metadata", "errors" }

local COUNT = #PLAIN + #GIVEN
local INSERT = ("INSERT INTO {jobs} (%s, %s) VALUES (?%s) ON CONFLICT DO NOTHING"):format(
  table.concat(PLAIN, ", "), table.concat(GIVEN, ", "), (", ?"):rep(COUNT - 1))

--- Adds to a unit: a new job's row. One whose unique key is taken is left out.
---@param store curia.Store
---@param unit curia.sql.Statement[]
---@param row table
function M.insert(store, unit, row)
  local statement = { INSERT, n = COUNT }
  for i, name in ipairs(PLAIN) do statement[i + 1] = row[name] end
  for i, name in ipairs(GIVEN) do
    statement[#PLAIN + i + 1] = row[name] ~= nil and store:pack(unit, row[name]) or nil
  end
  unit[#unit + 1] = statement
end

-- As the index has it: keys of one stack or environment are nothing to another, whose workers would not take the job.
local SAME_KEY = [[namespace = ? AND unique_key = ? AND COALESCE(source_stack, '') = ?
  AND COALESCE(source_env, '') = ?]]

local function add_key(unit, text, row, ...)
  unit[#unit + 1] = {
    text, row.namespace, row.unique_key, row.source_stack or "", row.source_env or "", ...,
  }
end

local FORGET = ("UPDATE {jobs} SET unique_key = NULL WHERE %s AND unique_until <= ?"):format(SAME_KEY)

--- Adds to a unit: the unique key of a job, if its time is over, is free again.
---@param unit curia.sql.Statement[]
---@param row table
function M.forget_key(unit, row)
  add_key(unit, FORGET, row, clock.wall_ms())
end

local HOLDER = ("SELECT * FROM {jobs} WHERE %s"):format(SAME_KEY)

--- Adds to a unit: which job has the unique key of one.
---@param unit curia.sql.Statement[]
---@param row table
function M.holder(unit, row)
  add_key(unit, HOLDER, row)
end

--- A job of its row, the packed columns unpacked.
---@async
---@param store curia.Store
---@param row table
---@return curia.Job?
---@return curia.Error?
function M.unpacked(store, row)
  local ok, err = store:unpack_columns(row, PACKED)
  if not ok then return nil, err end
  row.group, row.group_name = row.group_name, nil
  return row
end

--- Jobs of rows.
---@async
---@param store curia.Store
---@param rows table[]
---@return curia.Job[]?
---@return curia.Error?
function M.all(store, rows)
  local jobs = {}
  for i, row in ipairs(rows) do
    local job, err = M.unpacked(store, row)
    if not job then return nil, err end
    jobs[i] = job
  end
  return jobs
end

--- The job of an id.
---@async
---@param store curia.Store
---@param job_id string
---@return curia.Job?
---@return curia.Error? err kind `validation`, code `unknown_job`; or `storage`
function M.get(store, job_id)
  local rows, err = store:query("SELECT * FROM {jobs} WHERE job_id = ?", job_id)
  if not rows then return nil, err end
  if rows[1] then return M.unpacked(store, rows[1]) end
  return nil, errors.new("validation", "there is no job " .. tostring(job_id), { code = "unknown_job" })
end

local FILTERS = { queue = "queue", state = "state", council = "council", group = "group_name", namespace = "namespace" }

--- Jobs, the newest first.
---@async
---@param store curia.Store
---@param filter {queue?: string, state?: string, council?: string, group?: string, namespace?: string, limit?: integer}
---@return curia.Job[]?
---@return curia.Error?
function M.list(store, filter)
  local where, values = { "1 = 1" }, {}
  for name, column in pairs(FILTERS) do
    if filter[name] ~= nil then
      where[#where + 1] = column .. " = ?"
      values[#values + 1] = filter[name]
    end
  end
  values[#values + 1] = filter.limit or 50
  local text = ("SELECT * FROM {jobs} WHERE %s ORDER BY job_id DESC LIMIT ?"):format(table.concat(where, " AND "))
  local rows, err = store:query(text, table.unpack(values))
  if not rows then return nil, err end
  return M.all(store, rows)
end

--- What is kept of an error, at the end of those of a job.
---@param job curia.Job
---@param err curia.Error
---@return table[]
function M.with_error(job, err)
  local list = json.array()
  table.move(job.errors or {}, 1, #(job.errors or {}), 1, list)
  list[#list + 1] = {
    at = clock.wall_ms(), attempt = job.attempt, kind = err.kind, code = err.code, message = err.message,
  }
  return list
end

return M
