--- A run: one execution of a council, from its input to its result.
local clock = require "curia.core.clock"
local context = require "curia.engine.ctx"
local errors = require "curia.errors"
local events = require "curia.engine.events"
local json = require "curia.json"
local log = require "curia.log"
local member_turn = require "curia.engine.member"
local planning = require "curia.language.rounds"
local random = require "curia.engine.random"
local results = require "curia.engine.result"
local retries = require "curia.engine.budget"
local round_engine = require "curia.engine.round"
local system = require "curia.core.system"
local task = require "curia.task"

local M = {}

---@class curia.Run
---@field id string
---@field plan curia.Plan
---@field opts table
---@field status "pending"|"running"|"completed"|"failed"|"cancelled"|"terminated"
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
    if attempt.exchange then attempt.exchange:watch(on) end
  end
end

local function text_so_far(turn, attempt, kind)
  local pieces = attempt.pieces[kind]
  if not pieces then return nil end
  local text = table.concat(pieces)
  attempt.pieces[kind] = { text }
  -- Bytes that came before anybody watched are still with the transfer; they follow as its next event.
  local seen = attempt[kind] or 0
  return { v = 1, type = "member_token", at = clock.wall_ms(), after = #turn.run.log.events,
    run_id = turn.run.id, round = turn.round.name, idx = turn.round.idx, iteration = turn.round.iteration,
    member = turn.member.id, kind = kind, text = text, index = seen - #text, attempt = turn.attempts }
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
  self.member_status[id] = status
end

function Run:add_usage(response)
  results.add_usage(self.totals, response)
end

function Run:enter_round(round, result)
  self.current_round = round
  self.rounds[#self.rounds + 1] = result
end

function Run:leave_round(round)
  if self.current_round == round then self.current_round = nil end
  self.rounds_completed = self.rounds_completed + 1
end

function Run:elapsed_ms()
  return (clock.us() - self.started_us) / 1000
end

--- Milliseconds until the nearer of the run's deadline and `at`; nil: there is none.
---@param at? number
---@return number?
function Run:time_left_ms(at)
  local own = self.deadline_at
  if own and (not at or own < at) then at = own end
  return at and at - clock.ms()
end

--- A planned round for `ctx:round(type, opts)`.
function Run:plan_round(kind, opts)
  local module = planning.resolve(kind, self.config.registry)
  if not module then error(errors.new("validation", ("unknown round '%s'"):format(tostring(kind)), { code = "unknown_round" }), 0) end
  local round = { type = kind, module = module, idx = #self.rounds + 1 }
  for name, value in pairs(opts) do round[name] = value end
  round.name = opts.name or module.name or kind
  return round
end

--- The open round of a free `run` that asks with this label; another label's round is closed first.
function Run:free_round(label)
  local open = self.open_round
  if open and open.round.name == label then return open.round, open.result end
  self:close_free_round()
  local round = { name = label, idx = #self.rounds + 1, module = {} }
  local result = { name = label, idx = round.idx, results = {}, started_at = clock.wall_ms(), metadata = {} }
  self.open_round = { round = round, result = result, started_us = clock.us() }
  self:enter_round(round, result)
  self.log:tell("round_started", round)
  return round, result
end

function Run:close_free_round()
  local open = self.open_round
  if not open then return end
  self.open_round = nil
  open.result.duration_ms = (clock.us() - open.started_us) / 1000
  self.log:tell("round_completed", open.round, nil, "result", open.result)
  self:leave_round(open.round)
end

-- ---- the body -------------------------------------------------------------------------------------

local function map_input(run)
  local mapper = run.plan.input
  if not mapper then return end
  local mapped, err = member_turn.call_user_code("input of council " .. run.plan.spec.name, mapper, run.input)
  if err then error(err, 0) end
  run.mapped = mapped
end

local function run_freely(run, ctx)
  local value, err = member_turn.call_user_code("run of council " .. run.plan.spec.name, run.plan.run, ctx, ctx.input)
  if err then
    if errors.is(err) and not err.traceback and err.kind ~= "cancelled" then err.traceback = debug.traceback() end
    error(err, 0)
  end
  if run.final == nil and value ~= nil then ctx:conclude(value) end
  run:close_free_round()
end

local function any_ok(result)
  for _, member in pairs(result.results) do
    if member.status == "ok" then return true end
  end
  return false
end

-- A round that nobody answered leaves nothing to go on with; so does one that missed its quorum.
local function must_stop(run, round, result, err)
  if err then
    local fatal = err.kind == "quorum" or err.kind == "script" or result.error
    if fatal then run.failures[#run.failures + 1] = err end
    return true
  end
  return next(result.results) ~= nil and not any_ok(result) and round.module.chair ~= true
end

local function run_rounds(run, ctx)
  for _, round in ipairs(run.plan.rounds) do
    local result, err = round_engine.execute(ctx, round)
    if run.concluded or must_stop(run, round, result, err) then return end
  end
end

local function body(run)
  run.status = "running"
  run.log:emit("run_started", { council = run.plan.spec.name, input = run.input, metadata = run.metadata })
  map_input(run)
  local ctx = context.new(run)
  if run.mapped ~= nil then ctx.input = run.mapped end
  local go = run.plan.run and run_freely or run_rounds
  go(run, ctx)
end

-- ---- the end --------------------------------------------------------------------------------------

local ENDED_AS = { cancelled = "cancelled" }

local function settle(run, raised)
  if raised ~= nil then
    local err = round_engine.as_error(raised)
    table.insert(run.failures, 1, err)
  end
  run:close_free_round()
  local result, err = results.of(run)
  run.result, run.error = result, err
  run.status = result.status ~= "error" and "completed" or ENDED_AS[err.kind] or "failed"
  run.finished_ms = clock.ms()
  if run.status == "completed" then
    run.log:emit("run_completed", { result = result })
  else
    run.log:emit("run_failed", { errors = result.errors, result = result })
  end
end

local function call_end_handlers(run)
  local handlers = run.end_handlers
  run.end_handlers = {}
  for _, fn in ipairs(handlers) do
    task.spawn_root(function()
      local ok, err = xpcall(fn, debug.traceback, run)
      if not ok then log.write("error", ("on_end of run %s failed: %s"):format(run.id, tostring(err))) end
    end)
  end
end

-- Also when the coroutine is closed from outside (grace over, watchdog, closing): a run always ends.
local function close_run(guard, raised)
  local run = guard.run
  if run.status ~= "terminated" then settle(run, guard.raised or raised) end
  run.log:close()
  run.ended = true
  run.on_ended(run)
  if run.done then run.done:notify() end
  call_end_handlers(run)
end

local Guard = { __close = close_run }

-- The error has told all there is to tell once the guard has settled the run: the task ends well.
local function main(run)
  local guard <close> = setmetatable({ run = run }, Guard)
  local ok, err = xpcall(body, round_engine.as_error, run)
  if not ok then guard.raised = err end
end

-- ---- what holders of a run may do -------------------------------------------------------------------

--- Makes a run; `launch` starts it.
---@param plan curia.Plan
---@param input any
---@param opts table checked options
---@param config curia.Config
---@param on_ended fun(run: curia.Run)
---@return curia.Run
function M.new(plan, input, opts, config, on_ended)
  local id = opts.run_id or system.uuid7()
  local seed = opts.seed or (system.random_integer() & 0x7fffffffffff)
  local run = setmetatable({
    id = id, plan = plan, input = input, opts = opts, config = config, on_ended = on_ended,
    status = "pending", log = events.new(id, opts.parent_run_id), rounds = json.array(), failures = {},
    attempts = {}, member_status = {}, rounds_completed = 0, end_handlers = {}, seed = seed,
    metadata = opts.metadata or {}, random = random.new(seed), retries = retries.new(plan.chair ~= nil),
    prices = config:get("prices"), totals = { usage = {}, unpriced = 0 }, started_at = clock.wall_ms(), started_us = clock.us(),
  }, Run)
  run.log.on_watch = function(on) watch_attempts(run, on) end
  return run
end

--- Starts the run's task: the runtime's, or bound to the calling task when `owned`.
function Run:launch()
  local spawn = self.opts.owned and task.current() and task.spawn_bound or task.spawn_root
  if self.opts.deadline_ms then self.deadline_at = clock.ms() + self.opts.deadline_ms end
  self.task = spawn(main, self)
  if self.opts.deadline_ms then self.task:deadline(self.opts.deadline_ms) end
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
  if self.status == "terminated" then return nil, errors.new("unknown_run", "run " .. self.id .. " was terminated") end
  return self.result, self.error
end

--- Cancels: calls under way are aborted, what has finished is kept; the run ends as `cancelled`.
---@param reason? string
---@return true
function Run:cancel(reason)
  if not self.ended then self.task:cancel(reason or "cancelled by its holder") end
  return true
end

--- Ends the run at once: no further event, no result.
---@return true
function Run:terminate()
  if self.ended then return true end
  self.status = "terminated"
  self.log:close()
  self.on_ended(self)
  self.task:cancel("terminated")
  return true
end

--- The result, without waiting; nil while the run goes on.
---@return table?
---@return curia.Error?
function Run:get_result()
  return self.result, self.error
end

--- What the run does now; cheap at any rate.
---@return table
function Run:state()
  local round = self.current_round
  local members = {}
  for id, status in pairs(self.member_status) do members[id] = status end
  return {
    run_id = self.id, council = self.plan.spec.name, status = self.status,
    current_round = round and { name = round.name, idx = round.idx } or nil,
    rounds_completed = self.rounds_completed, members = members, started_at = self.started_at,
    usage = self.totals.usage, offline = self.plan.offline or nil,
  }
end

--- Subscribes to the run's events; what was missed is replayed first.
---@param fn fun(event: curia.Event) may wait; when it raises it is reported and detached
---@param opts? {from_seq?: integer, tokens?: boolean}
---@return curia.Subscription with `stop()`
function Run:subscribe(fn, opts)
  if type(fn) ~= "function" then error("bad argument #1 to 'subscribe' (function expected)", 2) end
  return events.deliver(self:open_subscription(opts), fn)
end

function Run:open_subscription(opts)
  opts = opts or {}
  return self.log:subscribe { from_seq = opts.from_seq, tokens = opts.tokens, live = unfinished_answers(self) }
end

--- for event in run:events() do ... end: all events, those that were missed first.
---@async
---@param opts? {from_seq?: integer, tokens?: boolean}
---@return fun(): curia.Event?
function Run:events(opts)
  local subscription = self.buffered or self:open_subscription(opts)
  if opts and opts.from_seq then subscription = self:open_subscription(opts) end
  self.buffered = nil
  return function() return subscription:next() end
end

--- Calls `fn(run)` exactly once, however the run ends.
---@param fn fun(run: curia.Run)
---@return curia.Run
function Run:on_end(fn)
  if type(fn) ~= "function" then error("bad argument #1 to 'on_end' (function expected)", 2) end
  self.end_handlers[#self.end_handlers + 1] = fn
  if self.ended then call_end_handlers(self) end
  return self
end

function Run:__tostring()
  return ("run %s (%s, %s)"):format(self.id, self.plan.spec.name, self.status)
end

return M
