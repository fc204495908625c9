--- One round: its members are asked, or its own function asks; how it ends, what it decides.
local chair = require "curia.engine.chair"
local clock = require "curia.core.clock"
local counting = require "curia.ballots.count"
local errors = require "curia.errors"
local fan_out = require "curia.engine.fan_out"
local limits = require "curia.engine.limits"
local outcome = require "curia.engine.result"
local participants = require "curia.engine.participants"
local task = require "curia.task"
local user_code = require "curia.engine.user_code"

local M = {}

---@class curia.RoundResult
---@field name string
---@field idx integer
---@field results table<string, curia.MemberResult>
---@field decision? table
---@field error? curia.Error why the round failed
---@field started_at integer
---@field duration_ms number
---@field metadata table `iterations`: the rounds that were run inside of it
---@field answers? table<string, table> the responses behind what was decided on, where that is not the members

-- A chair that has failed gives its seat to the member that is elected, if the council elects one.
local function ask_elected(ctx, round, result)
  local elected = chair.replace(ctx._run, result)
  return elected and fan_out.ask(ctx, round, { elected }, result.results)
end

-- `fail_fast` on a round ends only that round; on a run it ends the run, as a missed quorum does.
local function verdict(state, round)
  if state.failed then return state.failed, round.failure_mode == nil end
  if state.quorum and state.ok < state.quorum then
    return errors.new("quorum", ("round %s: %d of the %d answers that it needs"):format(
      round.name, state.ok, state.quorum), { round = round.name }), true
  end
end

-- A round without an `aggregate` of its own has a decision where the council names a rule.
local function aggregate(ctx, round, results)
  local fn = round.module.aggregate or round.rule and counting.any
  if not fn then return nil end
  local decision, err = user_code.call("aggregate of round " .. round.name, fn, ctx, results)
  if decision and round.tie_break == "chair" then counting.let_chair_break(ctx, decision) end
  return decision, err
end

-- A round that asks in its own way; its time limit is a deadline for the function.
local function run_own(ctx, round)
  local what, fn = "round " .. round.name, round.module.run
  if not round.timeout_ms then
    local decision, err = user_code.call(what, fn, ctx)
    return decision, err, err ~= nil
  end
  local own = task.spawn(user_code.call, what, fn, ctx)
  limits.set(ctx._run, own, round.timeout_ms)
  local ok, decision, err = own:await()
  if ok then return decision, err, err ~= nil end
  if decision.kind ~= "deadline" then return nil, decision, true end
  return nil, errors.new("timeout", ("%s: its %g ms are over"):format(what, round.timeout_ms)), false
end

--- The members that take part in a round; those that its router leaves out get their results.
---@async
---@param ctx curia.Ctx the round's
---@return table[]? members
---@return curia.Error? err
function M.participants(ctx)
  local round = ctx._round
  local members, excluded = participants.of(ctx, round, ctx.result)
  if not members then return nil, excluded end
  fan_out.leave_out(ctx, round, excluded, { reason = "router_excluded" }, ctx.result.results)
  return members
end

--- Makes a result the member's in a round with a `run` of its own.
---@param ctx curia.Ctx the round's
---@param result curia.MemberResult
function M.settle(ctx, result)
  ctx.result.results[result.member] = fan_out.tell(ctx._run, ctx._round, result.member, result)
end

local function count(results)
  local ok, asked = 0, 0
  for _, result in pairs(results) do
    if not outcome.excused(result) then asked = asked + 1 end
    if result.status == "ok" then ok = ok + 1 end
  end
  return ok, asked
end

local function first_error(ctx, results)
  for _, member in ipairs(ctx.members) do
    local result = results[member.id]
    if result and result.error then return result.error end
  end
end

-- What a round with a `run` of its own has come to, for the verdict on it.
local function state_of(ctx, round, results)
  local ok, asked = count(results)
  return {
    ok = ok, quorum = fan_out.quorum(ctx, round, asked),
    failed = fan_out.fails_fast(ctx, round) and first_error(ctx, results),
  }
end

-- After a `run` that is over, or whose time is, the results are judged as those of any other round.
local function perform_own(ctx, round, results)
  local decision, err, fatal = run_own(ctx, round)
  if fatal then return nil, err, true end
  local state = state_of(ctx, round, results)
  if decision == nil and state.ok > 0 then
    local problem
    decision, problem = aggregate(ctx, round, results)
    if problem then return nil, problem, true end
  end
  if err then return decision, err, false end
  return decision, verdict(state, round)
end

local function perform(ctx, round, result)
  if round.module.run then return perform_own(ctx, round, result.results) end
  local members, excluded = M.participants(ctx)
  if not members then return nil, excluded, true end
  local state = fan_out.ask(ctx, round, members, result.results)
  if state.ok == 0 and round.module.chair then state = ask_elected(ctx, round, result) or state end
  local decision, problem
  if state.ok > 0 then decision, problem = aggregate(ctx, round, result.results) end
  local err, fatal = verdict(state, round)
  if err then return decision, err, fatal end
  return decision, problem, problem ~= nil
end

local function finish(ctx, round, result, started_us)
  local run = ctx._run
  result.duration_ms = (clock.us() - started_us) / 1000
  run.log:tell("round_completed", round, nil, result)
  run:leave_round(round, result, ctx._round)
end

--- Runs one round. What was answered is kept whatever happens.
---@async
---@param ctx curia.Ctx the run's context, or that of the round inside of which this one is run
---@param round table planned round
---@return curia.RoundResult
---@return curia.Error? err when the round failed
---@return boolean? fatal the run cannot go on after that
function M.execute(ctx, round)
  local run, started_us = ctx._run, clock.us()
  local result = {
    name = round.name, idx = round.idx, results = {}, started_at = clock.wall_ms(),
    metadata = { texts = round.module.texts },
  }
  run:enter_round(round, result, ctx.result)
  run.log:tell("round_started", round)
  local inner = ctx:for_round(round, result)
  local ok, decision, err, fatal = xpcall(perform, user_code.as_error, inner, round, result)
  if not ok then err, decision = decision, nil end
  result.decision = decision
  if err then
    result.error, run.flawed = err, true
    err.round = err.round or round.name
  end
  finish(ctx, round, result, started_us)
  if not ok then error(err, 0) end
  return result, err, fatal
end

return M
