--- The kill campaign with several processes on one store at once (rival.lua). At random moments one of them is killed, or
--- told to end, or stopped for a while, perhaps in the middle of a commit, or taken for dead while it lives; those that have
--- ended are started again, until all runs have ended, half of which are jobs. But for kills and runs, what is counted must
--- be nought.
--
--     build/release/bin/curia lua spec/kill/main.lua KILLS SEED rivals
local checks = require "spec.kill.checks"
local councils = require "spec.kill.councils"
local jobs = require "curia.jobs"
local migrate = require "curia.store.migrate"
local mocks = require "spec.kill.mock"
local processes = require "spec.kill.process"
local random = require "curia.engine.random"
local stores = require "curia.store"
local support = require "spec.store.support"
local task = require "curia.task"

local M = {}

local RIVALS = 3
-- Killed; told to end, before it listened for that, or after.
local MEANT = { [-9] = true, [-15] = true, [3] = true }

-- ---- what is to be done -----------------------------------------------------------------------------

-- By name, so that each council's calls are known by its run.
local function ids(number)
  local list = {}
  for name in pairs(councils) do list[#list + 1] = ("%s-%d"):format(name, number) end
  table.sort(list)
  return list
end

local function enqueue(url, run_ids)
  for _, run_id in ipairs(run_ids) do
    assert(jobs.enqueue {
      store = url, council = run_id:match "^%a+", input = "The question of " .. run_id, run_id = run_id,
      max_attempts = 1000,
      options = { durability = "sync", seed = 1, recovery = { policy = "resume", max_attempts = 1000000 } },
    })
  end
end

-- A store with the jobs, in a folder of its own.
local function open_place(campaign)
  local place = support.folder()
  campaign.place, campaign.url = place, place.url "runs.db"
  campaign.store = assert(stores.open(campaign.url))
  assert(migrate.up(campaign.store))
  enqueue(campaign.url, campaign.jobs)
end

local function close_place(campaign)
  campaign.store:close()
  require("curia.store.shared").close()
  campaign.place.remove()
end

-- ---- processes ------------------------------------------------------------------------------------

local function start(campaign, turn)
  local args = { campaign.url, campaign.mock.url, turn, RIVALS, table.unpack(campaign.runs) }
  return processes.start("spec/kill/rival.lua", args, { KILL_RUNS = #campaign.runs + #campaign.jobs })
end

local function stall(process, dice)
  process:kill "sigstop"
  task.sleep(50 + dice:integer(300))
  process:kill "sigcont"
end

local function harm(campaign, process, found)
  local number = campaign.dice:number()
  if number < 0.15 then return stall(process, campaign.dice) end
  process:kill(number < 0.3 and "sigterm" or "sigkill")
  found.kills = found.kills + 1
end

-- Whether it has seen all runs end. Who has ended before is started again.
local function look_after(campaign, rivals, turn)
  local process = rivals[turn]
  if not process.code then return false end
  local code = process:close()
  if code == 0 then return true end
  if not MEANT[code] then error(("a rival fails with %d: %s"):format(code, process.said)) end
  rivals[turn] = start(campaign, turn)
  return false
end

local function let_end(rivals, finished)
  for turn, process in ipairs(rivals) do
    if turn ~= finished and process:close() ~= 0 and not MEANT[process.code] then
      error(("a rival fails with %d: %s"):format(process.code, process.said))
    end
  end
end

local function go_on_until_all_have_ended(campaign, found)
  local rivals, dice = {}, campaign.dice
  for turn = 1, RIVALS do rivals[turn] = start(campaign, turn) end
  while true do
    task.sleep(10 + dice:integer(60))
    for turn = 1, RIVALS do
      if look_after(campaign, rivals, turn) then return let_end(rivals, turn) end
    end
    if found.kills < campaign.kills then harm(campaign, rivals[1 + dice:integer(RIVALS) % RIVALS], found) end
  end
end

-- ---- what must hold -------------------------------------------------------------------------------

-- A call that is made more often than in peace had better not have an outcome on record by now.
local function hear(campaign, key)
  local expected = campaign.expected and campaign.expected[key]
  if not expected or campaign.counts[key] <= expected then return end
  if (checks.finished_calls(campaign.store)[key] or 0) < expected then return end
  campaign.found.repeated = campaign.found.repeated + 1
  campaign.found.again = campaign.found.again or key
end

local JOBS = "SELECT run_id, state FROM {jobs}"

local function job_states(store)
  local states = {}
  for _, job in ipairs(assert(store:query(JOBS))) do states[job.run_id] = job.state end
  return states
end

local function check_jobs(campaign, found)
  local states = job_states(campaign.store)
  for run_id, state in pairs(campaign.states) do
    if states[run_id] ~= state then
      found.lost = found.lost + 1
      found.astray = found.astray or ("the job of %s is %s, and %s in peace"):format(run_id, states[run_id], state)
    end
  end
end

local function all_runs(campaign)
  return table.move(campaign.jobs, 1, #campaign.jobs, #campaign.runs + 1, { table.unpack(campaign.runs) })
end

-- ---- the campaign ---------------------------------------------------------------------------------

local function batch(campaign, found)
  open_place(campaign)
  for key in pairs(campaign.counts) do campaign.counts[key] = nil end
  go_on_until_all_have_ended(campaign, found)
  for _, run_id in ipairs(all_runs(campaign)) do checks.run(campaign.store, run_id, campaign.results[run_id], found) end
  check_jobs(campaign, found)
  close_place(campaign)
  found.runs = found.runs + #campaign.runs + #campaign.jobs
end

-- What comes out, and what is asked, when nobody is killed.
local function undisturbed(campaign)
  open_place(campaign)
  go_on_until_all_have_ended(campaign, { kills = campaign.kills })
  campaign.results, campaign.expected = checks.results(campaign.store, all_runs(campaign)), {}
  campaign.states = job_states(campaign.store)
  for key, count in pairs(campaign.counts) do campaign.expected[key] = count end
  close_place(campaign)
end

--- Harms so many processes.
---@async
---@param kills integer
---@param seed? integer
---@param tell? fun(found: spec.kill.Found) called now and then
---@return spec.kill.Found
function M.campaign(kills, seed, tell)
  local found = checks.found()
  local campaign = {
    kills = kills, dice = random.new(seed or 1), counts = {}, found = found, runs = ids(1), jobs = ids(2),
  }
  campaign.mock = mocks.start(campaign.counts, function(key) hear(campaign, key) end)
  undisturbed(campaign)
  repeat
    batch(campaign, found)
    if tell then tell(found) end
  until found.kills >= kills
  campaign.mock:close()
  return found
end

return M
