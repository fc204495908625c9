--- The kill campaign: processes are killed at random moments and at each of their units of work, and started again until
--- all runs have ended. But for kills and runs, what is counted must be nought.
--
--     build/release/bin/curia lua spec/kill/main.lua [KILLS [SEED]]
local checks = require "spec.kill.checks"
local mocks = require "spec.kill.mock"
local processes = require "spec.kill.process"
local random = require "curia.engine.random"
local stores = require "curia.store"
local task = require "curia.task"
local uv = require "luv"

local M = {}

local COUNCILS = {
  "panel", "review", "vote", "debate", "mixture", "sample", "bracket", "quorum", "stagger", "budget", "nested", "tools",
  "free", "consult",
}

-- ---- processes ------------------------------------------------------------------------------------

-- Gives how the process ended: its code, or minus its signal; and what it said.
local function run_worker(campaign, runs, kill)
  local args = { campaign.store_url, campaign.mock.url, table.unpack(runs) }
  local env = kill.unit and { KILL_AT = kill.unit, KILL_BEFORE = kill.before and "1" or nil }
  local process = processes.start("spec/kill/worker.lua", args, env)
  if kill.after_ms and not process:wait(kill.after_ms) then process:kill "sigkill" end
  return process:close(), process.said
end

-- ---- what must hold -------------------------------------------------------------------------------

-- A process may make each unfinished call once: more of one text than are unfinished is a finished one made again.
local function count_repeated(campaign, before, counted_before, found)
  local repeated = 0
  for key, count in pairs(campaign.counts) do
    local made, allowed = count - (counted_before[key] or 0), (campaign.expected[key] or 0) - (before[key] or 0)
    if made > allowed then
      repeated = repeated + made - allowed
      found.again = found.again or ("%d times, %d were unfinished: %s"):format(made, allowed, key)
    end
  end
  return repeated
end

local function copy(counts)
  local made = {}
  for key, count in pairs(counts) do made[key] = count end
  return made
end

-- ---- the campaign ---------------------------------------------------------------------------------

local function all_runs()
  local runs = {}
  for i, name in ipairs(COUNCILS) do runs[i] = name .. "-1" end
  return runs
end

local function forget(path)
  for _, suffix in ipairs { "", "-wal", "-shm" } do os.remove(path .. suffix) end
end

local function clear(counts)
  for key in pairs(counts) do counts[key] = nil end
end

-- What comes out, and what is asked, when nobody is killed.
local function undisturbed(campaign, runs)
  local code, said = run_worker(campaign, runs, {})
  if code ~= 0 then error("undisturbed, the worker fails: " .. said) end
  local store = assert(stores.open(campaign.store_url))
  campaign.expected, campaign.results = copy(campaign.counts), checks.results(store, runs)
  store:close()
  forget(campaign.path)
end

local function next_kill(campaign)
  local dice = campaign.dice
  if dice:number() < 0.5 then return { unit = dice:integer(25), before = dice:number() < 0.5 } end
  return { after_ms = 15 + dice:integer(120) }
end

local function finished_so_far(campaign)
  if not uv.fs_stat(campaign.path) then return {} end
  local store = assert(stores.open(campaign.store_url))
  local finished = store:query "SELECT 1 FROM {steps} LIMIT 1" and checks.finished_calls(store) or {}
  store:close()
  return finished
end

-- What the dead have sent may still be on its way.
local function hear_the_last(mock)
  for _ = 1, 60000 do
    if mock:stats().open_connections == 0 then return end
    task.sleep(1)
  end
end

-- Whether the worker came to its end.
local function one_life(campaign, runs, found)
  local counted, finished = copy(campaign.counts), finished_so_far(campaign)
  local code, said = run_worker(campaign, runs, found.kills < campaign.kills and next_kill(campaign) or {})
  hear_the_last(campaign.mock)
  found.repeated = found.repeated + count_repeated(campaign, finished, counted, found)
  if code == 0 then return true end
  if code ~= -9 then error("the worker fails: " .. said) end
  found.kills = found.kills + 1
  return false
end

-- All runs, from their beginning to their end, through as many processes as that takes.
local function batch(campaign, runs, found)
  clear(campaign.counts)
  repeat until one_life(campaign, runs, found)
  local store = assert(stores.open(campaign.store_url))
  for _, run_id in ipairs(runs) do checks.run(store, run_id, campaign.results[run_id], found) end
  store:close()
  forget(campaign.path)
  found.runs = found.runs + #runs
end

--- Kills so many processes.
---@async
---@param kills integer
---@param seed? integer
---@param tell? fun(found: spec.kill.Found) called now and then
---@return spec.kill.Found
function M.campaign(kills, seed, tell)
  local path, counts = os.tmpname(), {}
  os.remove(path)
  local campaign = {
    path = path, store_url = "sqlite:" .. path, counts = counts, kills = kills, dice = random.new(seed or 1),
    mock = mocks.start(counts),
  }
  local found, runs = checks.found(), all_runs()
  undisturbed(campaign, runs)
  repeat
    batch(campaign, runs, found)
    if tell then tell(found) end
  until found.kills >= kills
  campaign.mock:close()
  return found
end

return M
