--- `curia jobs`: enqueues runs for workers, and looks after them.
local clock = require "curia.core.clock"
local input = require "curia.cli.input"
local jobs = require "curia.jobs"
local json = require "curia.json"
local shared = require "curia.store.shared"
local suggest = require "curia.suggest"
local usage = require "curia.cli.usage"
local width = require "curia.view.width"

local M = {}

local function misused(message)
  return usage.misused(message, "jobs")
end

local function failed(err)
  io.stderr:write("curia: ", err.message, "\n")
  return 1
end

-- ---- showing --------------------------------------------------------------------------------------

local function date(ms)
  return ms and os.date("!%Y-%m-%d %H:%M:%S", math.floor(ms / 1000)) or "-"
end

local function print_json(job)
  print((json.encode(job)))
end

local function is_parked(job)
  return job.state == "executing" and not job.incarnation
end

local function line_of(job)
  local state = is_parked(job) and "parked" or job.state
  return ("%s  %-10s %s  %s  %s  %d/%d"):format(job.job_id, state, date(job.inserted_at), job.queue, job.council,
    job.attempt, job.max_attempts)
end

local function print_line(job)
  print(width.clean(line_of(job)))
end

local SHOWN = {
  "job_id", "state", "queue", "council", "run_id", "group", "priority", "unique_key", "cancel_requested",
  "source_stack", "source_env",
}
local TIMES = { "inserted_at", "schedule_at", "attempted_at", "finished_at" }

local function print_field(name, value)
  if value ~= nil then print(("%-17s %s"):format(name, width.clean(tostring(value)))) end
end

local function print_all(job)
  for _, name in ipairs(SHOWN) do print_field(name, job[name]) end
  print_field("parked", is_parked(job) and ("its run waits for a decision: curia runs show " .. job.run_id) or nil)
  print_field("attempt", ("%d of %d"):format(job.attempt, job.max_attempts))
  for _, name in ipairs(TIMES) do print_field(name, job[name] and date(job[name]) .. " UTC") end
  for _, name in ipairs { "input", "options", "metadata" } do
    print_field(name, job[name] ~= nil and json.encode(job[name]) or nil)
  end
  for _, err in ipairs(job.errors or {}) do
    print_field("error", ("%s attempt %d: %s: %s"):format(date(err.at), err.attempt, err.kind, err.message))
  end
end

-- ---- what can be done -----------------------------------------------------------------------------

local commands = {}

local function unique_of(values)
  return values.unique and { key = values.unique, period = values.period } or nil
end

function commands.enqueue(values, rest)
  if not rest[2] then return misused "the council is missing" end
  local given, message = input.read(rest[3] and table.concat(rest, " ", 3), values.input, values.set)
  if not given then return misused(message) end
  if values.period and not values.unique then return misused "--period goes with --unique" end
  local job, err = jobs.enqueue {
    council = rest[2], input = given, queue = values.queue, priority = values.priority, unique = unique_of(values),
    max_attempts = values.max_attempts, timeout_ms = values.timeout, store = values.store,
    schedule_at = values["in"] and math.floor(clock.wall_ms() + values["in"]),
  }
  if not job then return failed(err) end
  if values.json then print_json(job) else print(job.job_id) end
  if job.duplicate then io.stderr:write("curia: there is such a job already, and no other was made\n") end
  return 0
end

function commands.list(values)
  local found, err = jobs.list {
    queue = values.queue, state = values.state, council = values.council, limit = values.limit, store = values.store,
  }
  if not found then return failed(err) end
  for _, job in ipairs(found) do (values.json and print_json or print_line)(job) end
  return 0
end

-- A function of one job, and how the job is shown then.
local function of_one(act, show)
  return function(values, rest)
    if #rest ~= 2 then return misused(rest[2] and "one job at a time" or "the job's id is missing") end
    local job, err = act(rest[2], values)
    if not job then return failed(err) end
    if values.json then print_json(job) else show(job) end
    return 0
  end
end

local function print_state(job)
  print(("%s %s"):format(job.job_id, job.state))
end

commands.show = of_one(function(id, values) return jobs.get(id, { store = values.store }) end, print_all)
commands.retry = of_one(function(id, values) return jobs.retry(id, { store = values.store }) end, print_state)
commands.cancel = of_one(function(id, values)
  return jobs.cancel(id, { reason = values.reason, store = values.store })
end, print_state)

function commands.prune(values)
  local count, err = jobs.prune { older_than_ms = values.older_than, store = values.store }
  if not count then return failed(err) end
  print(("%d %s"):format(count, count == 1 and "job was deleted" or "jobs were deleted"))
  return 0
end

--- `curia jobs enqueue|list|show|cancel|retry|prune`
---@param values table options
---@param rest string[] what to do, then its arguments
---@return integer exit code
function M.main(values, rest)
  local command = commands[rest[1]]
  if not rest[1] then return misused "what is missing: enqueue, list, show, cancel, retry or prune" end
  if not command then return misused(suggest.message("command of jobs", rest[1], commands)) end
  local code = command(values, rest)
  shared.close()
  return code
end

return M
