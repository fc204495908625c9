--- The rows of runs and of their events: statements for units of work, and readers.
--
-- Every change of a run that a process owns names the fence under which it owns it: a process that has lost the run
-- meanwhile changes nothing, and its whole unit is undone (SPEC 17).
local bulk = require "curia.store.bulk"
local clock = require "curia.core.clock"
local errors = require "curia.errors"
local json = require "curia.json"

local M = {}

---@class curia.store.RunRow columns of {runs}; `input`, `options`, `result`, `error`, `usage` are values here

local PLAIN = {
  "namespace", "run_id", "group_name", "council", "spec_hash", "status", "durability", "recovery", "reason",
  "cancel_requested", "attempt", "attempts", "max_attempts", "parent_run_id", "parent_attempt_run_id", "job_id", "seed",
  "source", "source_hash", "owner", "incarnation", "fence", "source_stack", "source_env", "cost", "events",
  "started_at", "finalized_at",
}
local PACKED = { "input", "options", "result", "error", "usage" }
local IS_PACKED = {}
for _, name in ipairs(PACKED) do IS_PACKED[name] = true end

--- Whether an error of a unit says that the run has another owner by now.
---@param err curia.Error
---@return boolean
function M.is_lost(err)
  return err.kind == "storage" and err.code == "unexpected_rows"
end

-- ---- statements ---------------------------------------------------------------------------------

--- Adds to a unit: a new run's row.
---@param store curia.Store
---@param unit curia.sql.Statement[]
---@param row curia.store.RunRow
---@param seen? table<string, true> content that is known to be stored
function M.insert(store, unit, row, seen)
  local names, values = {}, {}
  local function put(name, value)
    names[#names + 1], values[#values + 1] = name, value
  end
  for _, name in ipairs(PLAIN) do
    if row[name] ~= nil then put(name, row[name]) end
  end
  for _, name in ipairs(PACKED) do
    if row[name] ~= nil then put(name, store:pack(unit, row[name], seen)) end
  end
  local now = clock.wall_ms()
  put("inserted_at", now)
  put("updated_at", now)
  unit[#unit + 1] = {
    ("INSERT INTO {runs} (%s) VALUES (?%s)"):format(table.concat(names, ", "), (", ?"):rep(#names - 1)),
    table.unpack(values),
  }
end

--- Adds to a unit: a change of a run's row under its fence. First in its unit, it guards all that follows.
---@param store curia.Store
---@param unit curia.sql.Statement[]
---@param key {namespace: string, run_id: string}
---@param fence integer
---@param changes table<string, any> by column; curia.null is NULL
---@param seen? table<string, true>
function M.update(store, unit, key, fence, changes, seen)
  local names = {}
  for name in pairs(changes) do names[#names + 1] = name end
  table.sort(names)
  local sets, values = { "updated_at = ?" }, { clock.wall_ms() }
  for _, name in ipairs(names) do
    local value = changes[name]
    if IS_PACKED[name] and value ~= json.null then value = store:pack(unit, value, seen) end
    sets[#sets + 1], values[#values + 1] = name .. " = ?", value
  end
  local count = #values
  values[count + 1], values[count + 2], values[count + 3] = key.namespace, key.run_id, fence
  unit[#unit + 1] = {
    ("UPDATE {runs} SET %s WHERE namespace = ? AND run_id = ? AND fence = ?"):format(table.concat(sets, ", ")),
    expect_rows = 1, table.unpack(values),
  }
end

local PROGRESS = [[UPDATE {runs} SET status = ?, owner = ?, incarnation = ?, reason = NULL,
  attempts = coalesce(?, attempts), updated_at = ? WHERE namespace = ? AND run_id = ? AND fence = ?]]

--- The same for what changes all the time.
---@param unit curia.sql.Statement[]
---@param key {namespace: string, run_id: string}
---@param fence integer
---@param changes {status: string, owner: any, incarnation: any, attempts?: integer}
function M.progress(unit, key, fence, changes)
  unit[#unit + 1] = {
    PROGRESS, n = 8, expect_rows = 1, changes.status, changes.owner, changes.incarnation, changes.attempts,
    clock.wall_ms(), key.namespace, key.run_id, fence,
  }
end

local insert_events = bulk.insert {
  into = "{run_events}", columns = { "namespace", "run_id", "seq", "type", "payload", "inserted_at" },
}

--- Adds to a unit: events.
---@param store curia.Store
---@param unit curia.sql.Statement[]
---@param namespace string
---@param count integer how many
---@param event_of fun(i: integer): curia.Event
---@param seen? table<string, true>
function M.events_of(store, unit, namespace, count, event_of, seen)
  local rows, now = {}, clock.wall_ms()
  for i = 1, count do
    local event = event_of(i)
    rows[i] = { namespace, event.run_id, event.seq, event.type, store:pack(unit, event, seen), now }
  end
  insert_events(unit, rows)
end

--- Adds to a unit: an event.
---@param store curia.Store
---@param unit curia.sql.Statement[]
---@param namespace string
---@param event curia.Event
---@param seen? table<string, true>
function M.event(store, unit, namespace, event, seen)
  M.events_of(store, unit, namespace, 1, function() return event end, seen)
end

--- What a request to end a run sets; its value is the reason. Whoever owns the run hears of it. One that is parked is
--- nobody's: it is made free, so that recovery takes it up and ends it.
M.ASK_TO_END = [[cancel_requested = ?,
  status = CASE WHEN status = 'blocked' AND incarnation IS NULL THEN 'pending' ELSE status END]]

-- ---- readers ------------------------------------------------------------------------------------

--- A run's row.
---@async
---@param store curia.Store
---@param namespace string
---@param run_id string
---@return curia.store.RunRow?
---@return curia.Error? err kind `unknown_run`, or `storage`
function M.get(store, namespace, run_id)
  local rows, err = store:query("SELECT * FROM {runs} WHERE namespace = ? AND run_id = ?", namespace, run_id)
  if not rows then return nil, err end
  if rows[1] then return store:unpack_columns(rows[1], PACKED) end
  return nil, errors.new("unknown_run", "there is no run " .. run_id)
end

--- A run's events from a number on, in their order; at most `limit`.
---@async
---@param store curia.Store
---@param namespace string
---@param run_id string
---@param from_seq? integer
---@param limit? integer
---@return curia.Event[]?
---@return curia.Error?
function M.events(store, namespace, run_id, from_seq, limit)
  local rows, err = store:query(
    "SELECT payload FROM {run_events} WHERE namespace = ? AND run_id = ? AND seq >= ? ORDER BY seq LIMIT ?",
    namespace, run_id, from_seq or 1, limit or math.maxinteger)
  if not rows then return nil, err end
  local events = {}
  for i, row in ipairs(rows) do
    local event, problem = store:unpack(row.payload)
    if problem then return nil, problem end
    events[i] = event
  end
  return events
end

return M
