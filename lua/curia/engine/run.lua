--- A run: one execution of a council, from its input to its result.
local lazy = require "curia.lazy"
local approvals = require "curia.engine.approvals"
local budgets = require "curia.engine.budget"
local clock = require "curia.core.clock"
local context = require "curia.engine.ctx"
local durable = lazy "curia.durable"
local errors = require "curia.errors"
local events = require "curia.engine.events"
local firsts = lazy "curia.store.first"
local free_rounds = lazy "curia.engine.free_rounds"
local json = require "curia.json"
local limits = require "curia.engine.limits"
local log = require "curia.log"
local options = require "curia.engine.options"
local random = require "curia.engine.random"
local results = require "curia.engine.result"
local retries = require "curia.engine.retry_budget"
local round_engine = require "curia.engine.round"
local spending = lazy "curia.engine.spending"
local system = require "curia.core.system"
local task = require "curia.task"
local user_code = require "curia.engine.user_code"
local telemetry = require "curia.telemetry"
local told = lazy "curia.telemetry.runs"
local verbose = lazy "curia.verbose"

local M = {}

---@class curia.Run
---@field id string
---@field another? boolean it has what the first run of its id has come to
---@field plan curia.Plan
---@field opts table
---@field namespace curia.Namespace
---@field group? curia.RunGroup a run inside of another has that one's
---@field status "pending"|"running"|"blocked"|"completed"|"failed"|"cancelled"|"terminated"|"lost"
---@field journal? curia.Journal it is durable, or inside of a durable run
---@field ended boolean
---@field stood_ms number for how long its deadlines have stood still, before `stands_since`
---@field stands_since? number when they began to, by the runtime's clock
---@field depth? integer of a run inside of another: how deep
---@field shown? table what `state` has given last; nil once something has changed
---@field flawed boolean a turn or a round has failed
---@field budget? curia.Budget
---@field notes? {reason: string, gap?: table}[] what else makes the result less than the whole council's
---@field outcome? table the result, once it has ended
---@field log curia.Log
local Run = { __name = "curia.run" }
Run.__index = Run

---@param value any
---@return boolean
function M.is(value)
  return getmetatable(value) == Run
end

-- ---- events of the log that the run itself looks after ------------------------------------------

-- Somebody begins to watch tokens, or nobody does any more: tell the transfers under way.
local function watch_attempts(run, on)
  for _, attempt in pairs(run.attempts) do
    attempt.watch = on
    if attempt.exchange then attempt.exchange:watch(on) end
  end
end

-- An answer so far, as one event. Bytes that still are with the transfer follow as the next one.
local function text_so_far(turn, attempt, kind)
  local pieces = attempt.pieces and attempt.pieces[kind]
  if not pieces then return nil end
  local text = table.concat(pieces)
  attempt.pieces[kind] = { text }
  local run, round = turn.run, turn.round
  return { v = 1, type = "member_token", at = clock.wall_ms(), after = run.log.count, run_id = run.id,
    round = round.name, idx = round.idx, iteration = round.iteration, ask = round.ask, member = turn.member.id,
    kind = kind, text = text, index = 0, attempt = turn.attempts }
end

local function unfinished_answers(run)
  return function(emit)
    for turn, attempt in pairs(run.attempts) do
      for _, kind in ipairs { "reasoning", "content" } do
        local event = text_so_far(turn, attempt, kind)
        if event then emit(event) end
      end
    end
  end
end

-- ---- what the engine's other parts tell the run ---------------------------------------------------

function Run:set_member(id, status)
  self.member_status[id], self.shown = status, nil
end

function Run:add_usage(response)
  results.add_usage(self.totals, response)
  self.shown = nil
end

-- A round inside of another is an iteration of that one, kept in it and not beside it: so `idx` goes on counting the
-- council's rounds, and a later round finds one result before it, whatever that took.
local function iterations_of(outer)
  outer.metadata.iterations = outer.metadata.iterations or json.array()
  return outer.metadata.iterations
end

--- `outer`: the result of the round inside of which this one is run.
function Run:enter_round(round, result, outer)
  self.current_round, self.shown = round, nil
  local rounds = outer and iterations_of(outer) or self.rounds
  rounds[#rounds + 1] = result
end

--- `outer`: the round inside of which this one was run.
function Run:leave_round(round, result, outer)
  if self.current_round == round then self.current_round = outer end
  if not outer then self.finished[#self.finished + 1] = result end
  self.shown = nil
end

--- Notes something that makes the result less than the whole council's.
---@param reason string for `degraded.reasons`
---@param gap? {member: string, round: string, kind: string, message: string} for `degraded.missing`
function Run:note(reason, gap)
  self.flawed = true
  self.notes = self.notes or {}
  table.insert(self.notes, { reason = reason, gap = gap })
end

function Run:elapsed_ms()
  return (clock.us() - self.started_us) / 1000
end

--- Random numbers from the run's seed, for scripts and rounds.
---@return curia.Random
function Run:dice()
  self.random = self.random or random.new(self.seed)
  return self.random
end

--- Others for the waits between retries, so that these do not change what scripts are dealt.
---@return curia.Random
function Run:retry_dice()
  self.jitter = self.jitter or random.new(~self.seed)
  return self.jitter
end

--- The rounds of a script that asks members outside of any round.
---@return curia.FreeRounds
function Run:free_rounds()
  self.free = self.free or free_rounds.new(self)
  return self.free
end

--- Milliseconds until the nearer of the run's deadline and `at`; nil: there is none.
---@param at? number
---@return number?
function Run:time_left_ms(at)
  at = limits.nearer(self.deadline_at, at)
  return at and at - clock.ms()
end

-- ---- the body -------------------------------------------------------------------------------------

local function map_input(run)
  local mapper = run.plan.input
  if not mapper then return run.input end
  local mapped, err = user_code.call("input of council " .. run.plan.spec.name, mapper, run.input)
  if err then error(err, 0) end
  if mapped == nil then
    error(errors.new("script", ("input of council %s: it gave nothing"):format(run.plan.spec.name)), 0)
  end
  return mapped
end

local function run_freely(run, ctx)
  local value, err = user_code.call("run of council " .. run.plan.spec.name, run.plan.run, ctx, ctx.input)
  if err then error(err, 0) end
  if run.final == nil and value ~= nil then ctx:conclude(value) end
end

-- A round in which everybody failed, with no answer before it, leaves nothing to go on with.
local function must_stop(run, result, err, fatal)
  if run.budget and run.budget.refused then return true end
  if fatal then run.failures[#run.failures + 1] = err end
  return fatal or results.all_failed(result) and not results.any_answer(run.rounds)
end

local function run_rounds(run, ctx)
  for _, round in ipairs(run.plan.rounds) do
    local result, err, fatal = round_engine.execute(ctx, round)
    if run.concluded or must_stop(run, result, err, fatal) then return end
  end
end

local function execute(run)
  run.status = "running"
  run.log:emit("run_started", {
    council = run.plan.spec.name, input = run.input, metadata = run.metadata, parent_member = run.parent_member,
  })
  local ctx = context.new(run, map_input(run))
  local go = run.plan.run and run_freely or run_rounds
  if run.budget then return spending.within(run, go, ctx) end
  go(run, ctx)
end

-- Whether the run is one that has been: a start with the same id once more, which asks nobody again (SPEC 9).
local function is_another(run)
  local recording = run.opts.run_id and not run.depth and run.recording
  local first = recording and recording:wait_for_first()
  if not first then return false end
  if first.err then error(first.err, 0) end
  firsts.adopt(run, first.row)
  run.another = true
  return true
end

-- A run inside of another goes on in that one's slot.
local function body(run)
  if run.journal and not run.depth then durable.wait_for_start(run) end
  if is_another(run) then return end
  if not run.group or run.depth then return execute(run) end
  local slot <close> = run.group:slot()
  if run.journal then run.journal:wait_outside("slot", function() slot:take() end) else slot:take() end
  execute(run)
end

-- ---- the end --------------------------------------------------------------------------------------

local function call_end_handler(fn, run)
  local ok, err = xpcall(fn, debug.traceback, run)
  if not ok then log.write("error", ("on_end of run %s failed: %s"):format(run.id, tostring(err))) end
end

-- In tasks of their own, as they may wait; directly when the runtime closes and takes no new tasks.
local function call_end_handlers(run)
  local handlers = run.end_handlers
  if not handlers then return end
  run.end_handlers = nil
  for _, fn in ipairs(handlers) do
    if not pcall(task.spawn_root, call_end_handler, fn, run) then call_end_handler(fn, run) end
  end
end

local function leave_parent(run)
  local parent = run.parent
  if not parent then return end
  if parent.nested then parent.nested[run] = nil end
  results.add_totals(parent.totals, run.totals)
  parent.shown = nil
end

--- Has the run end, for all who hold it.
function Run:retire()
  self.log:close()
  self.ended, self.finished_ms = true, clock.ms()
  self.home.ended(self)
  if self.done then self.done:notify() end
  call_end_handlers(self)
end

local function finish(run)
  leave_parent(run)
  run:retire()
end

-- A durable run has ended once its outcome is stored. One inside of it has, as far as the outer one goes.
local function hand_over(run)
  if run.depth then
    leave_parent(run)
    run.ended = true
    if run.done then run.done:notify() end
  end
  run.journal:concluded(run)
end

-- Runs inside of this one that still unwind: what they have used is this run's too.
local function take_totals(run)
  for nested in pairs(run.nested or {}) do
    take_totals(nested)
    results.add_totals(run.totals, nested.totals)
    nested.parent = nil
  end
  run.nested, run.shown = nil, nil
end

local function settle(run, raised)
  if run.nested then take_totals(run) end
  if raised ~= nil then table.insert(run.failures, 1, user_code.as_error(raised)) end
  if run.free then run.free:close_idle(true) end
  local result, err = results.of(run)
  run.outcome, run.failure = result, err
  run.status = not err and "completed" or err.kind == "cancelled" and "cancelled" or "failed"
  if not err then
    run.log:emit("run_completed", { result = result })
  else
    run.log:emit("run_failed", { errors = result.errors, result = result })
  end
end

local function conclude(run, raised)
  if run.another then return finish(run) end
  if run.ended or run.outcome or run.failure then return end
  settle(run, raised)
  if run.journal then hand_over(run) else finish(run) end
end

-- The run's coroutine was closed from outside (the watchdog stopped it): its task knows why, once it has ended.
local function conclude_stopped(run)
  local _, err = run.task:await()
  conclude(run, err)
end

local function close_run(guard)
  local run = guard.run
  if guard.over then return conclude(run, guard.raised) end
  local waits = pcall(task.spawn_root, conclude_stopped, run)
  if not waits then conclude(run, errors.new("internal", "the run was stopped while the runtime closed")) end
end

local Guard = { __close = close_run }

local function reason_of_cancelling()
  local _, err = pcall(task.sleep, 0)
  return err
end

-- The error has told all there is to tell once the guard has settled the run: the task ends well.
local function main(run)
  if run.ended then return end -- terminated before it began
  local guard <close> = setmetatable({ run = run, over = false, raised = nil }, Guard)
  local ok, err = xpcall(body, user_code.as_error, run)
  if run.task:cancelled() then ok, err = false, run.stopped or reason_of_cancelling() end
  guard.over = true
  if not ok then guard.raised = err end
end

-- ---- what holders of a run may do -------------------------------------------------------------------

local function add_all(fields, more)
  if not more then return end
  for name, value in pairs(more) do fields[name] = value end
end

local function metadata_of(plan, opts)
  local metadata = {}
  add_all(metadata, plan.spec.metadata)
  add_all(metadata, opts.metadata)
  add_all(metadata, plan.metadata)
  return metadata
end

--- Makes a run; `launch` starts it.
---@param plan curia.Plan
---@param input any
---@param opts table checked options
---@param config curia.Config
---@param home {ended: fun(run: curia.Run), forget: fun(run: curia.Run), start_nested: function} what holds all runs
---@param namespace curia.Namespace
---@return curia.Run
function M.new(plan, input, opts, config, home, namespace)
  local id = opts.run_id or system.uuid7()
  local seed, prices = opts.seed or (system.random_integer() & 0x7fffffffffff), config:get("prices")
  local run = setmetatable({
    id = id, plan = plan, input = input, opts = opts, config = config, home = home, namespace = namespace,
    status = "pending", ended = false, log = events.new(id), rounds = json.array(), finished = {}, failures = {},
    attempts = {}, member_status = {}, metadata = metadata_of(plan, opts), seed = seed,
    failure_mode = opts.failure_mode or plan.spec.failure_mode or config:get("default_failure_mode"),
    member_timeout_ms = opts.member_timeout_ms or plan.spec.member_timeout_ms
      or config:get("default_member_timeout_ms"),
    flawed = false, stood_ms = 0, retries = retries.new(plan), prices = prices,
    budget = budgets.new(opts, plan, prices),
    totals = { usage = {}, unpriced = 0 }, started_at = clock.wall_ms(),
    started_us = clock.us(),
  }, Run)
  run.log.run = run
  run.log.on_watch = function(on) watch_attempts(run, on) end
  return run
end

--- Makes the run part of another one: it shares its deadline, its events go there too, and it ends with it.
---@param parent curia.Run
---@param member? string the member whose answer it is
function Run:join(parent, member)
  self.parent, self.parent_member, self.depth = parent, member, (parent.depth or 0) + 1
  self.group = parent.group
  self.deadline_at = parent.deadline_at
  if parent.budget then self.budget = budgets.inside(parent.budget, self.budget, self.plan) end
  self.log.parent_run_id, self.parent_id = parent.id, parent.id
  if parent.journal then parent.journal:adopt(self) end
  self.log:attach(parent.log, member)
  parent.nested = parent.nested or {}
  parent.nested[self] = true
end

--- Makes the run one of a group, whose budget it shares.
---@param group curia.RunGroup
---@param shares? boolean of a run that is taken up: whether it has shared one since it began, which this process may
--- know nothing of
function Run:enter_group(group, shares)
  self.group = group
  local shared = group.budget or shares and budgets.unknown()
  if not shared or shares == false then return end
  self.budget = budgets.inside(shared, self.budget, self.plan)
  self.budget.journal = self.journal
end

--- Starts a run inside of this one, bound to the calling task.
---@async
---@param council curia.Council|string
---@param input any
---@param opts? table options of `start`
---@param member? string the member whose answer it is
---@return curia.Run?
---@return curia.Error?
function Run:start_nested(council, input, opts, member)
  return self.home.start_nested(self, council, input, opts, member)
end

--- Starts the run's task: the runtime's, or bound to the calling task when `owned`.
---@param owned boolean
function Run:launch(owned)
  if self.journal and not self.depth then return durable.launch(self, main, owned) end
  local spawn = owned and task.current() and task.spawn_bound or task.spawn_root
  self.task = spawn(main, self)
  if self.opts.deadline_ms then limits.set(self, self.task, self.opts.deadline_ms, self, self.deadline_at) end
end

local function terminated(run)
  return errors.new("unknown_run", "run " .. run.id .. " was terminated")
end

--- Waits until the run has ended.
---@async
---@param timeout_ms? number
---@return table? result
---@return curia.Error? err unless the result is ok or partial; kind `timeout` when the wait is over
function Run:await(timeout_ms)
  if not self.ended then
    self.done = self.done or task.signal()
    if not self.done:wait(timeout_ms) then
      return nil, errors.new("timeout", ("run %s has not ended in %g ms"):format(self.id, timeout_ms))
    end
  end
  if self.status == "terminated" then return nil, terminated(self) end
  return self.outcome, self.failure
end

--- Cancels: calls under way are aborted, what has finished is kept; the run ends as `cancelled`.
---@param reason? string
---@return true
function Run:cancel(reason)
  reason = reason or "cancelled by its holder"
  if self.ended then return true end
  if self.journal then self.journal:cancel(self, reason) else self.task:cancel(reason) end
  return true
end

--- Ends the run at once: no further event, no result.
---@return true
function Run:terminate()
  if self.ended then return true end
  self.status = "terminated"
  for nested in pairs(self.nested or {}) do nested:terminate() end
  if telemetry.any and self.log.count > 0 then told.terminated(self) end
  if self.journal and not self.depth then durable.terminated(self) end
  finish(self)
  self.task:cancel("terminated")
  return true
end

--- Makes place for another copy of the run, which this process or another has taken up.
function Run:leave_to_others()
  if self.journal and not self.ended then durable.lose(self) end
  self.home.forget(self)
end

local DECISIONS = { [true] = true, [false] = false, yes = true, no = false }

--- Approves or refuses a call of a tool that waits for it (event `run_blocked`).
---@param call_id string
---@param decision boolean|"yes"|"no" a refusal goes to the model as an error
---@param note? string what the model is told with a refusal
---@return true?
---@return curia.Error? err kind `validation`, code `not_pending`
function Run:approve(call_id, decision, note)
  local approved = DECISIONS[decision]
  if approved == nil then error("bad argument #2 to 'approve' (true, false, \"yes\" or \"no\" expected)", 2) end
  if note ~= nil and type(note) ~= "string" then error("bad argument #3 to 'approve' (a text expected)", 2) end
  return approvals.decide(self, call_id, approved, note)
end

--- Whether a call of a tool waits for approval.
---@async
---@param call_id string
---@return boolean
function Run:is_waiting_for(call_id)
  return approvals.is_waiting(self, call_id)
end

--- The result, without waiting; nil while the run goes on.
---@return table?
---@return curia.Error?
function Run:result()
  if self.status == "terminated" then return nil, terminated(self) end
  return self.outcome, self.failure
end

local function copy(source)
  local made = {}
  for key, value in pairs(source) do made[key] = value end
  return made
end

local function new_state(self)
  local round = self.current_round
  return {
    run_id = self.id, namespace = self.namespace.name, group = self.group and self.group.name or nil,
    council = self.plan.spec.name, status = self.status,
    current_round = round and { name = round.name, idx = round.idx } or nil,
    rounds_completed = #self.finished, members = copy(self.member_status), started_at = self.started_at,
    usage = copy(self.totals.usage), offline = self.plan.offline or nil,
    recorded = self.root ~= nil or self.recording ~= nil and self.recording.attached,
  }
end

--- What the run does now; cheap at any rate: as long as nothing changes, it is the same table.
---@return table state a snapshot, not to be changed
function Run:state()
  local shown = self.shown
  if not shown or shown.status ~= self.status then
    shown = new_state(self)
    self.shown = shown
  end
  return shown
end

local TRACE = { debug = { type = "boolean" }, to = { type = "any" } }

local function open_subscription(run, what, opts)
  opts = options.read(what, opts, events.OPTIONS)
  return run.log:subscribe(opts, unfinished_answers(run))
end

--- Subscribes to the run's events; what was missed is replayed first.
---@param fn fun(event: curia.Event) may wait; when it raises it is reported and detached
---@param opts? curia.SubscribeOptions
---@return curia.Subscription with `stop()`
function Run:subscribe(fn, opts)
  if type(fn) ~= "function" then error("bad argument #1 to 'subscribe' (function expected)", 2) end
  return events.deliver(open_subscription(self, "subscribe", opts), fn)
end

--- The run's events, to be read with `next()` or `each()`; what was missed comes first.
---@param opts? curia.SubscribeOptions
---@return curia.Subscription
function Run:watch(opts)
  return open_subscription(self, "watch", opts)
end

--- Keeps all events from now on for `events()` (`subscribe = true`).
function Run:buffer()
  self.buffered = open_subscription(self, "buffer")
end

--- for event in run:events() do ... end: all events, those that were missed first. Leaving the loop ends it.
---@async
---@param opts? curia.SubscribeOptions
---@return fun(): curia.Event?
function Run:events(opts)
  local subscription = self.buffered
  self.buffered = nil
  if not subscription or opts then
    if subscription then subscription:stop() end
    subscription = open_subscription(self, "events", opts)
  end
  return function() return subscription:next() end, nil, nil, subscription
end

--- Prints the run's timeline from its beginning; see `verbose`.
---@param opts? {debug?: boolean, to?: function|file*}
---@return curia.Subscription with `stop()`
function Run:trace(opts)
  opts = options.read("trace", opts, TRACE)
  return verbose.attach(self, opts.debug and "debug" or true, opts.to)
end

--- Calls `fn(run)` exactly once, however the run ends.
---@param fn fun(run: curia.Run)
---@return curia.Run
function Run:on_end(fn)
  if type(fn) ~= "function" then error("bad argument #1 to 'on_end' (function expected)", 2) end
  self.end_handlers = self.end_handlers or {}
  table.insert(self.end_handlers, fn)
  if self.ended then call_end_handlers(self) end
  return self
end

function Run:__tostring()
  return ("run %s (%s, %s)"):format(self.id, self.plan.spec.name, self.status)
end

return M
