--- The kill campaign with several processes on one store at once (rival.lua). At random moments one of them is killed, or
--- told to end, or stopped for a while, perhaps in the middle of a commit, or taken for dead while it lives; those that have
--- ended are started again, until all runs have ended: those that they begin, those of jobs, and those of workflows. But
--- for kills and runs, what is counted must be nought.
--
--     build/release/bin/curia lua spec/kill/main.lua KILLS SEED rivals
local checks = require "spec.kill.checks"
local clock = require "curia.core.clock"
local councils = require "spec.kill.councils"
local jobs = require "curia.jobs"
local migrate = require "curia.store.migrate"
local mocks = require "spec.kill.mock"
local processes = require "spec.kill.process"
local random = require "curia.engine.random"
local stores = require "curia.store"
local support = require "spec.store.support"
local task = require "curia.task"
local watching = require "spec.kill.watch"

local M = {}

local RIVALS, FLOWS, RUNS_OF_FLOW = 3, 3, 3
-- How often a look at who is alive errs.
local MISTAKEN = 0.3
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

local function flow_ids()
  local list = {}
  for i = 1, FLOWS do list[i] = "flow-" .. i end
  return list
end

-- A store with the jobs, in a folder of its own.
local function open_place(campaign)
  local place = support.folder()
  campaign.place, campaign.url = place, place.url "runs.db"
  campaign.store = assert(stores.open(campaign.url))
  assert(migrate.up(campaign.store))
  watching.start(campaign.store)
  enqueue(campaign.url, campaign.jobs)
end

local function close_place(campaign)
  campaign.store:close()
  require("curia.store.shared").close()
  campaign.place.remove()
end

-- ---- processes ------------------------------------------------------------------------------------

local function joined(first, second)
  return table.move(second, 1, #second, #first + 1, { table.unpack(first) })
end

-- A job has an end, and so has its run; a workflow has one, and each of its runs.
local function ends_of(campaign)
  return #campaign.runs + 2 * #campaign.jobs + (1 + RUNS_OF_FLOW) * #campaign.flows
end

local function start(campaign, turn)
  local args = { campaign.url, campaign.mock.url, turn, RIVALS, table.unpack(joined(campaign.runs, campaign.flows)) }
  return processes.start("spec/kill/rival.lua", args, {
    KILL_ENDS = ends_of(campaign), KILL_MISTAKEN = campaign.ends and MISTAKEN or 0,
  })
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

-- Whatever is lost, the campaign ends.
local LONGEST_MS = 120000

local function go_on_until_all_have_ended(campaign, found)
  local rivals, dice, last_ms = {}, campaign.dice, clock.ms() + LONGEST_MS
  for turn = 1, RIVALS do rivals[turn] = start(campaign, turn) end
  while clock.ms() < last_ms do
    task.sleep(10 + dice:integer(60))
    for turn = 1, RIVALS do
      if look_after(campaign, rivals, turn) then return let_end(rivals, turn) end
    end
    if found.kills < campaign.kills then harm(campaign, rivals[1 + dice:integer(RIVALS) % RIVALS], found) end
  end
  for _, process in ipairs(rivals) do
    process:kill "sigkill"
    process:close()
  end
end

-- ---- what must hold -------------------------------------------------------------------------------

local CALLS = "SELECT input, attempt FROM {steps} WHERE kind = 'call' AND input IS NOT NULL"

-- A call is on record before it is made, each time: none is made more often than that.
local function check_calls(campaign, found)
  local allowed = {}
  for _, row in ipairs(assert(campaign.store:query(CALLS))) do
    local key = mocks.key(assert(campaign.store:unpack(row.input)).messages)
    allowed[key] = (allowed[key] or 0) + row.attempt
  end
  for key, count in pairs(campaign.counts) do
    if count > (allowed[key] or 0) then
      found.repeated = found.repeated + count - (allowed[key] or 0)
      found.again = found.again or ("%d times, %d on record: %s"):format(count, allowed[key] or 0, key)
    end
  end
end

-- An outcome that changes is of a finished call that was made again, or of a process that has lost the run.
local function check_writes(campaign, found)
  for _, row in ipairs(watching.noted(campaign.store)) do
    found.repeated = found.repeated + 1
    found.again = found.again or ("%s: %s"):format(row.run_id, row.what)
  end
end

local ENDS = [[SELECT 'the job of ' || run_id AS what, state AS how FROM {jobs}
  UNION ALL SELECT 'workflow ' || id, status FROM {workflows}
  UNION ALL SELECT 'step ' || name || ' of ' || workflow_id, status || ' at attempt ' || attempt FROM {workflow_steps}]]

local function ends_in(store)
  local ends = {}
  for _, row in ipairs(assert(store:query(ENDS))) do ends[row.what] = row.how end
  return ends
end

local function check_ends(campaign, found)
  local ends = ends_in(campaign.store)
  for what, how in pairs(campaign.ends) do
    if ends[what] ~= how then
      found.lost = found.lost + 1
      found.astray = found.astray or ("%s is %s, and %s in peace"):format(what, ends[what], how)
    end
  end
end

local OF_FLOWS = "SELECT run_id FROM {workflow_steps} WHERE run_id IS NOT NULL AND name <> 'sum' ORDER BY run_id"

-- A workflow's runs have the ids that they have in peace, unless a step was tried again.
local function all_runs(campaign)
  local of_flows = {}
  for i, row in ipairs(assert(campaign.store:query(OF_FLOWS))) do of_flows[i] = row.run_id end
  return joined(joined(campaign.runs, campaign.jobs), of_flows)
end

-- ---- the campaign ---------------------------------------------------------------------------------

local function batch(campaign, found)
  open_place(campaign)
  for key in pairs(campaign.counts) do campaign.counts[key] = nil end
  go_on_until_all_have_ended(campaign, found)
  local runs = all_runs(campaign)
  for _, run_id in ipairs(runs) do checks.run(campaign.store, run_id, campaign.results[run_id], found) end
  check_ends(campaign, found)
  check_calls(campaign, found)
  check_writes(campaign, found)
  found.runs = found.runs + #runs
  close_place(campaign)
end

local function check_peaceful(ends)
  for what, how in pairs(ends) do
    if what:find "^workflow" and how ~= "done" then error(("undisturbed, %s is %s"):format(what, how)) end
  end
end

-- What comes out, and how all ends, when nobody is killed.
local function undisturbed(campaign)
  open_place(campaign)
  go_on_until_all_have_ended(campaign, { kills = campaign.kills })
  campaign.results, campaign.ends = checks.results(campaign.store, all_runs(campaign)), ends_in(campaign.store)
  check_peaceful(campaign.ends)
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
    kills = kills, dice = random.new(seed or 1), counts = {}, runs = ids(1), jobs = ids(2), flows = flow_ids(),
  }
  campaign.mock = mocks.start(campaign.counts)
  undisturbed(campaign)
  repeat
    batch(campaign, found)
    if tell then tell(found) end
  until found.kills >= kills
  campaign.mock:close()
  return found
end

return M
