--- `curia jobs`: enqueues runs for workers, and looks after them.
local clock = require "curia.core.clock"
local errors = require "curia.errors"
local input = require "curia.cli.input"
local jobs = require "curia.jobs"
local json = require "curia.json"
local paper = require "curia.cli.paper"
local places = require "curia.jobs.where"
local shared = require "curia.store.shared"
local suggest = require "curia.suggest"
local usage = require "curia.cli.usage"
local width = require "curia.view.width"
local words = require "curia.view.words"

local M = {}

local function misused(message)
  return usage.misused(message, "jobs")
end

local function failed(err)
  io.stderr:write("curia: ", err.message, "\n")
  return 1
end

-- ---- showing --------------------------------------------------------------------------------------

local function print_json(job)
  print((json.encode(job)))
end

local function is_parked(job)
  return job.state == "executing" and not job.incarnation
end

local function state_of(job)
  return is_parked(job) and "parked" or job.state
end

local function line_of(job)
  return ("%s  %-10s %s  %s  %s  %d/%d"):format(job.job_id, state_of(job), words.timestamp(job.inserted_at), job.queue,
    job.council, job.attempt, job.max_attempts)
end

local function question_of(job)
  local question = type(job.input) == "table" and job.input.question
  return type(question) == "string" and ": " .. question:gsub("%s+", " ") or ""
end

-- As `curia runs list` has it: two lines that fit, where people read.
local function terminal_lines(job, out)
  local head = ("%s  %-11s %s  attempt %d/%d"):format(job.job_id, state_of(job),
    words.short_moment(job.inserted_at), job.attempt, job.max_attempts)
  local about = width.clean(("%s in queue %s%s"):format(job.council, job.queue, question_of(job)))
  return ("%s\n  %s\n"):format(head, out.paint.dim(width.cut(about, out.columns - 3)))
end

local function print_list(found)
  local out = paper.open()
  if out.columns and #found == 0 then print "no jobs" end
  for _, job in ipairs(found) do
    if out.columns then out:write(terminal_lines(job, out)) else print(width.clean(line_of(job))) end
  end
end

-- Labels, and what stands behind them.
local SHOWN = {
  { "job", "job_id" }, { "state", "state" }, { "queue", "queue" }, { "council", "council" }, { "run", "run_id" },
  { "group", "group" }, { "priority", "priority" }, { "unique key", "unique_key" }, { "cancel", "cancel_requested" },
  { "stack", "source_stack" }, { "env", "source_env" },
}
local TIMES = {
  { "enqueued", "inserted_at" }, { "due", "schedule_at" }, { "attempted", "attempted_at" }, { "ended", "finished_at" },
}

local LABEL = 11

local function print_field(out, label, value)
  if value == nil then return end
  local lines = width.hang(width.clean(tostring(value)):gsub("\n", " "), out.columns or math.maxinteger, LABEL)
  out:write(out.paint.dim(width.pad(label, LABEL)) .. table.concat(lines, "\n") .. "\n")
end

local function print_all(job)
  local out = paper.open()
  for _, field in ipairs(SHOWN) do print_field(out, field[1], job[field[2]]) end
  print_field(out, "parked", is_parked(job) and ("its run waits for a decision: curia runs show " .. job.run_id) or nil)
  print_field(out, "attempt", ("%d of %d"):format(job.attempt, job.max_attempts))
  for _, field in ipairs(TIMES) do print_field(out, field[1], job[field[2]] and words.moment(job[field[2]])) end
  for _, name in ipairs { "input", "options", "metadata" } do
    print_field(out, name, job[name] ~= nil and json.encode(job[name]) or nil)
  end
  for _, err in ipairs(job.errors or {}) do
    print_field(out, "error", ("%s, attempt %d: %s"):format(words.moment(err.at), err.attempt, words.problem(err)))
  end
end

-- ---- what can be done -----------------------------------------------------------------------------

local commands = {}

-- What `enqueue` and `schedule` take of a job: the council is the argument of that number, the question follows it.
local function job_of(values, rest, at)
  if not rest[at] then return nil, "the council is missing" end
  local given, message = input.read(rest[at + 1] and table.concat(rest, " ", at + 1), values.input, values.set)
  if not given then return nil, message end
  return {
    council = rest[at], input = given, queue = values.queue, priority = values.priority,
    max_attempts = values.max_attempts, timeout_ms = values.timeout, store = values.store,
  }
end

local function unique_of(values)
  return values.unique and { key = values.unique, period = values.period } or nil
end

function commands.enqueue(values, rest)
  local opts, message = job_of(values, rest, 2)
  if not opts then return misused(message) end
  if values.period and not values.unique then return misused "--period goes with --unique" end
  opts.unique = unique_of(values)
  opts.schedule_at = values["in"] and math.floor(clock.wall_ms() + values["in"])
  local job, err = jobs.enqueue(opts)
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
  if not values.json then print_list(found) end
  for _, job in ipairs(values.json and found or {}) do print_json(job) end
  return 0
end

local function newest(values)
  local found, err = jobs.list { limit = 1, store = values.store }
  if not found then return nil, err end
  if found[1] then return found[1].job_id end
  return nil, errors.new("validation", "there is no job yet", { code = "unknown_job" })
end

-- A function of one job, and how the job is shown then. "last" is the newest.
local function of_one(act, show)
  return function(values, rest)
    if #rest ~= 2 then return misused(rest[2] and "one job at a time" or "the job's id is missing") end
    local id, job, err = rest[2], nil, nil
    if id == "last" then id, err = newest(values) end
    if id then job, err = act(id, values) end
    if not job then return failed(err) end
    if values.json then print_json(job) else show(job) end
    return 0
  end
end

local function print_state(job)
  local ends = job.state == "executing" and job.cancel_requested
  print(("%s %s%s"):format(job.job_id, job.state, ends and ", asked to end" or ""))
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

-- ---- schedules ------------------------------------------------------------------------------------

local function find_schedule(name, where)
  local found, err = jobs.schedules(where)
  if not found then return nil, err end
  local names = {}
  for _, entry in ipairs(found) do
    if entry.name == name then return entry end
    names[#names + 1] = entry.name
  end
  return nil, errors.new("validation", suggest.message("schedule", name, names), { code = "unknown_schedule" })
end

local function schedule_line(entry)
  return ("%-20s %-18s %s  next %s  last %s"):format(entry.name, entry.cron, entry.job.council,
    words.timestamp(entry.next_at), words.timestamp(entry.last_at))
end

local function last_text(entry)
  return entry.last_at and "last " .. words.moment(entry.last_at) or "none yet"
end

local function print_schedule(entry)
  local out = paper.open()
  if not out.columns then return print(width.clean(schedule_line(entry))) end
  local about = ("  %s: next %s, %s"):format(entry.job.council, words.moment(entry.next_at), last_text(entry))
  out:write(("%s  %s\n%s\n"):format(width.clean(entry.name), entry.cron, out.paint.dim(width.clean(about))))
end

local function schedule_fault(name, entry)
  if not name then return "the schedule's name is missing" end
  if name == "" or #name > 128 or name:find "[/%c]" then return "a schedule's name is without '/'" end
  if not entry then return "the times are missing, as \"30 6 * * mon-fri\"" end
end

function commands.schedule(values, rest)
  local name, entry = rest[2], rest[3]
  local message = schedule_fault(name, entry)
  if message then return misused(message) end
  local opts
  opts, message = job_of(values, rest, 4)
  if not opts then return misused(message) end
  opts.name, opts.cron = name, entry
  local done, err = jobs.schedule(opts)
  if not done then return err.code == "invalid_cron" and misused(err.message) or failed(err) end
  local made
  made, err = find_schedule(name, { store = values.store })
  if not made then return failed(err) end
  (values.json and print_json or print_schedule)(made)
  return 0
end

function commands.schedules(values)
  local found, err = jobs.schedules { store = values.store }
  if not found then return failed(err) end
  if #found == 0 and not values.json and paper.open().columns then print "no schedules" end
  for _, entry in ipairs(found) do (values.json and print_json or print_schedule)(entry) end
  return 0
end

function commands.unschedule(values, rest)
  if #rest ~= 2 then return misused(rest[2] and "one schedule at a time" or "the schedule's name is missing") end
  local where = { store = values.store }
  local entry, err = find_schedule(rest[2], where)
  if entry then entry, err = jobs.unschedule(rest[2], where) end
  if entry == nil then return failed(err) end
  print(rest[2] .. " is no longer scheduled")
  return 0
end

-- ---- usage ----------------------------------------------------------------------------------------

local OWN = {
  enqueue = {
    "input", "set", "in", "priority", "unique", "period", "max_attempts", "timeout", "queue", "json",
  },
  schedule = { "input", "set", "priority", "max_attempts", "timeout", "queue", "json" },
  list = { "queue", "state", "council", "limit", "json" }, cancel = { "reason", "json" }, prune = { "older_than" },
  show = { "json" }, retry = { "json" }, schedules = { "json" }, unschedule = {},
}
local SHARED = { config = true, store = true, help = true }

local function foreign_option(name, values)
  local own = {}
  for _, option in ipairs(OWN[name]) do own[option] = true end
  for option in pairs(values) do
    if not own[option] and not SHARED[option] then return option:gsub("_", "-") end
  end
end

local ALONE = { list = true, schedules = true, prune = true }

local function misuse(name, values, argument)
  if not name then
    return "what is missing: enqueue, list, show, cancel, retry, prune, schedule, schedules or unschedule"
  end
  if not commands[name] then return suggest.message("command of jobs", name, commands) end
  local foreign = foreign_option(name, values)
  if foreign then return ("--%s is not for jobs %s"):format(foreign, name) end
  if argument and ALONE[name] then return ("jobs %s takes no argument, '%s' is one"):format(name, argument) end
end

local MAKES = { enqueue = true, schedule = true }
local LISTS = { list = true, schedules = true }

-- Only who has something to store makes a store. That there is nothing to list is an answer.
local function perform(name, values, rest)
  local absence = not MAKES[name] and places.absence(values.store)
  if not absence then return commands[name](values, rest) end
  local code = failed(absence)
  return absence.code == "nothing_stored" and LISTS[name] and 0 or code
end

--- `curia jobs enqueue|list|show|cancel|retry|prune|schedule|schedules|unschedule`
---@param values table options
---@param rest string[] what to do, then its arguments
---@return integer exit code
function M.main(values, rest)
  local message = misuse(rest[1], values, rest[2])
  if message then return misused(message) end
  local code = perform(rest[1], values, rest)
  shared.close()
  return code
end

return M
