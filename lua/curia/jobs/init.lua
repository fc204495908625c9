--- Jobs (SPEC 18): runs that begin later, elsewhere, and once more when they fail.
--
--     curia.jobs.enqueue { council = "panel", input = "Why?", unique = { key = "why", period = "1h" } }
--     local worker = curia.jobs.work { queue = "default", concurrency = 50 }
--     worker:stop(30000)
local lazy = require "curia.lazy"
local clock = require "curia.core.clock"
local config = require "curia.config"
local cron = lazy "curia.jobs.cron"
local errors = require "curia.errors"
local fields = require "curia.jobs.fields"
local json = require "curia.json"
local language = lazy "curia.language"
local node = lazy "curia.recovery.node"
local options = require "curia.engine.options"
local places = require "curia.jobs.where"
local prune = lazy "curia.store.prune"
local queue = require "curia.jobs.queue"
local rows = require "curia.jobs.rows"
local runners = lazy "curia.jobs.runner"
local schedules = lazy "curia.jobs.schedules"
local store_errors = require "curia.store.runs"
local system = require "curia.core.system"
local told = require "curia.telemetry.jobs"
local wake = require "curia.jobs.wake"
local workers = lazy "curia.jobs.worker"

local M = {}

local QUEUE, CONCURRENCY, MAX_ATTEMPTS = "default", 10, 5

-- ---- enqueueing -----------------------------------------------------------------------------------

-- The caller's word, else the configuration's; null, or an empty one, is none.
local function scope_of(given, name)
  if given == nil then given = config.shared():get(name) end
  if given ~= json.null and given ~= "" then return given end
end

-- What does not depend on when the job is made.
local function template_of(opts)
  return {
    namespace = opts.namespace or config.shared():get "namespace", queue = opts.queue or QUEUE,
    priority = opts.priority or 0, council = opts.council, group_name = opts.group,
    max_attempts = opts.max_attempts or MAX_ATTEMPTS, timeout_ms = opts.timeout_ms, input = opts.input,
    options = opts.options, backoff = opts.backoff, metadata = opts.metadata,
    source_stack = scope_of(opts.source_stack, "stack"), source_env = scope_of(opts.source_env, "env"),
  }
end

local function row_of(opts)
  local row, now, unique = template_of(opts), clock.wall_ms(), opts.unique
  row.job_id, row.run_id = system.uuid7(), opts.run_id or system.uuid7()
  row.schedule_at = opts.schedule_at or now
  row.state = row.schedule_at > now and "scheduled" or "available"
  row.attempt, row.fence, row.inserted_at, row.updated_at = 0, 0, now, now
  if unique then row.unique_key, row.unique_until = unique.key, unique.period and now + unique.period end
  return row
end

-- Options of the run that no attempt could do with.
local OWN = { restart = true }

local function options_fault(opts)
  local given = {}
  for name, value in pairs(opts.options or {}) do
    if not OWN[name] then given[name] = value end
  end
  local read, faults = language.options(given)
  if read then return nil end
  return errors.new("validation", "options: " .. faults[1].message,
    { code = faults[1].code, context = { faults = faults } })
end

local function job_of(row)
  row.group, row.group_name = row.group_name, nil
  return row
end

-- The unit of a job: the last statement but one inserts it, the last reads who has its key.
local function unit_of(store, row)
  local unit = {}
  if row.unique_key then rows.forget_key(unit, row) end
  rows.insert(store, unit, row)
  if row.unique_key then rows.holder(unit, row) end
  return unit
end

local function duplicate(store, holder)
  local job, err = rows.unpacked(store, holder)
  if not job then return nil, err end
  job.duplicate = true
  return job
end

local function write(store, row)
  local results, err = store:write(unit_of(store, row))
  if not results then return nil, err end
  local holder = row.unique_key and results[#results][1]
  if holder and holder.job_id ~= row.job_id then return duplicate(store, holder) end
  return job_of(row)
end

local function copy(job)
  local made = {}
  for name, value in pairs(job) do made[name] = value end
  return made
end

-- Whatever happens, a slot that was reserved is used or given back.
local Slot = { __close = function(slot) slot.hand_over(slot.job) end }

local function insert(store, row)
  local hand_over = wake.reserve(store, row)
  local slot <close> = hand_over and setmetatable({ hand_over = hand_over }, Slot)
  local job, err = write(store, row)
  if not job or job.duplicate then return job, err end
  told.enqueued(job)
  if slot then slot.job = copy(job) else wake.notify(store, job.state == "scheduled") end
  return job
end

--- Enqueues a job. One whose unique key another has is not made: that other is returned, as `duplicate`.
---@async
---@param opts {council: string, input: any, queue?: string, priority?: integer, schedule_at?: integer,
--- unique?: {key: string, period?: integer|string}, max_attempts?: integer, backoff?: table, run_id?: string,
--- timeout_ms?: integer, options?: table, group?: string, metadata?: table, namespace?: string, source_stack?: any,
--- source_env?: any, store?: string} unknown ones raise
---@return curia.Job?
---@return curia.Error? err kind `validation`: the run's options; `storage`
function M.enqueue(opts)
  opts = options.read("enqueue", opts or {}, fields.enqueue)
  local err = options_fault(opts)
  if err then return nil, err end
  local store
  store, err = places.open(opts.store)
  if not store then return nil, err end
  return insert(store, row_of(opts))
end

-- ---- looking after jobs -----------------------------------------------------------------------------

local function check_id(job_id, what)
  if type(job_id) ~= "string" then error(("bad argument #1 to '%s' (a job's id expected)"):format(what), 3) end
end

--- The job of an id.
---@async
---@param job_id string
---@param where? {store?: string}
---@return curia.Job?
---@return curia.Error? err kind `validation`, code `unknown_job`
function M.get(job_id, where)
  check_id(job_id, "get")
  local store, err = places.open(options.read("get", where, fields.where).store)
  if not store then return nil, err end
  return rows.get(store, job_id)
end

--- Jobs, the newest first; at most 50 unless `limit` says otherwise.
---@async
---@param filter? {queue?: string, state?: string, council?: string, group?: string, namespace?: string,
--- limit?: integer, store?: string}
---@return curia.Job[]?
---@return curia.Error?
function M.list(filter)
  filter = options.read("list", filter, fields.list)
  local store, err = places.open(filter.store)
  if not store then return nil, err end
  return rows.list(store, filter)
end

-- Writes `fill(unit)`, wakes the workers, and gives the job as it is then.
local function change(store, job_id, fill)
  local job, err = rows.get(store, job_id)
  if not job then return nil, err end
  local unit = {}
  fill(unit)
  local done
  done, err = store:write(unit)
  if not done then return nil, err end
  wake.notify(store, true)
  return rows.get(store, job_id)
end

--- Cancels a job: one that waits ends here; one that executes, and its run, once its process has heard of it.
--- One that has ended stays as it is.
---@async
---@param job_id string
---@param opts? {reason?: string, store?: string}
---@return curia.Job?
---@return curia.Error? err code `unknown_job`
function M.cancel(job_id, opts)
  check_id(job_id, "cancel")
  opts = options.read("cancel", opts, fields.cancel)
  local store, err = places.open(opts.store)
  if not store then return nil, err end
  local reason = opts.reason or "cancelled by its holder"
  return change(store, job_id, function(unit) queue.cancel(unit, job_id, reason) end)
end

--- Begins a job at once that waits or has failed, with an attempt more if it had none left.
---@async
---@param job_id string
---@param where? {store?: string}
---@return curia.Job?
---@return curia.Error? err code `unknown_job`; `wrong_state`: it goes on, or is completed
function M.retry(job_id, where)
  check_id(job_id, "retry")
  local store, err = places.open(options.read("retry", where, fields.where).store)
  if not store then return nil, err end
  local job
  job, err = change(store, job_id, function(unit) queue.again(unit, job_id) end)
  if job or not store_errors.is_lost(err) then return job, err end
  return nil, errors.new("validation", ("job %s goes on, or is completed"):format(job_id), { code = "wrong_state" })
end

local WEEK_MS = 7 * 24 * 3600 * 1000

--- Deletes jobs that have ended for a time (a week); their runs stay, and so do jobs that have a key for a time yet.
---@async
---@param opts? {older_than_ms?: integer, older_than?: string, store?: string}
---@return integer? how many
---@return curia.Error?
function M.prune(opts)
  opts = options.read("prune", opts, fields.prune)
  local store, err = places.open(opts.store)
  if not store then return nil, err end
  return prune.jobs(store, clock.wall_ms() - (opts.older_than_ms or WEEK_MS))
end

-- ---- schedules ------------------------------------------------------------------------------------

--- Makes or replaces a cron entry: a job each time that it fires, once, however many processes work.
---@async
---@param opts {name: string, cron: string, council: string, input: any} and what else `enqueue` takes of a job
---@return true?
---@return curia.Error? err kind `validation`, code `invalid_cron`, names the field
function M.schedule(opts)
  opts = options.read("schedule", opts or {}, fields.schedule)
  local entry, err = cron.parse(opts.cron)
  if not entry then return nil, err end
  err = options_fault(opts)
  if err then return nil, err end
  local store
  store, err = places.open(opts.store)
  if not store then return nil, err end
  local done
  done, err = schedules.put(store, opts.name, entry, template_of(opts))
  if done then wake.notify(store, true) end
  return done, err
end

--- Takes a cron entry away; jobs that it has enqueued stay.
---@async
---@param name string
---@param where? {store?: string}
---@return boolean? existed
---@return curia.Error?
function M.unschedule(name, where)
  if type(name) ~= "string" then error("bad argument #1 to 'unschedule' (a name expected)", 2) end
  local store, err = places.open(options.read("unschedule", where, fields.where).store)
  if not store then return nil, err end
  return schedules.remove(store, name)
end

--- All cron entries, by name.
---@async
---@param where? {store?: string}
---@return curia.Schedule[]?
---@return curia.Error?
function M.schedules(where)
  local store, err = places.open(options.read("schedules", where, fields.where).store)
  if not store then return nil, err end
  return schedules.list(store)
end

-- ---- working --------------------------------------------------------------------------------------

--- Executes jobs of a queue until it is stopped.
---@async
---@param opts? {queue?: string, concurrency?: integer, councils?: table<string, curia.Council>,
--- run?: fun(job: curia.Job), store?: string} `councils` are known besides the registered ones; `run` is called
--- instead of a council
---@return curia.Worker? with `stop(drain_ms)`
---@return curia.Error?
function M.work(opts)
  opts = options.read("work", opts, fields.work)
  local store, err = places.open(opts.store)
  if not store then return nil, err end
  local here
  here, err = node.current(store)
  if not here then return nil, err end
  return workers.start {
    store = store, queue = opts.queue or QUEUE, concurrency = opts.concurrency or CONCURRENCY,
    runner = opts.run and runners.of_function(opts.run) or runners.of_councils(store, opts.councils),
    incarnation = here.incarnation, is_alive = function(incarnation) return node.is_alive(store, incarnation) end,
    stack = scope_of(nil, "stack"), env = scope_of(nil, "env"), retention_ms = config.shared():get "retention",
  }
end

return M
