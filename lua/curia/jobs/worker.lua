--- A worker: claims jobs of a queue and executes them, so many at a time.
--
-- One task does all that has to do with the store, a unit of work a pass: what has ended since the last pass is settled
-- in the commit that claims the next. It rests until somebody stirs it (a job was enqueued here, or has ended), peeks
-- meanwhile whether another process has enqueued something, and looks each second for what is due, to be cancelled, or
-- left by the dead.
local clock = require "curia.core.clock"
local log = require "curia.log"
local outcomes = require "curia.jobs.outcome"
local queue = require "curia.jobs.queue"
local retention = require "curia.recorder.retention"
local rescuing = require "curia.jobs.rescue"
local rows = require "curia.jobs.rows"
local schedules = require "curia.jobs.schedules"
local task = require "curia.task"
local told = require "curia.telemetry.jobs"
local user_code = require "curia.engine.user_code"
local wake = require "curia.jobs.wake"

local M = {}

---@class curia.Worker
---@field queue string
---@field concurrency integer
---@field executing integer jobs under way
local Worker = { __name = "curia.worker" }
Worker.__index = Worker

local LOOK_MS, PEEK_MS = 1000, 50

-- ---- executing ------------------------------------------------------------------------------------

local function stir(self)
  self.stirred = true
  self.signal:notify()
end

local function outcome_of(job, err)
  if job.leaving then return { state = "available" } end
  if job.parked then return { state = "parked" } end
  return outcomes.of(job, err)
end

-- The last that happens in a job's task, which may be cancelled by now: nothing of it waits.
local function ended(self, job, err)
  local outcome = outcome_of(job, err)
  self.tasks[job.job_id] = nil
  self.executing = self.executing - 1
  table.insert(self.settling, { job = job, outcome = outcome })
  told.stopped(job, outcome)
  stir(self)
end

local function execute(self, job)
  local ok, result, err = xpcall(self.runner.run, user_code.as_error, self.runner, job)
  if ok then ended(self, job, err) else ended(self, job, result) end
end

-- The slot is taken already. What comes once the worker has given its jobs back goes the same way.
local function begin(self, job)
  if self.gave_back then
    job.leaving = true
    return ended(self, job)
  end
  told.started(job)
  self.tasks[job.job_id] = { job = job, task = task.spawn_bound(execute, self, job) }
end

-- ---- a pass ---------------------------------------------------------------------------------------

local function add_settled(self, unit, settling)
  for _, entry in ipairs(settling) do
    queue.settle(self.store, unit, entry.job, entry.outcome)
    if entry.job.leaving then queue.let_go_run(unit, entry.job) end
  end
end

-- The next look is at a time of the calendar, or before.
local function look_by(self, at)
  self.look_at = math.min(self.look_at, clock.ms() + math.max(at - clock.wall_ms(), 1))
end

local function look_for_retries(self, settled)
  for _, entry in ipairs(settled) do
    if entry.outcome.schedule_at then look_by(self, entry.outcome.schedule_at) end
  end
end

-- The number of the claim's statement, if there is one.
local function add_claim(self, unit)
  local free = self.concurrency - self.executing
  if self.stopping or free <= 0 then return nil end
  queue.claim(unit, self, free)
  return #unit, free
end

local function begin_all(self, found)
  local jobs, err = rows.all(self.store, found)
  if not jobs then return nil, err end
  table.sort(jobs, queue.before)
  self.executing = self.executing + #jobs
  for _, job in ipairs(jobs) do begin(self, job) end
  return true
end

-- ---- jobs that are enqueued here --------------------------------------------------------------------

-- Where a slot is free, and nothing waits before it, a job is claimed by the very statement that inserts it.
local function reserve(self, row)
  self.caught_up = self.caught_up and self.executing < self.concurrency -- else this row waits before the next
  if self.stopping or not self.caught_up or not queue.claim_new(row, self) then return nil end
  self.executing = self.executing + 1
  return function(job)
    if job then table.insert(self.handed, job) else self.executing = self.executing - 1 end
    stir(self)
  end
end

local function begin_handed(self)
  local handed = self.handed
  self.handed = {}
  for _, job in ipairs(handed) do begin(self, job) end
end

-- What could not be stored is stored in the next pass.
local function pass(self)
  local unit, settling = {}, self.settling
  self.stirred, self.settling = false, {}
  add_settled(self, unit, settling)
  local claim, wanted = add_claim(self, unit)
  if #unit == 0 then return true end
  local results, err = self.store:write(unit)
  if not results then
    self.settling = table.move(self.settling, 1, #self.settling, #settling + 1, settling)
    return nil, err
  end
  look_for_retries(self, settling)
  if not claim then return true end
  self.caught_up = #results[claim] < wanted
  return begin_all(self, results[claim])
end

-- ---- each second ----------------------------------------------------------------------------------

local function cancel_some(self, found)
  for _, row in ipairs(found) do
    local entry = self.tasks[row.job_id]
    if entry and not entry.job.cancel_requested then
      entry.job.cancel_requested = row.cancel_requested
      entry.task:cancel(row.cancel_requested)
    end
  end
end

local function take_up_due(self)
  if self.stopping then return true end
  local fired, err = schedules.fire_due(self.store)
  if not fired then return nil, err end
  local rescued
  rescued, err = rescuing.rescue(self.store, self.incarnation, self.is_alive)
  return rescued and true, err
end

local function look(self)
  self.look_at, self.caught_up = clock.ms() + LOOK_MS, false
  retention.keep(self.store, self.retention_ms)
  local ok, err = take_up_due(self)
  if not ok then return nil, err end
  local unit = {}
  queue.promote(unit)
  queue.to_cancel(unit, self.incarnation)
  local cancels = #unit
  queue.next_due(unit)
  local results
  results, err = self.store:write(unit)
  if not results then return nil, err end
  cancel_some(self, results[cancels])
  local due = results[#unit][1].at
  if due then look_by(self, due) end
  return true
end

-- ---- the loop -------------------------------------------------------------------------------------

-- The store may be back in the next second.
local function complain(self, err)
  log.write("error", ("worker of queue %s: %s"):format(self.queue, err.message))
  task.sleep(LOOK_MS)
end

local function is_over(self)
  return self.stopping and self.executing == 0 and #self.settling == 0
end

-- What it may go on with that nobody tells it: jobs of other processes.
local function sees_more(self)
  return not self.stopping and self.executing < self.concurrency and queue.peek(self.store, self)
end

local function rest(self)
  while not self.stirred and not is_over(self) do
    local left = self.look_at - clock.ms()
    if left <= 0 or not self.signal:wait(math.min(left, PEEK_MS)) and sees_more(self) then return end
  end
end

local function round(self)
  local ok, err = true, nil
  begin_handed(self)
  if clock.ms() >= self.look_at then ok, err = look(self) end
  if ok then ok, err = pass(self) end
  if ok then rest(self) else complain(self, err) end
end

local function main(self)
  local stop_listening = wake.listen(self.store, {
    notify = function(otherwise)
      if otherwise then self.look_at = 0 end
      stir(self)
    end,
    reserve = function(row) return reserve(self, row) end,
  })
  local _ <close> = setmetatable({}, { __close = stop_listening })
  while not is_over(self) do round(self) end
end

--- Starts a worker. It belongs to the runtime.
---@param opts {store: curia.Store, runner: curia.jobs.Runner, queue: string, concurrency: integer, incarnation: string,
--- is_alive: fun(incarnation: string): boolean, stack?: string, env?: string, retention_ms?: number}
---@return curia.Worker
function M.start(opts)
  local self = setmetatable({
    store = opts.store, runner = opts.runner, queue = opts.queue, concurrency = opts.concurrency,
    incarnation = opts.incarnation, is_alive = opts.is_alive, stack = opts.stack, env = opts.env,
    retention_ms = opts.retention_ms,
    signal = task.signal(), tasks = {}, settling = {}, handed = {}, executing = 0, caught_up = false, stopping = false,
    gave_back = false, stirred = false, look_at = 0,
  }, Worker)
  self.task = task.spawn_root(main, self)
  return self
end

-- ---- the end --------------------------------------------------------------------------------------

local function give_back(self)
  self.gave_back = true
  for _, entry in pairs(self.tasks) do
    entry.job.leaving = true
    entry.task:cancel "its worker has stopped"
  end
end

--- Stops: no new job is begun, those under way may end; after `drain_ms` the rest is given back, its attempts not
--- counted. Returns when all of that is stored. Idempotent.
---@async
---@param drain_ms? number without it: as long as they take
function Worker:stop(drain_ms)
  self.stopping = true
  stir(self)
  local ok = self.task:await(drain_ms)
  if ok == nil then
    give_back(self)
    self.task:await()
  end
end

return M
