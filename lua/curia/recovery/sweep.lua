--- Finds the runs of processes that have died, and does with each what its policy says (SPEC 17).
local claim = require "curia.recovery.claim"
local clock = require "curia.core.clock"
local config = require "curia.config"
local errors = require "curia.errors"
local fields = require "curia.language.fields"
local json = require "curia.json"
local log = require "curia.log"
local node = require "curia.recovery.node"
local options = require "curia.engine.options"
local pins = require "curia.durable.pin"
local resuming = require "curia.durable.resume"
local rows = require "curia.store.runs"
local shared = require "curia.store.shared"
local system = require "curia.core.system"
local telemetry = require "curia.telemetry"
local user_code = require "curia.engine.user_code"

local M = {}

local MAX_ATTEMPTS, UNKNOWN_AFTER_MS, LIMIT = 3, 600000, 1000

---@class curia.Sweep
---@field store curia.Store
---@field node curia.Node
---@field opts table
---@field counts {resumed: integer, restarted: integer, failed: integer, skipped: integer}

-- ---- which runs -----------------------------------------------------------------------------------

-- Stack: one's own and those of none; `false` is all. Env: one's own alone, which may be none.
local function scope_of(opts)
  local conf, where, values = config.shared(), {}, {}
  local stack, env = opts.source_stack, opts.source_env
  if stack == nil then stack = conf:get "stack" or "" end
  if env == nil then env = conf:get "env" or "" end
  if stack == json.null or stack == "" then where[#where + 1] = "source_stack IS NULL"
  elseif stack then
    where[#where + 1] = "(source_stack IS NULL OR source_stack = ?)"
    values[#values + 1] = stack
  end
  if env == json.null or env == "" then where[#where + 1] = "source_env IS NULL"
  else
    where[#where + 1] = "source_env = ?"
    values[#values + 1] = env
  end
  return where, values
end

local OWNERS = [[SELECT DISTINCT incarnation FROM {runs} WHERE status IN ('pending', 'running', 'blocked')
  AND incarnation IS NOT NULL]]

-- Before any limit: the living may have more runs than one sweep takes up.
local function living(self)
  local owners, err = self.store:query(OWNERS)
  if not owners then return nil, err end
  local list = { self.node.incarnation }
  for _, row in ipairs(owners) do
    local owner = row.incarnation
    if owner ~= self.node.incarnation and node.is_alive(self.store, owner) then list[#list + 1] = owner end
  end
  return list
end

-- What only waits for a decision is nobody's, and waits on; what its process had more to do for is taken up, and waits
-- anew.
local FOUND = [[SELECT namespace, run_id, incarnation, fence FROM {runs}
  WHERE status IN ('pending', 'running', 'blocked') AND (status <> 'blocked' OR incarnation IS NOT NULL)
  AND finalized_at IS NULL AND parent_run_id IS NULL AND (incarnation IS NULL OR incarnation NOT IN (?%s))
  AND updated_at <= ? %s LIMIT ?]]

local function shuffled(list)
  for i = #list, 2, -1 do
    local j = (system.random_integer() & 0x7fffffff) % i + 1
    list[i], list[j] = list[j], list[i]
  end
  return list
end

-- Runs of the dead and of nobody.
local function find(self)
  local values, err = living(self)
  if not values then return nil, err end
  local others = (", ?"):rep(#values - 1)
  local where, scope = scope_of(self.opts)
  for i, condition in ipairs(where) do where[i] = "AND " .. condition end
  values[#values + 1] = clock.wall_ms() - (self.opts.stale_after_ms or 0)
  table.move(scope, 1, #scope, #values + 1, values)
  values[#values + 1] = self.opts.limit or LIMIT
  local found
  found, err = self.store:query(FOUND:format(others, table.concat(where, " ")), table.unpack(values))
  return found and shuffled(found), err
end

-- ---- what is done with one --------------------------------------------------------------------------

local POLICIES = { resume = true, restart = true, fail = true }

local function policy_of(self, row)
  local resolve = self.opts.resolve_policy
  if resolve then
    local policy, err = user_code.call("resolve_policy", resolve, row)
    if err then error(err, 0) end
    if policy ~= nil then
      if POLICIES[policy] then return policy end
      error(errors.new("validation", "resolve_policy: no policy " .. tostring(policy)), 0)
    end
  end
  return row.recovery or row.durability ~= "none" and "resume" or "fail"
end

local function orphaned(row, why)
  return errors.new("orphaned", ("run %s: its process has died%s"):format(row.run_id, why and ", and " .. why or ""))
end

local function poisoned(row)
  return errors.new("poisoned", ("run %s: %d processes in a row have died with it"):format(row.run_id, row.attempts))
end

local act = {}

function act.fail(self, row, err)
  local done, problem = claim.fail(self.store, row, err or orphaned(row))
  if not done then error(problem, 0) end
  return "failed"
end

function act.resume(self, row, made)
  local run, err = resuming.resume(self.store, row, { councils = { [row.council] = made } })
  if run then return "resumed" end
  claim.give_back(self.store, row, err.kind ~= "storage")
  error(err, 0)
end

local KEPT = {
  "namespace", "group_name", "council", "spec_hash", "source", "source_hash", "durability", "recovery", "max_attempts",
  "job_id", "source_stack", "source_env", "input", "options", "seed",
}

local function begun_anew(row)
  local new = {
    run_id = system.uuid7(), status = "pending", attempt = row.attempt + 1, attempts = 0, fence = 0, events = 0,
    parent_attempt_run_id = row.run_id,
  }
  for _, name in ipairs(KEPT) do new[name] = row[name] end
  return new
end

-- The new run is there, and anybody's, in the unit that ends the old one.
function act.restart(self, row, made)
  local new, store = begun_anew(row), self.store
  local done, err = claim.fail(store, row, orphaned(row, "it was begun anew as " .. new.run_id),
    function(unit) rows.insert(store, unit, new) end)
  if not done then error(err, 0) end
  if claim.run(store, new, self.node) then act.resume(self, new, made) end
  return "restarted"
end

-- The council, or what became of a run whose council nobody here knows.
local function find_council(self, row)
  local made, err = pins.find(self.store, row, { councils = self.opts.councils, registry = config.shared().registry })
  if made then return made end
  if err.kind == "replay_mismatch" then return nil, false, err end
  if err.code ~= "unknown_council" then error(err, 0) end
  local waited = clock.wall_ms() - row.updated_at
  local given_up = self.opts.unknown == "fail" or waited >= (self.opts.unknown_after_ms or UNKNOWN_AFTER_MS)
  return nil, given_up
end

local function claimed(self, row)
  local won, err = claim.run(self.store, row, self.node)
  if err then error(err, 0) end
  return won
end

-- Nobody goes on with it until somebody has decided.
local function block(self, row, err)
  if not claimed(self, row) then return "skipped" end
  local done, problem = claim.block(self.store, row, err)
  if not done then error(problem, 0) end
  log.write("warn", ("run %s is blocked: %s"):format(row.run_id, err.message))
  return "skipped"
end

local function take_up(self, row)
  local policy = policy_of(self, row)
  local made, given_up, changed
  if policy ~= "fail" then
    made, given_up, changed = find_council(self, row)
    if changed then return block(self, row, changed) end
    if not made and not given_up then return "skipped" end
  end
  local dead = row.attempts >= (row.max_attempts or MAX_ATTEMPTS) and row.incarnation ~= nil and poisoned(row)
  if not claimed(self, row) then return "skipped" end
  if dead then return act.fail(self, row, dead) end
  if given_up then return act.fail(self, row, orphaned(row, "no process knows its council")) end
  if policy == "fail" then return act.fail(self, row) end
  return act[policy](self, row, made)
end

-- Somebody may have taken it up since it was found, or just before, after the living were counted.
local function is_free(self, row, found)
  if row.fence ~= found.fence or row.incarnation ~= found.incarnation then return false end
  return not row.incarnation or not node.is_alive(self.store, row.incarnation)
end

-- One bad run does not stop the sweep.
local function see_to(self, found)
  local ok, outcome = xpcall(function()
    local row, err = rows.get(self.store, found.namespace, found.run_id)
    if not row then error(err, 0) end
    if not is_free(self, row, found) then return "skipped" end
    return take_up(self, row)
  end, user_code.as_error)
  if not ok then
    log.write("error", ("recovery of run %s failed: %s"):format(found.run_id, outcome.message))
    outcome = "skipped"
  end
  self.counts[outcome] = self.counts[outcome] + 1
end

-- ---- the sweep ------------------------------------------------------------------------------------

local OPTIONS = {
  stale_after_ms = { type = "integer", min = 0 }, source_stack = { type = "any" }, source_env = { type = "any" },
  resolve_policy = { type = "function" }, limit = { type = "integer", min = 1 }, councils = { type = "table" },
  unknown = { type = "string", enum = { "skip", "fail" } }, unknown_after_ms = { type = "integer", min = 0 },
  store = fields.config.store,
}

--- Takes up the runs of processes that have died, and those that were let go.
---@async
---@param opts? {stale_after_ms?: integer, source_stack?: string|false, source_env?: string, resolve_policy?: function,
--- limit?: integer, councils?: table<string, curia.Council>, unknown?: "skip"|"fail", unknown_after_ms?: integer,
--- store?: string} unknown ones raise
---@return {resumed: integer, restarted: integer, failed: integer, skipped: integer}?
---@return curia.Error? err kind `storage`
function M.sweep(opts)
  opts = options.read("sweep", opts, OPTIONS)
  local store, err
  if opts.store then store, err = shared.of(opts.store) else store, err = shared.configured() end
  if not store then return nil, err end
  local here
  here, err = node.current(store)
  if not here then return nil, err end
  local counts = { resumed = 0, restarted = 0, failed = 0, skipped = 0 }
  local self = { store = store, node = here, opts = opts, counts = counts }
  local found
  found, err = find(self)
  if not found then return nil, err end
  for _, row in ipairs(found) do see_to(self, row) end
  if telemetry.on["recovery.sweep"] then telemetry.emit("recovery.sweep", self.counts, {}) end
  return self.counts
end

return M
