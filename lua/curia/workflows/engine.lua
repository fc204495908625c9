--- Carries workflows out on a store.
--
-- Something happens, the machine decides on what stands in the store, one unit writes it if nothing has changed
-- meanwhile, and only then is it done: runs are started, others cancelled, events told. Whatever is lost between the
-- two is found again by `curia.workflows.reconcile`.
local clock = require "curia.core.clock"
local errors = require "curia.errors"
local log = require "curia.log"
local machine = require "curia.workflows.machine"
local prepare = require "curia.workflows.prepare"
local registries = require "curia.registry"
local rows = require "curia.workflows.rows"
local runner = require "curia.workflows.runner"
local task = require "curia.task"
local tidings = require "curia.workflows.tidings"
local turns = require "curia.workflows.turns"
local work = require "curia.workflows.work"

local M = {}

---@class curia.workflow.Engine one for each store
---@field store curia.Store
---@field runner table see curia.workflows.runner
---@field tasks table<string, curia.Task> what is done here: steps by the ids of their runs, waits for tries
---@field under_way table<curia.Task, true> all tasks
---@field turns curia.workflow.Turns of changes: only other processes are in each other's way
---@field stopped? boolean
---@field told table<string, string> what was complained of last, by workflow
---@field waiting table<string, curia.Signal[]> who waits for a change, by workflow
local Engine = { __name = "curia.workflow.engine" }
Engine.__index = Engine

-- Each miss is another process's success.
local MOST_MISSES = 1000

-- How often the end of a step is written once more when the store cannot be written to, and the first wait.
local WRITES, FIRST_WAIT_MS = 6, 200

local DRAIN_LOOK_MS = 5

--- An engine of its own, for specs; others share `of`.
---@param store curia.Store
---@param door? table in place of curia.workflows.runner
---@return curia.workflow.Engine
function M.new(store, door)
  return setmetatable({
    store = store, runner = door or runner, tasks = {}, under_way = {}, waiting = {}, told = {}, turns = turns.new(),
  }, Engine)
end

local engines = setmetatable({}, { __mode = "k" })

--- The engine of a store.
---@param store curia.Store
---@return curia.workflow.Engine
function M.of(store)
  engines[store] = engines[store] or M.new(store)
  return engines[store]
end

local function name_of(key)
  return key.namespace .. "/" .. key.id
end

-- ---- changes ----------------------------------------------------------------------------------------

function Engine:stop_step(state, name)
  local run_id = state.steps[name].run_id
  self.runner.cancel(state.instance.namespace, run_id)
  local running = self.tasks[run_id]
  if running then running:cancel "the workflow does not need it any more" end
end

local function since_of(state, event)
  local row = event.step and state.steps[event.step] or state.instance
  return row.started_at
end

function Engine:wake(key)
  local signals = self.waiting[name_of(key)]
  self.waiting[name_of(key)] = nil
  for _, signal in ipairs(signals or {}) do signal:notify() end
end

function Engine:carry_out(key, state, changes, now)
  for _, name in ipairs(changes.stop) do self:stop_step(state, name) end
  for _, event in ipairs(changes.events) do
    event.at, event.version = now, state.instance.version + 1
    tidings.tell(state.instance, event, since_of(state, event))
  end
  if changes.instance.finished_at then self.told[name_of(key)] = nil end
  self:wake(key)
end

local function busy(key)
  return errors.new("storage", ("workflow %s changes too fast"):format(key.id), { code = "busy" })
end

--- Lets something happen to a workflow.
---@async
---@param key curia.workflow.Key
---@param event table see `machine.decide`
---@return curia.workflow.Changes|false|nil changes false: it had no effect
---@return curia.workflow.State|curia.Error before what it was decided on; or why it could not be stored
function Engine:apply(key, event)
  local turn <close> = self.turns:take(name_of(key))
  turn:wait()
  for _ = 1, MOST_MISSES do
    local state, err = rows.load(self.store, key)
    if not state then return nil, err end
    local now = clock.wall_ms()
    local changes = machine.decide(state, event, now)
    if not changes then return false, state end
    local written
    written, err = self.store:write(rows.update(self.store, state, changes))
    if written then
      self:carry_out(key, state, changes, now)
      return changes, state
    end
    if not rows.is_lost(err) then return nil, err end
  end
  return nil, busy(key)
end

-- ---- the work of steps ------------------------------------------------------------------------------

-- What was done is not done again for the sake of a store that is away for a moment.
function Engine:record(key, event)
  local changed, err, wait = nil, nil, FIRST_WAIT_MS
  for i = 1, WRITES do
    changed, err = self:apply(key, event)
    if changed ~= nil or err.kind ~= "storage" or i == WRITES then break end
    task.sleep(wait)
    wait = wait * 2
  end
  return changed, err
end

--- Says in the log what is wrong with a workflow, once.
---@param key curia.workflow.Key
---@param what string
---@param err curia.Error
function Engine:complain(key, what, err)
  local text = ("workflow %s: %s: %s"):format(key.id, what, err.message)
  if self.told[name_of(key)] == text then return end
  self.told[name_of(key)] = text
  log.write("warn", text)
end

function Engine:go_on(key)
  if self.stopped then return end
  local _, err = self:advance(key)
  if err then self:complain(key, "it does not go on", err) end
end

function Engine:work(key, job)
  local outcome = work.perform(self.store, self.runner, job)
  if not outcome then return end
  local changed, err = self:record(key, work.event(job.code.name, job.attempt, job.run_id, outcome))
  self.tasks[job.run_id] = nil
  if changed ~= nil then return self:go_on(key) end
  self:complain(key, ("the end of step '%s' could not be stored"):format(job.code.name), err)
end

-- The next task of that id may have taken its place by then.
local function leave(self, id, own)
  self.under_way[own] = nil
  if self.tasks[id] == own then self.tasks[id] = nil end
end

function Engine:launch(id, method, ...)
  if self.stopped then return end
  local own
  own = task.spawn_root(function(...)
    local _ <close> = setmetatable({}, { __close = function() leave(self, id, own) end })
    method(self, ...)
  end, ...)
  self.tasks[id], self.under_way[own] = own, true
end

function Engine:spawn(key, job)
  self:launch(job.run_id, self.work, key, job)
end

-- ---- going on ---------------------------------------------------------------------------------------

local function unknown(code, text, ...)
  return nil, errors.new("validation", text:format(...), { code = code })
end

--- The step of the definition that is known here, if it still is what was begun.
---@param state curia.workflow.State
---@param name string
---@return table?
---@return curia.Error? err kind `validation`, code `unknown_workflow` or `definition_changed`
function M.code(state, name)
  local workflow = state.instance.name
  local definition = registries.shared():lookup("workflow", workflow)
  if not definition then
    return unknown("unknown_workflow", "workflow '%s' is not known to this process", workflow)
  end
  local now = machine.step(definition.plan, name)
  if now and now.kind == machine.step(state.plan, name).kind then return definition.by_name[name] end
  return unknown("definition_changed", "workflow '%s' has no step '%s' of that kind any more", workflow, name)
end

local function prepare_all(self, state, names, now)
  local prepared, codes, refused = {}, {}, nil
  for _, name in ipairs(names) do
    local code, err = M.code(state, name)
    codes[name] = code
    if code then prepared[name], err = prepare.step(self.store, state, code, now) end
    if code and err then return nil, nil, err end
    refused = refused or err
  end
  return prepared, codes, refused
end

-- The steps that the unit which has just been written has made this process's.
function Engine:spawn_begun(key, state, changes, codes)
  local begun = 0
  for name, row in pairs(changes.steps) do
    if row.status == "running" then
      self:spawn(key, { code = codes[name], instance = state.instance, attempt = row.attempt, run_id = row.run_id,
        input = row.input })
      begun = begun + 1
    end
  end
  return begun
end

function Engine:begin(key, state, names)
  local prepared, codes, err = prepare_all(self, state, names, clock.wall_ms())
  if not prepared or not next(prepared) then return nil, err end
  local owner
  owner, err = self.runner.owner(self.store)
  if not owner then return nil, err end
  local changes, before = self:apply(key, { type = "start", prepared = prepared, owner = owner })
  if changes == nil then return nil, before end
  return changes and self:spawn_begun(key, before, changes, codes) or 0
end

function Engine:wait_for_try(key, id, ms)
  task.sleep(ms)
  self.tasks[id] = nil
  self:go_on(key)
end

-- A time that has not come yet is waited for here, as long as this process lives.
function Engine:arm(key, state)
  for name, row in pairs(state.steps) do
    local id = ("%s/%s/%d"):format(name_of(key), name, row.attempt)
    if row.status == "retrying" and not self.tasks[id] then
      self:launch(id, self.wait_for_try, key, id, math.max(0, row.retry_at - clock.wall_ms()))
    end
  end
end

--- Begins every step whose turn it is, until there is none.
---@async
---@param key curia.workflow.Key
---@return integer? begun how many
---@return curia.Error?
function Engine:advance(key)
  local count = 0
  while true do
    local state, err = rows.load(self.store, key)
    if not state then return nil, err end
    local names = machine.ready(state, clock.wall_ms())
    if #names == 0 then
      if machine.is_live(state.instance.status) then self:arm(key, state) end
      return count
    end
    local begun
    begun, err = self:begin(key, state, names)
    if not begun then return nil, err end
    count = count + begun
  end
end

-- One that is this process's own is claimed too: it may be about to begin here, or have ended meanwhile.
local function claim(self, key, row)
  local owner, err = self.runner.owner(self.store)
  if not owner then return nil, err end
  local changes, problem = self:apply(key,
    { type = "claim", step = row.name, attempt = row.attempt, from = row.owner, owner = owner })
  if changes == nil then return nil, problem end
  return changes and true
end

--- Takes over a step whose process has died, and does its work again.
---@async
---@param key curia.workflow.Key
---@param state curia.workflow.State
---@param row table
---@return boolean? begun
---@return curia.Error?
function Engine:take_over(key, state, row)
  local code, err = M.code(state, row.name)
  if not code then return nil, err end
  local input
  input, err = rows.value(self.store, row.input)
  if err then return nil, err end
  local claimed
  claimed, err = claim(self, key, row)
  if not claimed then return claimed, err end
  if self.tasks[row.run_id] then return false end
  self:spawn(key, { code = code, instance = state.instance, attempt = row.attempt, run_id = row.run_id, input = input })
  return true
end

--- Applies the outcome of a run that nobody has waited for to the end.
---@async
---@param key curia.workflow.Key
---@param row table
---@param outcome curia.workflow.Outcome
---@return curia.workflow.Changes|false|nil changes
---@return curia.Error?
function Engine:replay(key, row, outcome)
  return self:apply(key, work.event(row.name, row.attempt, row.run_id, outcome))
end

-- ---- waiting ----------------------------------------------------------------------------------------

--- Waits until a workflow changes, for at most that long: other processes' changes are not told.
---@async
---@param key curia.workflow.Key
---@param ms number
function Engine:await_change(key, ms)
  local name, signal = name_of(key), task.signal()
  self.waiting[name] = self.waiting[name] or {}
  table.insert(self.waiting[name], signal)
  signal:wait(ms)
end

--- Begins nothing any more, lets what is under way end for so long, and stops. Idempotent.
---@async
---@param drain_ms number
function Engine:drain(drain_ms)
  self.stopped = true
  local ends = clock.ms() + drain_ms
  while next(self.under_way) and clock.ms() < ends do task.sleep(DRAIN_LOOK_MS) end
  self:stop()
end

--- Ends all that is under way here, as if the process had died: the rows stay as they are, and nothing begins here any
--- more.
function Engine:stop()
  self.stopped = true
  for running in pairs(self.under_way) do running:cancel "the engine stops" end
end

return M
