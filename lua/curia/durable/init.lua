--- Durable runs (SPEC 16): what has been paid for is stored before anything depends on it, and a run whose process has
--- died goes on in another one as if nothing had happened.
local claim = require "curia.recovery.claim"
local clock = require "curia.core.clock"
local conductors = require "curia.durable.conductor"
local errors = require "curia.errors"
local firsts = require "curia.store.first"
local journals = require "curia.durable.journal"
local json = require "curia.json"
local limits = require "curia.engine.limits"
local log = require "curia.log"
local node = require "curia.recovery.node"
local pins = require "curia.durable.pin"
local records = require "curia.durable.record"
local retention = require "curia.recorder.retention"
local rows = require "curia.store.runs"
local shared = require "curia.store.shared"
local task = require "curia.task"
local user_code = require "curia.engine.user_code"
local writers = require "curia.durable.writer"

local M = {}

--- The durable runs that this process goes on with.
---@type table<curia.Run, true>
M.live = {}

---@class curia.durable.Origin where a run that is resumed comes from
---@field store curia.Store
---@field row curia.store.RunRow as this process has claimed it
---@field accept? string|string[]|true paths of the steps whose input may differ
---@field reopen? boolean it had failed, and its last errors are tried again

--- Makes a run durable before it is launched.
---@param run curia.Run
---@param mode "sync"|"async"
---@param made curia.Council
---@param origin? curia.durable.Origin
function M.attach(run, mode, made, origin)
  if origin and origin.row.started_at then run.started_at = origin.row.started_at end
  journals.new(run, mode)
  run.made, run.origin = made, origin
end

-- ---- a new run's row ------------------------------------------------------------------------------

-- What of a run's options it needs when it is resumed.
local KEPT = {
  "retry", "failure_mode", "quorum", "budget", "on_budget", "metadata", "models", "offline", "relay_topics",
  "member_timeout_ms", "deadline_ms", "durability", "recovery",
}

local function options_of(run)
  local kept = {}
  for _, name in ipairs(KEPT) do kept[name] = run.opts[name] end
  kept.shares_budget = run.group and run.group.budget and true or nil
  return kept
end

-- A recovery policy is one word, or that and more.
local function policy_of(run)
  local policy = run.opts.recovery or run.plan.spec.recovery
  if type(policy) == "table" then return policy.policy, policy.max_attempts end
  return policy
end

local function scope_of(run, name)
  local own = run.opts[name]
  if own ~= nil then return own ~= json.null and own or nil end
  local configured = run.config:get(name)
  return configured ~= "" and configured or nil
end

local function row_of(run)
  local pin, policy, max_attempts = pins.of(run.made), policy_of(run)
  return {
    namespace = run.namespace.name, run_id = run.id, group_name = run.group and run.group.name,
    council = run.plan.spec.name, spec_hash = pin.spec_hash, source = pin.source, source_hash = pin.source_hash,
    durability = run.journal.mode, recovery = policy, max_attempts = max_attempts, attempt = 1, attempts = 1,
    parent_attempt_run_id = run.opts.parent_attempt_run_id, job_id = run.opts.job_id, seed = run.seed, fence = 1,
    source_stack = scope_of(run, "stack"), source_env = scope_of(run, "env"), events = 0, started_at = run.started_at,
    input = run.input, options = options_of(run), data = pin.text,
  }
end

-- ---- conducting -----------------------------------------------------------------------------------

local function key_of(run)
  return { namespace = run.namespace.name, run_id = run.id }
end

local function open_store(run)
  if run.origin then return run.origin.store end
  local given = run.opts.store
  if type(given) == "table" then return given end
  if given then return shared.of(given, run.config:get "prefix") end
  return shared.configured(run.config)
end

-- The first start of this id has stored its outcome: it is this one's too.
local function take_first(run, store)
  local row, err = firsts.ended(store, run)
  if not row then return nil, err end
  firsts.adopt(run, row)
  return true
end

local function begin(run, store, here)
  local row = row_of(run)
  local writer = writers.new(store, key_of(run), here, row.fence, false)
  run.conductor = conductors.new(run.journal, writer, row)
  run.conductor:begin()
  local ok, err = run.conductor:go_on()
  if ok or err.code ~= "constraint" or writer.exists then return ok, err end
  return take_first(run, store)
end

local function open_record(store, key, origin, seen)
  if origin.reopen then
    local ok, err = records.reopen(store, key, origin.row.fence)
    if not ok then return nil, err end
  end
  local record, err = records.open(store, key, seen, origin.accept)
  if record then record.reopened = origin.reopen end
  return record, err
end

-- A file that was accepted as it is now is the run's from then on.
local function pin_accepted(run, writer)
  local origin, pin = run.origin, pins.of(run.made)
  if not origin.accept or not pin.source_hash or pin.source_hash == origin.row.source_hash then return true end
  return writer:change { source_hash = pin.source_hash }
end

local function resume(run, store, here)
  local origin, key = run.origin, key_of(run)
  local writer = writers.new(store, key, here, origin.row.fence, true)
  run.conductor = conductors.new(run.journal, writer)
  local pinned, problem = pin_accepted(run, writer)
  if not pinned then return nil, problem end
  local record, err = open_record(store, key, origin, writer.seen)
  if not record then return nil, err end
  local ok
  ok, err = run.conductor:replay(record)
  if not ok then return nil, err end
  if run.journal.handed == 0 then run.conductor:begin() end
  if origin.row.cancel_requested then run.journal:cancel(run, origin.row.cancel_requested) end
  return run.conductor:go_on()
end

local function conduct(run)
  local store, err = open_store(run)
  if not store then return nil, err end
  local here
  here, err = node.current(store)
  if not here then return nil, err end
  retention.keep(store, run.config:get "retention")
  return (run.origin and resume or begin)(run, store, here)
end

-- ---- the end of a run that cannot go on -------------------------------------------------------------

local function stop_tasks(run, err)
  run.stopped = err
  run.task:cancel(err.message)
  if run.conductor then run.conductor:stop() end
  run.conductor, run.origin, run.made = nil, nil, nil
end

-- The council asks for something else than is on record: nothing of it is done until somebody has decided.
local function block(run, err)
  local writer = run.conductor.writer
  local row = { namespace = writer.key.namespace, run_id = writer.key.run_id, fence = writer.fence }
  local done, problem = claim.block(writer.store, row, err)
  if not done then log.write("error", ("run %s: %s"):format(run.id, problem.message)) end
end

local function let_go(run)
  local done, err = run.conductor.writer:release()
  if not done then log.write("error", ("run %s: %s"):format(run.id, err.message)) end
end

-- One that stops here by a fault may go on elsewhere, or later.
local function is_anybodys(run, err)
  local writer = run.conductor and run.conductor.writer
  if not writer or not writer.exists or err.kind == "replay_mismatch" or err.code == "closing" then return false end
  return err.kind ~= "duplicate_run" and not writers.is_lost(err) and err.code ~= "lost"
end

-- What has been told stays; the run ends here without an outcome, and may go on elsewhere.
local function give_up(run, err)
  if run.ended then return end
  if err.kind == "replay_mismatch" and run.conductor then block(run, err) end
  if is_anybodys(run, err) then let_go(run) end
  local lost = conductors.reason(run, err)
  if run.journal then run.journal:release(run) end
  run.status, run.outcome, run.failure = err.kind == "replay_mismatch" and "blocked" or "lost", nil, lost
  run:retire()
  stop_tasks(run, lost)
end

local function closing()
  return errors.new("cancelled", "the runtime closes", { code = "closing" })
end

-- However conducting ends, by the runtime's closing too: whoever waits for the run is told. Nothing may wait here.
local Guard = {
  __close = function(guard)
    local run = guard.run
    M.live[run] = nil
    if run.ended then return end
    give_up(run, guard.err or closing())
  end,
}

local function see_through(run)
  local guard <close> = setmetatable({ run = run }, Guard)
  local ok, done, err = xpcall(conduct, user_code.as_error, run)
  if ok and done then
    if not run.ended then run:retire() end
    return stop_tasks(run, errors.new("cancelled", "the run has ended"))
  end
  guard.err = ok and err or done
  give_up(run, guard.err)
end

-- ---- what the engine calls --------------------------------------------------------------------------

-- A run that is owned ends with its owner; that it does is handed in, as all else from outside.
local function follow_owner(run)
  local _ <close> = setmetatable({}, { __close = function() run:cancel "its owner has ended" end })
  run:await()
end

--- Starts the tasks of a durable run.
---@param run curia.Run
---@param main fun(run: curia.Run)
---@param owned boolean
function M.launch(run, main, owned)
  M.live[run] = true
  run.task = run.journal.scope:add(task.spawn_root(main, run))
  task.spawn_root(see_through, run)
  if owned and task.current() then task.spawn_bound(follow_owner, run) end
end

--- Waits until the run may begin; its time begins then too.
---@async
---@param run curia.Run
function M.wait_for_start(run)
  run.journal:wait_for_start()
  run.started_us = clock.us()
  if run.opts.deadline_ms then limits.set(run, run.task, run.opts.deadline_ms, run, run.deadline_at) end
end

--- A run is another's from now on, or will be: it ends here without an outcome.
---@param run curia.Run
function M.lose(run)
  give_up(run, writers.lost(run.id))
end

--- A run is to end at once: its row says so, under its fence, and nothing revives it.
---@param run curia.Run
function M.terminated(run)
  local conductor = run.conductor
  if not conductor then return end
  local writer, unit = conductor.writer, {}
  rows.update(writer.store, unit, writer.key, writer.fence, {
    status = "terminated", finalized_at = clock.wall_ms(), owner = json.null, incarnation = json.null,
  })
  writer.store:submit(unit)
  conductor:stop()
  run.journal:release(run)
end

return M
