--- A run that has left memory, or is another process's: what its holders may ask, answered from the store.
--
-- It has the methods of `curia.Run`; all but `on_end` and `subscribe` read the store, so they wait. While another
-- process goes on with the run, its row and its events are looked at again and again.
local errors = require "curia.errors"
local events = require "curia.engine.events"
local options = require "curia.engine.options"
local rows = require "curia.store.runs"
local task = require "curia.task"
local verbose = require "curia.verbose"

local M = {}

---@class curia.StoredRun
---@field id string
---@field store curia.Store
---@field row curia.store.RunRow as it was read last
---@field status string
---@field ended boolean
local StoredRun = { __name = "curia.stored_run" }
StoredRun.__index = StoredRun

local LOOK_MS = 200
local PAGE = 256

local ENDED = { completed = true, failed = true, cancelled = true, terminated = true }

local function take(self, row)
  self.row, self.status, self.ended = row, row.status, ENDED[row.status] == true
  return self
end

--- A handle for a row.
---@param store curia.Store
---@param row curia.store.RunRow
---@return curia.StoredRun
function M.new(store, row)
  return take(setmetatable({ id = row.run_id, store = store, started_at = row.started_at }, StoredRun), row)
end

-- What has ended does not change any more.
function StoredRun:refresh()
  if self.ended then return self end
  local row, err = rows.get(self.store, self.row.namespace, self.id)
  if not row then return nil, err end
  return take(self, row)
end

-- ---- what became of it ----------------------------------------------------------------------------

local function error_of(row)
  local stored = row.error
  if row.status == "terminated" then return errors.new("unknown_run", "run " .. row.run_id .. " was terminated") end
  return stored and errors.new(stored.kind, stored.message, stored)
end

--- The result, without waiting for the run's end; nil while it goes on.
---@async
---@return table?
---@return curia.Error?
function StoredRun:result()
  local ok, err = self:refresh()
  if not ok then return nil, err end
  if not self.ended then return nil end
  return self.row.result, error_of(self.row)
end

local function until_ended(self)
  while not self.ended do
    local ok, err = self:refresh()
    if not ok then return nil, err end
    if not self.ended then task.sleep(LOOK_MS) end
  end
  return self:result()
end

--- Waits until the run has ended.
---@async
---@param timeout_ms? number
---@return table? result
---@return curia.Error? err
function StoredRun:await(timeout_ms)
  if self.ended or not timeout_ms then return until_ended(self) end
  local waiting = task.spawn_bound(until_ended, self)
  local ok, result, err = waiting:await(timeout_ms)
  if ok then return result, err end
  waiting:cancel()
  if ok == false then error(result, 0) end
  return nil, errors.new("timeout", ("run %s has not ended in %g ms"):format(self.id, timeout_ms))
end

local function statuses(result)
  local found = {}
  for _, round in ipairs(result and result.rounds or {}) do
    for id, outcome in pairs(round.results) do found[id] = outcome.status end
  end
  return found
end

--- What there is to say of a row in short.
---@param row curia.store.RunRow
---@return table
function M.state_of(row)
  return {
    run_id = row.run_id, namespace = row.namespace, group = row.group_name, council = row.council, status = row.status,
    started_at = row.started_at, finalized_at = row.finalized_at, usage = row.usage or {}, cost = row.cost,
    offline = row.offline or row.options and row.options.offline or nil, recorded = true,
  }
end

--- As `run:state`; the round that a run of another process is in is not known here.
---@async
---@return table?
---@return curia.Error?
function StoredRun:state()
  local ok, err = self:refresh()
  if not ok then return nil, err end
  local state, result = M.state_of(self.row), self.row.result
  state.rounds_completed, state.members = result and result.rounds and #result.rounds or 0, statuses(result)
  return state
end

-- ---- its events -----------------------------------------------------------------------------------

local Reader = { __name = "curia.stored_events" }
Reader.__index = Reader

function Reader:load()
  local run = self.source.run
  local page, err = rows.events(run.store, run.row.namespace, run.id, self.next_seq, PAGE)
  if not page then error(err, 0) end
  self.page, self.at = page, 1
  return #page > 0
end

local function take_from(self)
  local event = self.page[self.at]
  if not event then return nil end
  self.at, self.next_seq = self.at + 1, event.seq + 1
  return event
end

-- Whether the run has ended is asked before its events are read: so none is missed.
function Reader:next()
  while not self.stopped do
    local event = take_from(self)
    if event then return event end
    local run = self.source.run
    local over = run.ended
    if not self:load() then
      if over then return nil end
      if not run:refresh() then return nil end
      if not run.ended then task.sleep(LOOK_MS) end
    end
  end
end

function Reader:each()
  return self.next, self, nil, self
end

function Reader:stop()
  self.stopped = true
end

Reader.__close = Reader.stop

local Source = {}
Source.__index = Source

function Source:name()
  return "run " .. self.run.id
end

local function reader(run, what, opts)
  opts = options.read(what, opts, events.OPTIONS)
  return setmetatable({
    source = setmetatable({ run = run }, Source), page = {}, at = 1, next_seq = math.max(1, opts.from_seq or 1),
  }, Reader)
end

--- The run's events, to be read with `next()` or `each()`.
---@param opts? curia.SubscribeOptions tokens are not stored
function StoredRun:watch(opts)
  return reader(self, "watch", opts)
end

--- for event in run:events() do ... end
---@async
---@param opts? curia.SubscribeOptions
---@return fun(): curia.Event?
function StoredRun:events(opts)
  local own = reader(self, "events", opts)
  return function() return own:next() end, nil, nil, own
end

--- Calls `fn(event)` for each event.
---@param fn fun(event: curia.Event)
---@param opts? curia.SubscribeOptions
function StoredRun:subscribe(fn, opts)
  if type(fn) ~= "function" then error("bad argument #1 to 'subscribe' (function expected)", 2) end
  return events.deliver(reader(self, "subscribe", opts), fn)
end

--- Prints the run's timeline.
---@param opts? {debug?: boolean, to?: function|file*}
function StoredRun:trace(opts)
  opts = opts or {}
  return verbose.attach(self, opts.debug and "debug" or true, opts.to)
end

-- ---- what may be done with it -----------------------------------------------------------------------

local ASK_TO_END = ("UPDATE {runs} SET %s WHERE namespace = ? AND run_id = ? AND finalized_at IS NULL"):format(
  rows.ASK_TO_END)

--- Asks whoever owns the run, or takes it up, to cancel it. Without effect once it has ended.
---@async
---@param reason? string
---@return true?
---@return curia.Error?
function StoredRun:cancel(reason)
  if self.ended then return true end
  local done, err = self.store:execute(ASK_TO_END, reason or "cancelled by its holder", self.row.namespace, self.id)
  return done and true, err
end

--- A run of another process is only asked to end.
---@async
---@return true
function StoredRun:terminate()
  self:cancel "terminated"
  return true
end

--- Calls `fn(run)` once, when the run has ended.
---@param fn fun(run: curia.StoredRun)
---@return curia.StoredRun
function StoredRun:on_end(fn)
  if type(fn) ~= "function" then error("bad argument #1 to 'on_end' (function expected)", 2) end
  task.spawn_root(function()
    until_ended(self)
    fn(self)
  end)
  return self
end

---@return nil
---@return curia.Error err
function StoredRun:approve(call_id)
  return nil, errors.new("validation", ("no call %s waits for approval in this process"):format(tostring(call_id)),
    { code = "not_pending" })
end

function StoredRun:__tostring()
  return ("run %s (%s, %s)"):format(self.id, self.row.council, self.status)
end

return M
