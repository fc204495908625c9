--- What a durable run has come to, as units of work: all that belongs together in one, under the run's fence.
local bulk = require "curia.store.bulk"
local clock = require "curia.core.clock"
local errors = require "curia.errors"
local events = require "curia.engine.events"
local json = require "curia.json"
local log = require "curia.log"
local rows = require "curia.store.runs"
local task = require "curia.task"
local values = require "curia.store.values"

local M = {}

---@class curia.durable.Writer
---@field store curia.Store
---@field key {namespace: string, run_id: string}
---@field fence integer
---@field node {incarnation: string, node_id: string} this process
---@field seen table<string, true> content that is known to be stored
---@field exists boolean the run has a row
---@field patience_ms number for how long a unit is tried again
---@field stuck? curia.Error why what is to be stored cannot be at the moment
local Writer = {}
Writer.__index = Writer

---@class curia.durable.Batch what is to be stored together
---@field row? curia.store.RunRow a new run's, changed; `data`: its council
---@field entries curia.durable.Entry[] what was handed in
---@field wanted curia.Call[]
---@field dropped curia.Call[]
---@field told any[] as the journal's
---@field begun curia.Run[]
---@field settled curia.Run[]
---@field changes table<string, any> of the run's row

---@class curia.durable.Entry one thing that was handed in
---@field number integer its place in the order
---@field at_ms integer the run's time
---@field path string
---@field kind string
---@field hash? string
---@field failed? boolean the outcome is an error
---@field outcome? table the run's own from the moment that it is handed in
---@field encoded? curia.store.Encoded the outcome as it was then

local PATIENCE_MS = 10 * 60 * 1000
local FIRST_WAIT_MS, LONGEST_WAIT_MS = 50, 5000

--- A writer for a run.
---@param store curia.Store
---@param key {namespace: string, run_id: string}
---@param node {incarnation: string, node_id: string}
---@param fence integer
---@param exists boolean
---@return curia.durable.Writer
function M.new(store, key, node, fence, exists)
  return setmetatable({
    store = store, key = key, node = node, fence = fence, exists = exists, seen = {}, patience_ms = PATIENCE_MS,
    behind = {},
  }, Writer)
end

-- ---- statements -----------------------------------------------------------------------------------

local insert_wanted = bulk.insert {
  into = "{steps}", columns = {
    "namespace", "run_id", "path", "kind", "input_hash", "input", "status", "asked_after", "attempt", "fence",
    "started_at",
  },
}

local AGAIN = [[UPDATE {steps} SET status = 'started', attempt = attempt + 1, input_hash = ?, input = ?, asked_after = ?,
  fence = ?, started_at = ? WHERE namespace = ? AND run_id = ? AND path = ?]]

local function put_again(self, unit, call)
  local key = self.key
  unit[#unit + 1] = {
    AGAIN, call.hash, self.store:put(unit, call.input, self.seen), call.asked_after, self.fence, clock.wall_ms(),
    key.namespace, key.run_id, call.path, expect_rows = 1,
  }
end

local function put_wanted(self, unit, calls)
  local added, key, now = {}, self.key, clock.wall_ms()
  for _, call in ipairs(calls) do
    if call.repeated then put_again(self, unit, call)
    else
      added[#added + 1] = {
        key.namespace, key.run_id, call.path, call.kind, call.hash, self.store:put(unit, call.input, self.seen),
        call.effect.status or "started", call.asked_after, 1, self.fence, now,
      }
    end
  end
  insert_wanted(unit, added)
end

-- What was only begun has a row, what comes from outside by itself has none.
local insert_finished = bulk.insert {
  into = "{steps}", columns = {
    "namespace", "run_id", "path", "kind", "status", "finished", "at_ms", "failed", "result", "usage", "cost",
    "attempt", "fence", "started_at", "finished_at",
  },
  tail = [[ ON CONFLICT (namespace, run_id, path) DO UPDATE SET status = excluded.status, finished = excluded.finished,
  at_ms = excluded.at_ms, failed = excluded.failed, result = excluded.result, usage = excluded.usage, cost = excluded.cost,
  fence = excluded.fence, finished_at = excluded.finished_at]],
}

local function pack_outcome(self, unit, entry)
  if not entry.outcome then return nil end
  return self.store:put(unit, entry.encoded or assert(values.encode(entry.outcome)), self.seen)
end

local function put_entries(self, unit, entries)
  local added, key, now = {}, self.key, clock.wall_ms()
  for i, entry in ipairs(entries) do
    local response = entry.outcome and entry.outcome.response
    local usage = response and response.usage and self.store:pack(unit, response.usage, self.seen)
    added[i] = {
      key.namespace, key.run_id, entry.path, entry.kind, "finished", entry.number, entry.at_ms, entry.failed and 1 or 0,
      pack_outcome(self, unit, entry), usage, response and response.cost and response.cost.usd, 1, self.fence, now, now,
    }
  end
  insert_finished(unit, added)
end

local DROPPED = [[UPDATE {steps} SET status = 'abandoned', finished_at = ? WHERE namespace = ? AND run_id = ?
  AND path = ? AND status = 'started']]

local function put_dropped(self, unit, call)
  local key = self.key
  unit[#unit + 1] = { DROPPED, clock.wall_ms(), key.namespace, key.run_id, call.path }
end

-- ---- rows of runs ---------------------------------------------------------------------------------

local function outcome_of(run)
  local result = run.outcome
  return {
    status = run.status, result = result or json.null, error = run.failure or json.null, usage = run.totals.usage,
    cost = result and result.cost and result.cost.usd or nil, events = run.log.count,
    finalized_at = clock.wall_ms(), owner = json.null, incarnation = json.null,
  }
end

local function put_inner_run(self, unit, run)
  rows.insert(self.store, unit, {
    namespace = self.key.namespace, run_id = run.id, group_name = run.group and run.group.name,
    council = run.plan.spec.name, status = run.status, durability = run.journal.mode, attempt = 1, attempts = 0,
    parent_run_id = run.parent_id, seed = run.seed, fence = self.fence, events = 0, started_at = run.started_at,
    input = run.input,
  }, self.seen)
end

local function put_inner_end(self, unit, run)
  rows.update(self.store, unit, { namespace = self.key.namespace, run_id = run.id }, self.fence, outcome_of(run),
    self.seen)
end

-- An inner run's row has the fence under which it was last written: the outer run's guards it too.
local RAISE_INNER = "UPDATE {runs} SET fence = ? WHERE namespace = ? AND run_id = ?"

local function put_settled(self, unit, run)
  if run.id == self.key.run_id then return end
  unit[#unit + 1] = { RAISE_INNER, self.fence, self.key.namespace, run.id }
  put_inner_end(self, unit, run)
end

local function changes_of(self, batch)
  local changes = batch.changes
  for _, run in ipairs(batch.settled) do
    if run.id == self.key.run_id then
      for name, value in pairs(outcome_of(run)) do changes[name] = value end
    end
  end
  for _, entry in ipairs(batch.entries) do
    if entry.hash then changes.attempts = 0 end -- claims are counted from the last step that was newly finished
  end
  return changes
end

local function put_run(self, unit, batch)
  local changes = changes_of(self, batch)
  if self.exists then
    if #batch.settled == 0 then return rows.progress(unit, self.key, self.fence, changes) end
    return rows.update(self.store, unit, self.key, self.fence, changes, self.seen)
  end
  local row = batch.row
  if row.data then self.store:put_content(unit, row.data) end
  for name, value in pairs(changes) do row[name] = value ~= json.null and value or nil end
  rows.insert(self.store, unit, row, self.seen)
end

local function each(list, put, self, unit)
  for _, item in ipairs(list) do put(self, unit, item) end
end

local function put_events(self, unit, told)
  rows.events_of(self.store, unit, self.key.namespace, #told // 2,
    function(i) return events.event_of(told[2 * i - 1], told[2 * i]) end, self.seen)
end

-- The run's row comes first: it guards all that follows.
local function unit_of(self, batch)
  local unit = {}
  put_run(self, unit, batch)
  each(batch.begun, put_inner_run, self, unit)
  put_entries(self, unit, batch.entries)
  put_wanted(self, unit, batch.wanted)
  each(batch.dropped, put_dropped, self, unit) -- which may have been wanted just now
  put_events(self, unit, batch.told)
  each(batch.settled, put_settled, self, unit)
  return unit
end

-- ---- committing -----------------------------------------------------------------------------------

local PASSING = { busy = true, io = true, full = true }

local function is_passing(err)
  return err.kind == "storage" and PASSING[err.code] == true
end

-- Finished results are kept in memory until they can be stored, or the run's time is over (SPEC 15).
local function write(self, unit)
  local until_ms, wait_ms = clock.ms() + self.patience_ms, FIRST_WAIT_MS
  while true do
    local done, err = self.store:write(unit)
    self.stuck = err
    if done then return true end
    if not is_passing(err) or clock.ms() + wait_ms > until_ms then return nil, err end
    log.write("warn", ("run %s: it cannot be stored and goes on when it can be: %s"):format(self.key.run_id,
      err.message))
    task.sleep(wait_ms)
    wait_ms = math.min(wait_ms * 2, LONGEST_WAIT_MS)
  end
end

local ACCEPT = [[UPDATE {steps} SET input_hash = ?, input = ? WHERE namespace = ? AND run_id = ? AND path = ?
  AND EXISTS (SELECT 1 FROM {runs} AS r WHERE r.namespace = ? AND r.run_id = ? AND r.fence = ?)]]

--- Puts the input that a step has now in the place of the recorded one.
---@async
---@param call curia.Call
---@return true?
---@return curia.Error?
function Writer:accept(call)
  local unit, key = {}, self.key
  local input = self.store:put(unit, call.input, self.seen)
  unit[#unit + 1] = {
    ACCEPT, call.hash, input, key.namespace, key.run_id, call.path, key.namespace, key.run_id, self.fence,
    expect_rows = 1,
  }
  local done, err = write(self, unit)
  return done and true, err
end

--- Stores a batch: all of it, or nothing. What passes is waited for.
---@async
---@param batch curia.durable.Batch
---@return true?
---@return curia.Error? err kind `storage`; of code `unexpected_rows`: the run has another owner by now
function Writer:commit(batch)
  local done, err = write(self, unit_of(self, batch))
  if done then self.exists = true end
  return done, err
end

-- What is written behind has to be somewhere meanwhile.
local MOST_BEHIND = 32

local function settle_oldest(self)
  local oldest = table.remove(self.behind, 1)
  local done, err = oldest:await()
  if done then return true end
  return nil, err
end

--- Hands a batch over without waiting for it, unless too many are on their way.
---@async
---@param batch curia.durable.Batch
---@return true?
---@return curia.Error? err of an earlier batch
function Writer:write_behind(batch)
  self.behind[#self.behind + 1] = self.store:submit(unit_of(self, batch))
  self.exists = true
  if #self.behind > MOST_BEHIND then return settle_oldest(self) end
  return true
end

--- Waits for what was written behind.
---@async
---@return true?
---@return curia.Error?
function Writer:settle()
  while self.behind[1] do
    local done, err = settle_oldest(self)
    if not done then return nil, err end
  end
  return true
end

--- Why a run that is let go ends here.
---@param writer curia.durable.Writer
---@return curia.Error
function M.released(writer)
  return errors.new("storage", ("run %s was let go, for another process to take up"):format(writer.key.run_id),
    { code = "released" })
end

--- Changes columns of the run's row.
---@async
---@param changes table<string, any>
---@return true?
---@return curia.Error?
function Writer:change(changes)
  local unit = {}
  rows.update(self.store, unit, self.key, self.fence, changes)
  local done, err = write(self, unit)
  return done and true, err
end

--- Lets the run go: it is nobody's from now on.
---@async
---@return true?
---@return curia.Error?
function Writer:release()
  return self:change { owner = json.null, incarnation = json.null }
end

--- Whether an error says that another process has the run.
---@param err curia.Error
---@return boolean
function M.is_lost(err)
  return rows.is_lost(err)
end

--- Why a run that is another's ends here.
---@param run_id string
---@return curia.Error
function M.lost(run_id)
  return errors.new("storage", ("run %s is another process's by now, and goes on there"):format(run_id),
    { code = "lost" })
end

return M
