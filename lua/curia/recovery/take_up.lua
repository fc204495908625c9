--- Takes up a run whose process has died, or that was let go: claims it, and does what its policy says (SPEC 17).
local again = require "curia.recovery.again"
local claim = require "curia.recovery.claim"
local clock = require "curia.core.clock"
local errors = require "curia.errors"
local failing = require "curia.recovery.failing"
local log = require "curia.log"
local pins = require "curia.durable.pin"
local policies = require "curia.recovery.policy"
local user_code = require "curia.engine.user_code"

local M = {}

local UNKNOWN_AFTER_MS = 600000

---@alias curia.recovery.Outcome "resumed"|"restarted"|"failed"|"skipped"

local function must(done, err)
  if not done then error(err, 0) end
  return done
end

local function orphaned(row, why)
  return errors.new("orphaned", ("run %s: its process has died%s"):format(row.run_id, why and ", and " .. why or ""))
end

local function cancelled(row)
  return errors.new("cancelled", row.cancel_requested)
end

local function poisoned(row, count)
  return errors.new("poisoned", ("run %s: %d processes in a row have died with it"):format(row.run_id, count))
end

-- ---- what is done with a claimed run ----------------------------------------------------------------

local act = {}

-- A claim that has come to nothing is given back: this process lives, and would have the run for ever.
local function perform(sweep, row, what, ...)
  local ok, outcome = xpcall(act[what], user_code.as_error, sweep, row, ...)
  if ok then return outcome end
  claim.give_back(sweep.store, row, outcome.kind ~= "storage")
  return nil, outcome
end

function act.fail(sweep, row, err)
  must(failing.fail(sweep.store, row, err))
  return "failed"
end

-- Nobody goes on with it until somebody has decided.
function act.block(sweep, row, err)
  must(claim.block(sweep.store, row, err))
  log.write("warn", ("run %s is blocked: %s"):format(row.run_id, err.message))
  return "skipped"
end

function act.resume(sweep, row, made)
  must(again.go_on(sweep.store, row, made))
  return "resumed"
end

-- The new run is there, and anybody's, in the unit that ends the old one: whatever happens then, it is begun once.
function act.restart(sweep, row, made)
  local new, store = again.row(row), sweep.store
  must(failing.fail(store, row, orphaned(row, "it was begun anew as " .. new.run_id),
    function(unit) again.put(store, unit, new) end))
  local won, err = claim.run(store, new, sweep.node)
  if won then err = select(2, perform(sweep, new, "resume", made)) end
  if err then log.write("error", ("run %s waits for another sweep: %s"):format(new.run_id, err.message)) end
  return "restarted"
end

-- ---- what is to be done -----------------------------------------------------------------------------

local BEGUN = [[SELECT 1 WHERE EXISTS (SELECT 1 FROM {steps} WHERE namespace = ? AND run_id = ?)
  OR EXISTS (SELECT 1 FROM {run_events} WHERE namespace = ? AND run_id = ?)]]

local function has_begun(sweep, row)
  return #must(sweep.store:query(BEGUN, row.namespace, row.run_id, row.namespace, row.run_id)) > 0
end

-- What is to end is not begun anew; what has never begun is begun.
local function instead_of_restart(sweep, row)
  if row.cancel_requested then return row.durability == "none" and "fail" or "resume" end
  return has_begun(sweep, row) and "restart" or "resume"
end

local function policy_of(sweep, row)
  local policy, most = policies.of(row, sweep.known, sweep.opts.resolve_policy)
  must(policy, most)
  return policy == "restart" and instead_of_restart(sweep, row) or policy, most
end

-- How many processes have died with it. One that is begun anew each time has made no progress that counts.
local function deaths(row, policy)
  if not row.incarnation then return 0 end
  return policy == "restart" and row.attempt or row.attempts
end

-- A council that nobody here knows may be known elsewhere, for a while.
local function unknown(sweep, row, err)
  if err.kind == "replay_mismatch" then return "block", err end
  if err.code ~= "unknown_council" then error(err, 0) end
  local waited = clock.wall_ms() - row.updated_at
  local given_up = sweep.opts.unknown == "fail" or waited >= (sweep.opts.unknown_after_ms or UNKNOWN_AFTER_MS)
  if given_up then return "fail", orphaned(row, "no process knows its council") end
end

-- What to do, if anything, and with what: the council, or the error.
local function decide(sweep, row)
  if row.parent_run_id then return "fail", orphaned(row, "the run that it is part of has ended") end
  local has_changed = row.reason == "replay_mismatch" -- nobody can resume it, not even to end it
  if row.cancel_requested and has_changed then return "fail", cancelled(row) end
  local policy, most = policy_of(sweep, row)
  local count = deaths(row, policy)
  if count >= most then return "fail", poisoned(row, count) end
  if policy == "fail" then return "fail", row.cancel_requested and cancelled(row) or orphaned(row) end
  local made, err = pins.find(sweep.store, row, sweep.known)
  if not made then return unknown(sweep, row, err) end
  return policy, made
end

--- Takes a run up, unless another is faster. What goes wrong is raised.
---@async
---@param sweep curia.Sweep
---@param row curia.store.RunRow
---@return curia.recovery.Outcome
function M.run(sweep, row)
  local what, with = decide(sweep, row)
  if not what then return "skipped" end
  local won, err = claim.run(sweep.store, row, sweep.node)
  if err then error(err, 0) end
  if not won then return "skipped" end
  return must(perform(sweep, row, what, with))
end

return M
