--- Jobs: how long an enqueued one waits for its worker, and how many a second go through SQLite.
--
--     build/release/bin/curia lua bench/jobs.lua [FOLDER]     on the disk that holds FOLDER
local clock = require "curia.core.clock"
local curia = require "curia"
local rows = require "curia.jobs.rows"
local runners = require "curia.jobs.runner"
local shared = require "curia.store.shared"
local system = require "curia.core.system"
local task = require "curia.task"
local workers = require "curia.jobs.worker"

local PICKED_UP, THROUGH, AT_ONCE, CONCURRENCY = 1000, 20000, 500, 200

local path = (arg[1] or ".") .. "/bench-jobs.db"

local function remove()
  for _, suffix in ipairs { "", "-wal", "-shm" } do os.remove(path .. suffix) end
end

local function enqueue()
  return assert(curia.jobs.enqueue { council = "nothing", input = { question = "Should we ship on Friday?" } })
end

local function work(store, runner)
  return workers.start {
    store = store, runner = runner, queue = "default", concurrency = CONCURRENCY, incarnation = system.uuid7(),
    is_alive = function() return true end,
  }
end

local function percentile(sorted, p)
  return sorted[math.max(1, math.ceil(#sorted * p))] / 1000
end

-- As another process does it, which can tell nobody here.
local function enqueue_elsewhere(store)
  return function()
    local now, unit = clock.wall_ms(), {}
    local row = {
      job_id = system.uuid7(), run_id = system.uuid7(), namespace = "default", queue = "default", state = "available",
      priority = 0, council = "nothing", attempt = 0, max_attempts = 5, fence = 0, schedule_at = now,
      inserted_at = now, updated_at = now, input = { question = "Should we ship on Friday?" },
    }
    rows.insert(store, unit, row)
    assert(store:write(unit))
    return row
  end
end

-- From before the enqueueing to the first line of the job; the disk's commit is part of it.
local function bench_pick_up(store, what, count, put, pause_ms)
  local begun, seen = {}, {}
  local worker = work(store, runners.of_function(function(job) seen[job.job_id] = clock.us() end))
  for i = 1, count do
    local at = clock.us()
    begun[i] = { at = at, job = put() }
    task.sleep(i % pause_ms)
  end
  repeat task.sleep(5) until seen[begun[count].job.job_id]
  worker:stop()
  local waited = {}
  for i, entry in ipairs(begun) do waited[i] = seen[entry.job.job_id] - entry.at end
  table.sort(waited)
  print(("%-44s p50 %6.2f ms   p99 %6.2f ms"):format(what, percentile(waited, 0.5),
    percentile(waited, 0.99)))
end

-- So many callers enqueue at the same time.
local function fill(count)
  local functions = {}
  for i = 1, AT_ONCE do
    functions[i] = function()
      for _ = 1, count // AT_ONCE do enqueue() end
    end
  end
  local _, failures = task.all(functions)
  assert(not next(failures))
end

local function rate(what, count, fn)
  collectgarbage()
  local wall, cpu = clock.us(), system.cpu_us()
  fn()
  wall, cpu = clock.us() - wall, system.cpu_us() - cpu
  print(("%-44s %9.0f jobs/s %8.1f us CPU/job"):format(what, count * 1e6 / wall, cpu / count))
end

local function drain(store, runner)
  local worker = work(store, runner)
  local left
  repeat
    task.sleep(5)
    left = store:query "SELECT 1 FROM {jobs} WHERE state IN ('available', 'executing') LIMIT 1"
  until #left == 0
  worker:stop()
end

local function bench_queue(store)
  rate("enqueued, 500 at a time", THROUGH, function() fill(THROUGH) end)
  rate("executed, a function that does nothing", THROUGH, function()
    drain(store, runners.of_function(function() end))
  end)
  rate("enqueued while they are executed", THROUGH, function()
    local worker = work(store, runners.of_function(function() end))
    fill(THROUGH)
    worker:stop()
    drain(store, runners.of_function(function() end))
  end)
end

-- Each with a run of its own, durable, as councils of jobs are.
local function bench_councils(store)
  local count = THROUGH // 20
  local nothing = curia.council "nothing" { run = function() return "done" end }
  fill(count)
  rate("executed, a council that does nothing", count, function()
    drain(store, runners.of_councils(store, { nothing = nothing }))
  end)
  local done = store:query "SELECT count(*) AS n FROM {runs} WHERE status = 'completed'"[1].n
  assert(done == count, done .. " runs have completed")
end

remove()
curia.config { store = "sqlite:" .. path, linger_ms = 0 }
local store = assert(shared.configured())
bench_pick_up(store, "picked up, in process", PICKED_UP, enqueue, 3)
bench_pick_up(store, "picked up, of another process", PICKED_UP // 10, enqueue_elsewhere(store), 60)
bench_queue(store)
bench_councils(store)
shared.close()
remove()
