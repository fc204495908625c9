--- `curia approve`: decides about a call of a stored run that waits for approval.
local requests = require "curia.recovery.requests"
local rows = require "curia.store.runs"
local stores = require "curia.cli.runs.store"
local task = require "curia.task"
local usage = require "curia.cli.usage"
local waiting = require "curia.cli.runs.waiting"

local M = {}

local DECISIONS = { yes = true, no = false }

-- The error with the calls that do wait.
local function with_waiting(store, row, err)
  local events = err.code == "not_pending" and rows.events(store, row.namespace, row.run_id)
  local ids = {}
  for i, call in ipairs(events and waiting.of(store, row, events) or {}) do ids[i] = call.id end
  if #ids > 0 then err.message = ("%s; %s does"):format(err.message, table.concat(ids, ", ")) end
  return err
end

local function decide(run_id, call_id, approved, note)
  local store, err = stores.open()
  if not store then return nil, err end
  local run, done
  run, err = stores.find(store, run_id)
  if not run then return nil, err end
  done, err = requests.decide(store, run.row, call_id, approved, note)
  if not done then return nil, with_waiting(store, run.row, err) end
  return run.id
end

local function misuse(rest)
  if #rest < 3 then return "a run, the call's id, and yes or no are needed" end
  if DECISIONS[rest[3]] == nil then return ("yes or no is expected, not '%s'"):format(rest[3]) end
end

--- `curia approve RUN CALL yes|no [NOTE]`
---@param _ table options
---@param rest string[]
---@return integer exit code
function M.main(_, rest)
  local fault = misuse(rest)
  if fault then return usage.misused(fault, "approve") end
  local note = #rest > 3 and table.concat(rest, " ", 4) or nil
  local ok, done, err = task.run(decide, rest[1], rest[2], DECISIONS[rest[3]], note)
  if ok and done then
    print(("run %s: call %s %s; whoever has the run, or takes it up, goes on"):format(done, rest[2],
      rest[3] == "yes" and "allowed" or "refused"))
    return 0
  end
  io.stderr:write("curia: ", (err or done).message, "\n")
  return 1
end

return M
