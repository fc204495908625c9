--- `curia worker`: executes the jobs of queues until it is told to stop, and says on standard error what it does.
local config = require "curia.config"
local jobs = require "curia.jobs"
local library = require "curia.cli.library"
local loader = require "curia.language.loader"
local recovery = require "curia.recovery"
local shared = require "curia.store.shared"
local signals = require "curia.cli.signals"
local task = require "curia.task"
local telemetry = require "curia.telemetry"
local usage = require "curia.cli.usage"
local uv = require "luv"
local width = require "curia.view.width"
local words = require "curia.view.words"

local M = {}

local DRAIN_MS, CONCURRENCY = 30000, 10

local function say(text)
  io.stderr:write("curia worker: ", width.clean(text), "\n")
end

-- ---- the councils ---------------------------------------------------------------------------------

local function files_in(folder)
  local scan, message = uv.fs_scandir(folder)
  if not scan then return nil, message end
  local paths = {}
  for name in function() return uv.fs_scandir_next(scan) end do
    if name:find "^[^.].*%.lua$" or name:find "^[^.].*%.json$" then paths[#paths + 1] = folder .. "/" .. name end
  end
  table.sort(paths)
  return paths
end

local function load_all(councils, paths)
  for _, path in ipairs(paths) do
    local made, err = loader.load(path)
    if not made then return nil, err.message end
    councils[made.name] = made
  end
  return councils
end

--- The councils that come with Curia, and those of a folder's files, which win.
---@param folder? string
---@return table<string, curia.Council>?
---@return string? message what is wrong with the folder, or one of its files
function M.councils(folder)
  local paths = {}
  for i, entry in ipairs(library.list()) do paths[i] = entry.path end
  local councils, message = load_all({}, paths)
  if not councils or not folder then return councils, message end
  paths, message = files_in(folder)
  if not paths then return nil, message end
  return load_all(councils, paths)
end

-- ---- what is said ---------------------------------------------------------------------------------

local tellers = {
  ["job.start"] = function(_, job) return ("attempt %d begins"):format(job.attempt) end,
  ["job.stop"] = function(measured, job)
    return ("%s; this took %s"):format(job.state, words.duration(measured.duration_us / 1000))
  end,
  ["job.exception"] = function(_, job) return tostring(job.error) end,
}

local function tell()
  local names = { "job.start", "job.stop", "job.exception" }
  return telemetry.attach(names, function(name, measured, job)
    say(("job %s (%s): %s"):format(job.job_id, job.council, tellers[name](measured, job)))
  end, { id = "curia.cli.worker" })
end

local function tell_of_sweep(counts)
  if counts.resumed + counts.restarted + counts.failed == 0 then return end
  say(("runs of the dead: %d resumed, %d begun anew, %d failed"):format(counts.resumed, counts.restarted,
    counts.failed))
end

-- ---- working --------------------------------------------------------------------------------------

local function start(values, councils)
  local workers = {}
  for i, queue in ipairs(values.queue or { "default" }) do
    local worker, err = jobs.work {
      queue = queue, concurrency = values.concurrency or CONCURRENCY, councils = councils,
    }
    if not worker then return nil, err end
    say(("queue %s, %d at once"):format(queue, worker.concurrency))
    workers[i] = worker
  end
  return workers
end

local function stop(workers, drain_ms)
  local functions = {}
  for i, worker in ipairs(workers) do functions[i] = function() worker:stop(drain_ms) end end
  task.all(functions)
end

local function under_way(workers)
  local count = 0
  for _, worker in ipairs(workers) do count = count + worker.executing end
  return count
end

-- Jobs under way may end; what recovery has taken up is let go at once.
local function stop_all(workers, sweeping, drain_ms)
  sweeping:stop()
  stop(workers, drain_ms)
  recovery.release(0)
  shared.close()
end

local function work(workers, sweeping, drain_ms)
  local ending <close> = signals.the_end()
  say "ready"
  ending.told:wait()
  say(("stopping; jobs under way: %d; a second signal gives them back at once"):format(under_way(workers)))
  local hurry = task.spawn_background(function()
    ending.told:wait()
    stop(workers, 0)
  end)
  stop_all(workers, sweeping, drain_ms)
  hurry:cancel()
  say "stopped"
  return 0
end

local function failed(message)
  say(message)
  return 1
end

--- `curia worker [--queue NAME]... [--concurrency N] [--councils DIR]`
---@param values table options
---@param rest string[]
---@return integer exit code
function M.main(values, rest)
  if rest[1] then return usage.misused(("a worker takes no argument, '%s' is one"):format(rest[1]), "worker") end
  if values.store then
    local ok, err = config.shared():set("command_line", { store = values.store }, "command line")
    if not ok then return failed(err.message) end
  end
  local councils, message = M.councils(values.councils)
  if not councils then return failed(message) end
  local _ <close> = tell()
  local workers, err = start(values, councils)
  if not workers then return failed(err.message) end
  return work(workers, recovery.start({ councils = councils }, tell_of_sweep), values.drain or DRAIN_MS)
end

return M
