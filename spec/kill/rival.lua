--- One of several processes of the campaign of rivals: begins runs and workflows that nobody has begun, executes jobs,
--- takes up what the dead have left, and goes on until all have ended, whoever has them. SIGTERM: it lets go of all, and
--- ends.
--
--     curia lua spec/kill/rival.lua STORE MOCK TURN OF RUN...      begins each OFth run, from the TURNth
local curia = require "curia"
local councils = require "spec.kill.councils"
local flow = require "spec.kill.flow"
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
local is_alive, mistaken = node.is_alive, tonumber(os.getenv "KILL_MISTAKEN")
function node.is_alive(place, incarnation)
  return math.random() >= mistaken and is_alive(place, incarnation)
end

assert(curia.workflows.register(flow))
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

local OPTIONS = { durability = "sync", seed = 1, recovery = { policy = "resume", max_attempts = 1000000 } }

local function begin_run(run_id)
  if rows.get(store, "default", run_id) then return end
  local own = { run_id = run_id }
  for name, value in pairs(OPTIONS) do own[name] = value end
  curia.start(assert(councils[run_id:match "^%a+"]), "The question of " .. run_id, own)
end

-- The same id is the same workflow, whoever has begun it.
local function begin_flow(id)
  local options = { seed = 1, recovery = OPTIONS.recovery }
  local begun, err = curia.workflows.start(flow, { question = "The question of " .. id }, { id = id, options = options })
  if not (begun or leaving) then error(err) end
end

for i = turn, #runs, of do
  local begin = runs[i]:find "^flow" and begin_flow or begin_run
  begin(runs[i])
end

local ENDED = [[SELECT (SELECT count(*) FROM {runs} WHERE parent_run_id IS NULL AND finalized_at IS NOT NULL)
  + (SELECT count(*) FROM {jobs} WHERE state IN ('completed', 'discarded'))
  + (SELECT count(*) FROM {workflows} WHERE finished_at IS NOT NULL) AS n]]

local function all_have_ended()
  local found, err = store:query(ENDED)
  if not (found or leaving) then error(err) end
  return found and found[1].n >= tonumber(os.getenv "KILL_ENDS")
end

repeat task.sleep(EVERY_MS) until leaving or all_have_ended()
if leaving then task.sleep(1e9) end
end_here(0)
