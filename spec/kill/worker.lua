--- One process of the kill campaign: takes up the runs that another has left, begins those that nobody has begun, and
--- goes on until all have ended.
--
--     curia lua spec/kill/worker.lua STORE MOCK RUN...      where a run is council-number
--
-- KILL_AT=n: it ends itself by SIGKILL at its nth unit of work; KILL_BEFORE=1: before that is committed.
local curia = require "curia"
local uv = require "luv"
local councils = require "spec.kill.councils"
local resuming = require "curia.durable.resume"
local rows = require "curia.store.runs"
local shared = require "curia.store.shared"

local store_url, mock_url = arg[1], arg[2]
curia.config {
  store = store_url, log = "error", linger_ms = 0,
  providers = { mock = { adapter = "openai_chat", base_url = mock_url .. "/v1", api_key = "none" } },
}

local store = assert(shared.configured())

local function die()
  uv.kill(uv.os_getpid(), "sigkill")
end

local function die_at(number, before)
  local write, count = getmetatable(store).write, 0
  function store.write(self, unit)
    count = count + 1
    if count == number and before then die() end
    local done, err = write(self, unit)
    if count == number then die() end
    return done, err
  end
end

if os.getenv "KILL_AT" then die_at(tonumber(os.getenv "KILL_AT"), os.getenv "KILL_BEFORE") end

-- Claims a run that a dead process has left, by one compare-and-set, as recovery does.
local function take_up(row)
  assert(store:write { { "UPDATE {runs} SET fence = fence + 1 WHERE run_id = ? AND fence = ?", row.run_id, row.fence,
    expect_rows = 1 } })
  row.fence = row.fence + 1
  return assert(resuming.resume(store, row, { councils = councils }))
end

local function begin(run_id)
  local council = assert(councils[run_id:match "^%a+"], run_id)
  return assert(curia.start(council, "The question of " .. run_id, { run_id = run_id, durability = "sync", seed = 1 }))
end

local function see_to(run_id)
  local row, err = rows.get(store, "default", run_id)
  if not row and err.kind ~= "unknown_run" then error(err) end
  if row and row.finalized_at then return end
  local run = row and take_up(row) or begin(run_id)
  local _, failure = run:await()
  if failure and run.status ~= "failed" then error(failure) end
end

local seeing = {}
for i = 3, #arg do seeing[#seeing + 1] = function() see_to(arg[i]) end end
local _, failures = curia.task.all(seeing)
for _, err in pairs(failures) do error(err) end
shared.close()
