--- Recorders: what keeps a run that is not durable while it goes on (SPEC 15).
--
-- A recorder is three functions: `init(run_id, args)`, `event(event)`, and `finalize(outcome, run_id)`, which is called
-- exactly once where `init` was well. They are called one after the other, in a task of the recorder's own: they may
-- wait, and the run never waits for them. One that raises, or returns nil and an error, is not given anything further
-- but the end: the run goes on, and says so.
local choice = require "curia.recorder.choice"
local errors = require "curia.errors"
local log = require "curia.log"
local task = require "curia.task"
local user_code = require "curia.engine.user_code"
local writer = require "curia.recorder.writer"

local M = {}

---@class curia.Recorder
---@field init fun(run_id: string, args: table): any, any
---@field event fun(event: curia.Event): any, any
---@field flush? fun(): any, any nothing is waiting any more
---@field first? fun(): curia.recorder.First? of Curia's own, after `init`: the run of this id that was begun before
---@field finalize fun(outcome: curia.recorder.Outcome, run_id: string): any, any

---@class curia.recorder.Outcome
---@field ok? table the result
---@field error? curia.Error
---@field cancelled? boolean
---@field terminated? boolean
---@field result? table of a run that failed or was cancelled

---@class curia.recorder.First
---@field row? curia.store.RunRow it has ended
---@field err? curia.Error it has not, or was asked something else

---@class curia.Recording
---@field run curia.Run
---@field setting any what was asked for; runs inside of this one are recorded likewise
---@field begun userdata signal: `init` is over
---@field initialized? boolean whether it was well
---@field first? curia.recorder.First
---@field attached boolean false once something could not be stored
---@field failure? curia.Error why not
local Recording = {}
Recording.__index = Recording

local going = {} -- recordings that have not finished

-- ---- which events -----------------------------------------------------------------------------------

-- Those that come by the thousand, or hold whole prompts: only who names them gets them.
local LOUD = { "member_token", "member_request" }

local function set_of(list)
  local set = {}
  for _, name in ipairs(list or {}) do set[name] = true end
  return set
end

local function filter(events)
  local include, exclude = events and events.include and set_of(events.include), set_of(events and events.exclude)
  local named = include or {}
  for _, kind in ipairs(LOUD) do exclude[kind] = exclude[kind] or not named[kind] end
  return function(kind) return not exclude[kind] and (include == nil or include[kind] == true) end
end

-- ---- what the recorder is told ----------------------------------------------------------------------

local function fail(recording, err)
  if not recording.attached then return end
  recording.attached, recording.failure, recording.run.shown = false, err, nil
  local tell = recording.args.on_failure
  if tell then return tell(err) end
  log.write("warn", ("run %s is not recorded%s: %s"):format(recording.run.id,
    recording.initialized and " any further" or "", err.message))
end

-- Whether it went well.
local function call(recording, name, ...)
  local fn = recording.backend[name]
  if not fn then return true end
  local ok, done, err = pcall(fn, ...)
  if not ok then fail(recording, user_code.as_error(done))
  elseif err ~= nil then fail(recording, user_code.as_error(err))
  else return true end
  return false
end

local function outcome_of(run)
  if run.status == "completed" then return { ok = run.outcome } end
  if run.status == "failed" then return { error = run.failure, result = run.outcome } end
  if run.status == "terminated" then return { terminated = true } end
  return { cancelled = true, error = run.failure, result = run.outcome }
end

local function hand_on(recording, event)
  if recording.attached and recording.wanted(event.type) then call(recording, "event", event) end
end

-- All events are taken, whether they are stored or not: so they do not pile up.
local function deliver(recording)
  local subscription = recording.subscription
  for event in subscription.next, subscription do
    hand_on(recording, event)
    if recording.attached and not subscription:waiting() then call(recording, "flush") end
  end
end

-- The runtime closes: what has come in is handed over without waiting.
local function deliver_rest(recording)
  local subscription = recording.subscription
  while subscription:waiting() do hand_on(recording, subscription:next()) end
end

-- One that is not the first of its id has nothing to record.
local function initialize(recording)
  local well = call(recording, "init", recording.run.id, recording.args)
  local first = recording.backend.first and recording.backend.first()
  if first then recording.attached, recording.first = false, first end
  recording.initialized = well and not first
  recording.begun:notify()
end

local function record(recording)
  local run <const> = recording.run
  local guard <close> = setmetatable({}, { __close = function() going[recording] = nil end })
  initialize(recording)
  if not pcall(deliver, recording) then deliver_rest(recording) end
  if recording.initialized then call(recording, "finalize", outcome_of(run), run.id) end
  if recording.attached then run.log:tell_recorded() end
end

-- ---- for those who start and hold runs -----------------------------------------------------------------

local function missing()
  return { init = function() return nil, writer.no_postgres() end }
end

local function backend_of(run, given, args)
  if type(given) == "table" then return given end
  return given == "postgres" and missing() or writer.new(run, args)
end

--- Has a run recorded, from its first event on.
---@param run curia.Run that has not begun
---@param setting any as `choice.of` gave it
---@return curia.Recording
function M.attach(run, setting)
  local given, args = choice.parts(setting)
  local wanted = filter(args.events)
  local recording = setmetatable({
    run = run, setting = setting, args = args, backend = backend_of(run, given, args), attached = true,
    wanted = wanted, begun = task.signal(),
    subscription = run:watch { tokens = wanted "member_token", requests = wanted "member_request" },
  }, Recording)
  run.recording, run.shown = recording, nil
  going[recording] = true
  recording.task = task.spawn_root(record, recording)
  return recording
end

--- The run of this id that was begun before, if there was one.
---@async
---@return curia.recorder.First?
function Recording:wait_for_first()
  while self.initialized == nil do self.begun:wait() end
  return self.first
end

--- Waits until everything is stored.
---@async
---@param timeout_ms? number
---@return true?
---@return curia.Error? err why not all is; kind `timeout` when the wait is over
function Recording:wait(timeout_ms)
  if self.task:await(timeout_ms) == nil then
    return nil, errors.new("timeout", ("run %s is not stored yet"):format(self.run.id))
  end
  if self.failure then return nil, self.failure end
  return true
end

--- Waits for the recorders of all runs that have ended.
---@async
---@param timeout_ms number for each
function M.drain(timeout_ms)
  for recording in pairs(going) do
    if recording.run.ended then recording:wait(timeout_ms) end
  end
end

return M
