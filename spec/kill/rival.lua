--- One of several processes of the campaign of rivals: begins runs that nobody has begun, executes jobs, takes up what
--- the dead have left, and goes on until all runs have ended, whoever has them. SIGTERM: it lets go of all, and ends.
--
--     curia lua spec/kill/rival.lua STORE MOCK TURN OF RUN...      begins each OFth run, from the TURNth
local curia = require "curia"
local councils = require "spec.kill.councils"
local node = require "curia.recovery.node"
local rows = require "curia.store.runs"
local shared = require "curia.store.shared"
local task = require "curia.task"
local uv = require "luv"

local store_url, mock_url, turn, of = arg[1], arg[2], tonumber(arg[3]), tonumber(arg[4])
local runs = table.move(arg, 5, #arg, 1, {})
local EVERY_MS, DRAIN_MS, LET_GO = 50, 300, 3

curia.config {
  store = store_url, log = "error", linger_ms = 0,
  providers = { mock = { adapter = "openai_chat", base_url = mock_url .. "/v1", api_key = "none" } },
}

local store = assert(shared.configured())
-- Now and then the living pass for dead: then their fences must keep what they do from counting.
local is_alive, MISTAKEN = node.is_alive, 0.05
function node.is_alive(place, incarnation)
  return math.random() > MISTAKEN and is_alive(place, incarnation)
end

local recovery = curia.recovery.start { councils = councils, every_ms = EVERY_MS }
local worker = assert(curia.jobs.work { councils = councils })
local leaving = false

local function end_here(code)
  leaving = true
  worker:stop(DRAIN_MS)
  recovery:stop()
  curia.recovery.release(DRAIN_MS)
  shared.close()
  os.exit(code)
end

local sigterm = uv.new_signal()
sigterm:start("sigterm", function() task.spawn_root(end_here, LET_GO) end)

-- Another may begin it at the same time; then it is that one's.
local function begin(run_id)
  if rows.get(store, "default", run_id) then return end
  curia.start(assert(councils[run_id:match "^%a+"]), "The question of " .. run_id, {
    run_id = run_id, durability = "sync", seed = 1, recovery = { policy = "resume", max_attempts = 1000000 },
  })
end

for i = turn, #runs, of do begin(runs[i]) end

local LEFT = "SELECT count(*) AS n FROM {runs} WHERE parent_run_id IS NULL AND finalized_at IS NOT NULL"
local JOBS = "SELECT count(*) AS n FROM {jobs} WHERE state NOT IN ('completed', 'discarded', 'cancelled')"

local function count(sql)
  return assert(store:query(sql))[1].n
end

-- Jobs are among the runs once they have begun.
repeat task.sleep(EVERY_MS) until leaving or count(JOBS) == 0 and count(LEFT) >= tonumber(os.getenv "KILL_RUNS")
if leaving then task.sleep(1e9) end
end_here(0)
