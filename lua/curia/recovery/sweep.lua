--- Finds the runs of processes that have died, and takes each up (SPEC 17).
local clock = require "curia.core.clock"
local config = require "curia.config"
local dropped = require "curia.recovery.dropped"
local fields = require "curia.language.fields"
local json = require "curia.json"
local log = require "curia.log"
local node = require "curia.recovery.node"
local options = require "curia.engine.options"
local rows = require "curia.store.runs"
local shared = require "curia.store.shared"
local system = require "curia.core.system"
local take_up = require "curia.recovery.take_up"
local telemetry = require "curia.telemetry"
local user_code = require "curia.engine.user_code"

local M = {}

local LIMIT, UNWINDING_MS = 1000, 60000

---@class curia.Sweep
---@field store curia.Store
---@field node curia.Node
---@field opts table
---@field known {councils?: table<string, curia.Council>, registry: curia.Registry}
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

-- A blocked run that only waits is nobody's, and left alone; one that has an owner had something under way besides.
-- A run inside of another is that one's affair as long as it goes on, and for a while after: it may still unwind.
local FOUND = [[SELECT namespace, run_id, incarnation, fence FROM {runs} AS r
  WHERE status IN ('pending', 'running', 'blocked') AND finalized_at IS NULL
  AND (incarnation IS NULL AND status <> 'blocked' OR incarnation NOT IN (?%s)) AND updated_at <= ?
  AND (parent_run_id IS NULL OR NOT EXISTS (SELECT 1 FROM {runs} AS o WHERE o.namespace = r.namespace
    AND o.run_id = r.parent_run_id AND (o.finalized_at IS NULL OR o.finalized_at > ?))) %s LIMIT ?]]

local function shuffled(list)
  for i = #list, 2, -1 do
    local j = (system.random_integer() & 0x7fffffff) % i + 1
    list[i], list[j] = list[j], list[i]
  end
  return list
end

-- The owner's lock says whether it lives. Its clock does not: it may have been ahead of what is right.
local function last_heard(opts)
  return opts.stale_after_ms and clock.wall_ms() - opts.stale_after_ms or math.maxinteger
end

-- Runs of the dead and of nobody.
local function find(self)
  local ok, err = dropped.give_back(self.store, self.node)
  if not ok then return nil, err end
  local values
  values, err = living(self)
  if not values then return nil, err end
  local others = (", ?"):rep(#values - 1)
  local where, scope = scope_of(self.opts)
  for i, condition in ipairs(where) do where[i] = "AND " .. condition end
  values[#values + 1] = last_heard(self.opts)
  values[#values + 1] = clock.wall_ms() - UNWINDING_MS
  table.move(scope, 1, #scope, #values + 1, values)
  values[#values + 1] = self.opts.limit or LIMIT
  local found
  found, err = self.store:query(FOUND:format(others, table.concat(where, " ")), table.unpack(values))
  return found and shuffled(found), err
end

-- ---- one of them -----------------------------------------------------------------------------------

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
    return take_up.run(self, row)
  end, user_code.as_error)
  if not ok then
    log.write("error", ("recovery of run %s failed: %s"):format(found.run_id, outcome.message))
    outcome = "skipped"
  end
  self.counts[outcome] = self.counts[outcome] + 1
end

-- ---- the sweep ------------------------------------------------------------------------------------

--- The store that is named, else the configured one.
---@async
---@param opts {store?: string}
---@return curia.Store?
---@return curia.Error? err kind `storage`
function M.store_of(opts)
  if opts.store then return shared.of(opts.store, config.shared():get "prefix") end
  return shared.configured()
end

--- Whether the configuration lets this process take runs up by itself (`sweep.enabled`).
---@return boolean
function M.is_enabled()
  local configured = config.shared():get "sweep"
  return not configured or configured.enabled ~= false
end

--- Which runs, and what is done with them.
M.OPTIONS = {
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
  opts = options.read("sweep", opts, M.OPTIONS)
  local store, err = M.store_of(opts)
  if not store then return nil, err end
  local here
  here, err = node.current(store)
  if not here then return nil, err end
  local self = {
    store = store, node = here, opts = opts, counts = { resumed = 0, restarted = 0, failed = 0, skipped = 0 },
    known = { councils = opts.councils, registry = config.shared().registry },
  }
  local found
  found, err = find(self)
  if not found then return nil, err end
  for _, row in ipairs(found) do see_to(self, row) end
  if telemetry.on["recovery.sweep"] then telemetry.emit("recovery.sweep", self.counts, {}) end
  return self.counts
end

return M
