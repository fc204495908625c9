--- The kill campaign: processes are killed at random moments and at each of their units of work, and started again until
--- all runs have ended. But for kills and runs, what is counted must be nought.
--
--     build/release/bin/curia lua spec/kill/main.lua [KILLS [SEED]]
--
-- A mock server outside of these processes counts the calls: by the texts that are asked, which name their run.
local json = require "curia.json"
local random = require "curia.engine.random"
local rows = require "curia.store.runs"
local steady = require "spec.kill.steady"
local stores = require "curia.store"
local task = require "curia.task"
local uv = require "luv"

local M = {}

local COUNCILS = {
  "panel", "review", "vote", "debate", "mixture", "sample", "bracket", "quorum", "stagger", "budget", "nested", "tools",
  "free", "consult",
}

-- ---- the mock -------------------------------------------------------------------------------------

local function key_of(messages)
  local texts = {}
  for i, message in ipairs(messages) do
    local content = message.content
    texts[i] = type(content) == "string" and content or json.encode(content or "")
  end
  return table.concat(texts, "\n")
end

-- So late that no load of the machine makes it come in time.
local STRAGGLER_MS = 2000

-- Every answer follows from what was asked, and comes after a few milliseconds that do too.
local function answer(request, key)
  local sum = 0
  for i = 1, #key do sum = (sum * 31 + key:byte(i)) % 1000003 end
  local last = request.messages[#request.messages]
  local late = request.model == "dan" and key:find "quorum%-%d+$"
  local delay_ms = late and STRAGGLER_MS or 1 + sum % 12
  if request.tools and last.role ~= "tool" then
    local name = key:find("consult-", 1, true) and "consult" or "look"
    return { content = "", delay_ms = delay_ms, tool_calls = { { id = "call-" .. request.model, name = name, arguments = {} } } }
  end
  local letter = key:find("Response A", 1, true) and " Response A is best." or ""
  return { content = ("%s says %d.%s"):format(request.model, sum, letter), delay_ms = delay_ms }
end

local function start_mock(counts)
  return require "curia.mock".start { keep = 1, script = function(request)
    local key = key_of(request.messages)
    counts[key] = (counts[key] or 0) + 1
    return answer(request, key)
  end }
end

-- ---- processes ------------------------------------------------------------------------------------

local function environment(more)
  local list = {}
  for name, value in pairs(uv.os_environ()) do list[#list + 1] = name .. "=" .. value end
  for name, value in pairs(more) do list[#list + 1] = name .. "=" .. value end
  return list
end

-- Gives how the process ended: its code, or minus its signal.
local function run_worker(campaign, runs, kill)
  local ended, code, out = task.signal(), nil, uv.new_pipe()
  local args, said = { "lua", "spec/kill/worker.lua", campaign.store_url, campaign.mock.url }, {}
  table.move(runs, 1, #runs, #args + 1, args)
  local env = kill.unit and { KILL_AT = kill.unit, KILL_BEFORE = kill.before and "1" or nil } or {}
  local process = assert(uv.spawn(uv.exepath(), { args = args, env = environment(env), stdio = { nil, nil, out } },
    function(status, signal)
      code = signal ~= 0 and -signal or status
      ended:notify()
    end))
  out:read_start(function(_, data) said[#said + 1] = data end)
  if kill.after_ms and not ended:wait(kill.after_ms) then process:kill "sigkill" end
  while not code do ended:wait() end
  process:close()
  out:close()
  return code, table.concat(said)
end

-- ---- what must hold -------------------------------------------------------------------------------

local FINISHED = [[SELECT input FROM {steps} WHERE kind = 'call' AND status IN ('finished', 'abandoned')
  AND input IS NOT NULL]]

-- How many of the calls of each text have an outcome on record, or need none any more.
local function finished_calls(store)
  local counts = {}
  for _, row in ipairs(assert(store:query(FINISHED))) do
    local key = key_of(assert(store:unpack(row.input)).messages)
    counts[key] = (counts[key] or 0) + 1
  end
  return counts
end

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

local TERMINAL = "SELECT count(*) AS n FROM {run_events} WHERE run_id = ? AND type IN ('run_completed', 'run_failed')"

local function check_run(campaign, run_id, found)
  local row = rows.get(campaign.store, "default", run_id)
  if not row or not row.finalized_at then
    found.lost = found.lost + 1
    return
  end
  if campaign.store:query(TERMINAL, run_id)[1].n ~= 1 then found.duplicates = found.duplicates + 1 end
  if steady(row.result) ~= campaign.results[run_id] then
    found.different = found.different + 1
    found.example = found.example or { run_id = run_id, expected = campaign.results[run_id], got = steady(row.result) }
  end
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
  campaign.expected, campaign.results = copy(campaign.counts), {}
  local store = assert(stores.open(campaign.store_url))
  for _, run_id in ipairs(runs) do campaign.results[run_id] = steady(assert(rows.get(store, "default", run_id)).result) end
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
  local finished = store:query "SELECT 1 FROM {steps} LIMIT 1" and finished_calls(store) or {}
  store:close()
  return finished
end

-- What the dead have sent may still be on its way.
local function hear_the_last(mock)
  for _ = 1, 1000 do
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
  campaign.store = assert(stores.open(campaign.store_url))
  for _, run_id in ipairs(runs) do check_run(campaign, run_id, found) end
  campaign.store:close()
  forget(campaign.path)
  found.runs = found.runs + #runs
end

--- Kills so many processes.
---@async
---@param kills integer
---@param seed? integer
---@param tell? fun(found: table) called now and then
---@return {kills: integer, runs: integer, repeated: integer, lost: integer, duplicates: integer, different: integer}
function M.campaign(kills, seed, tell)
  local path, counts = os.tmpname(), {}
  os.remove(path)
  local campaign = {
    path = path, store_url = "sqlite:" .. path, counts = counts, kills = kills, dice = random.new(seed or 1),
    mock = start_mock(counts),
  }
  local found = { kills = 0, runs = 0, repeated = 0, lost = 0, duplicates = 0, different = 0 }
  local runs = all_runs()
  undisturbed(campaign, runs)
  repeat
    batch(campaign, runs, found)
    if tell then tell(found) end
  until found.kills >= kills
  campaign.mock:close()
  return found
end

return M
