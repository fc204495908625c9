--- The journal of a durable run, as the run sees it (SPEC 16).
--
-- A run's tasks stand in a scope that nothing from outside reaches by itself. What they want done, an *effect*, is
-- noted here and carried out elsewhere; what comes of it, and all else that comes from outside (time, a decision, the
-- wish to cancel), is handed in one after the other by the conductor (conductor.lua), which records that order. So a
-- run that is handed the same things again does the same again: that is how it is resumed.
--
-- A run inside of the run shares its journal.
local clock = require "curia.core.clock"
local errors = require "curia.errors"
local inner = require "curia.durable.inner"
local inputs = require "curia.durable.inputs"
local random = require "curia.engine.random"
local redact = require "curia.redact"
local steady = require "curia.language.steady"
local system = require "curia.core.system"
local task = require "curia.task"

local M = {}

---@class curia.Journal
---@field run curia.Run the outermost
---@field mode "sync"|"async"
---@field scope userdata its tasks'
---@field runs table<string, curia.Run> it and those inside of it, by id
---@field open table<string, curia.Call> effects without an outcome, by path
---@field wanted curia.Call[] effects that nobody has recorded yet; in a replay all have been
---@field dropped curia.Call[] effects of which nobody waits for the outcome any more
---@field told any[] events that nobody has recorded yet: the log and the number of each
---@field begun curia.Run[] runs inside of the run that nobody has recorded yet
---@field settled curia.Run[] runs that have an outcome which nobody has recorded yet
---@field unfinished table<string, table> rows of steps that earlier processes have begun, taken back or left, by path
---@field heard table<string, true> what was asked in the store and has been handed on, by path
---@field handed integer things that were handed in so far
---@field replaying boolean what happens has been recorded before
---@field arrivals table[] what has come from outside, in its order
---@field arrived userdata signal: something has come
---@field answered curia.durable.InnerRequest[] answers of which nobody has recorded yet what they follow from
---@field refused? curia.Error kind `replay_mismatch`: a tool or a step asks for something else than is on record
local Journal = {}
Journal.__index = Journal

---@class curia.Effect what a run wants done
---@field path string what it is for; made unique
---@field kind string call, tool, step, ...
---@field input any a JSON value: what the outcome depends on
---@field perform fun(call: curia.Call): table gives the outcome, a JSON value; runs outside of the run
---@field live? boolean done again by each process: the outcome is not recorded, its place in the order is
---@field once? boolean must not be done twice: without a recorded outcome it may have been done
---@field begun? fun() the answer has begun, for which others wait
---@field ctx? curia.Ctx of a tool or a step: by it, it may ask for effects of its own
---@field status? string of its row from the beginning: it is only told, not carried out

---@class curia.Call an effect that was asked for
---@field path string
---@field kind string
---@field number integer in the order of asking
---@field at_ms integer the run's time then
---@field asked_after integer what had been handed in by then
---@field input curia.store.Encoded
---@field hash string of its input
---@field effect curia.Effect
---@field done boolean
---@field abandoned boolean nobody waits for it any more
---@field carrier? curia.Task what carries it out
---@field outcome? table
---@field has_begun? boolean its answer has, and who waited for that was told
---@field repeated? boolean a process died while it was under way
---@field inner? curia.durable.Inner of a tool or a step: what it asks for by way of ctx
---@field host? curia.durable.Host of its function, while this process runs it
local Call = {}
Call.__index = Call

-- Ids of inner runs differ where outer runs have the same seed.
local function seed_of(run)
  return run.seed ~ tonumber(system.sha256(run.id):sub(1, 15), 16)
end

--- A journal for a run that has not begun.
---@param run curia.Run
---@param mode "sync"|"async"
---@return curia.Journal
function M.new(run, mode)
  local journal = setmetatable({
    run = run, mode = mode, scope = task.scope(run.started_at), runs = { [run.id] = run }, open = {}, wanted = {},
    dropped = {}, told = {}, begun = {}, settled = {}, replaying = false, arrivals = {}, arrived = task.signal(),
    answered = {}, refused = nil, paths = {}, calls = 0, handed = 0, heard = {}, unfinished = {},
    ids = random.new(seed_of(run) ~ 0x6a6f75726e616c),
  }, Journal)
  journal:adopt(run)
  steady.set_dice(journal.scope:key(), random.new(run.seed ~ 0x6368616e6365))
  return journal
end

--- Takes a run in: its events and effects are the journal's from now on.
---@param run curia.Run
function Journal:adopt(run)
  self.runs[run.id], run.journal, run.root = run, self, self.run
  run.log.journal, run.log.published = self, 0
  if run ~= self.run then self.begun[#self.begun + 1] = run end
end

--- Lets a run go whose outcome is stored: it may be known for a while yet, without all this.
---@param run curia.Run
function Journal:release(run)
  if run == self.run then steady.set_dice(self.scope:key(), nil) end
  self.runs[run.id], run.journal, run.log.journal = nil, nil, false
end

-- ---- effects --------------------------------------------------------------------------------------

-- The first of a name has it alone, so that paths stay short. A script may name a step as another one is numbered.
local function unique(journal, name)
  local paths, path, count = journal.paths, name, 1
  while paths[path] do
    count = math.max(count, paths[name]) + 1
    path = ("%s#%d"):format(name, count)
  end
  paths[name], paths[path] = math.max(count, paths[name] or 0), paths[path] or 1
  return path
end

-- Whoever asked has been cut short, or has what he asked for.
function Call:__close()
  if self.inner then inner.stop(self) end
  if self.done then return end
  local journal = self.journal
  self.abandoned, journal.open[self.path] = true, nil
  if not journal.replaying then journal.dropped[#journal.dropped + 1] = self end
  if self.carrier then self.carrier:cancel("nobody waits for it any more") end
end

local function new_call(journal, effect)
  journal.calls = journal.calls + 1
  local input, hash = inputs.encode(effect.input)
  return setmetatable({
    journal = journal, effect = effect, kind = effect.kind, path = unique(journal, redact.lasting(effect.path)),
    number = journal.calls, at_ms = clock.ms(), asked_after = journal.handed, input = input, hash = hash,
    signal = task.signal(), done = false, abandoned = false, carrier = nil, outcome = nil, inner = nil,
  }, Call)
end

local function refuse_outside(effect)
  if task.in_scope() then return end
  error(errors.new("unsupported",
    ("%s: only a durable run itself may have effects, its tools and its steps"):format(effect.path)), 0)
end

--- Has an effect recorded, and then carried out.
---@param call curia.Call
function Journal:want(call)
  call.repeated = self.unfinished[call.path] ~= nil
  self.wanted[#self.wanted + 1] = call
end

--- Has something done outside of the run and waits for what comes of it.
---@async
---@param effect curia.Effect
---@return table outcome as it was recorded
function Journal:effect(effect)
  refuse_outside(effect)
  local call <close> = new_call(self, effect)
  call.inner = effect.ctx and inner.new()
  self.open[call.path] = call
  if not self.replaying then self:want(call) end
  while not call.done do
    call.signal:wait()
    if call.inner then inner.serve(call) end
  end
  return call.outcome
end

--- Waits until the conductor lets the run begin.
---@async
function Journal:wait_for_start()
  local call <close> = new_call(self, { path = "start", kind = "start", input = {} })
  self.open[call.path] = call
  while not call.done do call.signal:wait() end
end

--- Notes that a call waits for somebody's decision, for those who look at the store.
---@param about table what is asked
---@param call_id string
function Journal:ask_for_decision(about, call_id)
  local asked = new_call(self, {
    path = "approval/" .. call_id, kind = "approval", input = about, status = "requested",
  })
  if not self.replaying then self.wanted[#self.wanted + 1] = asked end
end

--- Waits for something outside of the run that each process has to wait for anew, such as a place among many.
---@async
---@param path string
---@param perform fun()
function Journal:wait_outside(path, perform)
  local outcome = self:effect { path = path, kind = "wait", live = true, perform = function()
    perform()
    return {}
  end }
  if outcome.error then error(outcome.error, 0) end
end

--- What a function outside of the run gives: `value, err`, both of which must be JSON values.
---@async
---@param effect curia.Effect with `call`, a function, in place of `perform`
---@return any value
---@return curia.Error? err
function Journal:value(effect)
  local call = effect.call
  function effect.perform()
    local value, err = call()
    return { value = value, error = err }
  end
  local outcome = self:effect(effect)
  return outcome.value, outcome.error
end

-- ---- what is decided by the run's seed --------------------------------------------------------------

--- A UUIDv7 that is the same whenever the run is resumed.
---@return string
function Journal:uuid()
  local at, high, low = clock.wall_ms(), self.ids:bits(), self.ids:bits()
  return ("%08x-%04x-7%03x-%04x-%012x"):format(at >> 16, at & 0xffff, high & 0xfff, 0x8000 | low >> 50 & 0x3fff,
    low & 0xffffffffffff)
end

-- ---- what the run tells -----------------------------------------------------------------------------

--- An event was logged: it is published once it is stored.
---@param log curia.Log
---@param seq integer
function Journal:logged(log, seq)
  local told = self.told
  local count = #told
  told[count + 1], told[count + 2] = log, seq
end

--- A run has an outcome: it has ended once that is stored.
---@param run curia.Run
function Journal:concluded(run)
  self.settled[#self.settled + 1] = run
  self.arrived:notify() -- it may have been stopped from outside
end

-- ---- what comes from outside ------------------------------------------------------------------------

--- Something has come from outside; the conductor hands it in.
---@param arrival table
function Journal:post(arrival)
  self.arrivals[#self.arrivals + 1] = arrival
  self.arrived:notify()
end

--- Somebody wants one of the runs cancelled.
---@param run curia.Run
---@param reason string
function Journal:cancel(run, reason)
  if task.in_scope() then return run.task:cancel(reason) end
  self:post { kind = "cancel", path = "cancel", outcome = { run_id = run.id, reason = reason } }
end

--- Somebody has decided about a call that waits for approval.
---@param run curia.Run
---@param call_id string
---@param approved boolean
---@param note? string
function Journal:decide(run, call_id, approved, note)
  self:post {
    kind = "decision", path = "decision/" .. call_id,
    outcome = { run_id = run.id, call_id = call_id, approved = approved, note = note },
  }
end

--- The first byte of an answer has come, for which others wait.
---@param call curia.Call
function Journal:answer_begins(call)
  self:post { kind = "begun", path = call.path .. "/begun", outcome = { call = call.path } }
end

return M
