--- One round: who takes part, all turns at once (or one after another), how it ends, what it decides.
local clock = require "curia.core.clock"
local errors = require "curia.errors"
local member_turn = require "curia.engine.member"
local task = require "curia.task"

local M = {}

---@class curia.RoundResult
---@field name string
---@field idx integer
---@field results table<string, curia.MemberResult>
---@field decision? table
---@field started_at integer
---@field duration_ms number
---@field metadata table

--- Makes an error value of whatever was raised.
function M.as_error(raised)
  if errors.is(raised) then return raised end
  return errors.new("script", tostring(raised), { traceback = debug.traceback() })
end

-- ---- who takes part -----------------------------------------------------------------------------

local function listed(plan, ids)
  local members = {}
  for i, id in ipairs(ids) do members[i] = plan.by_id[id] end
  return members
end

local function ids_of(members)
  local ids = {}
  for _, member in ipairs(members) do ids[member.id] = true end
  return ids
end

local function routed(ctx, round, members)
  local router = round.router or ctx._run.plan.router
  if not router then return members end
  local chosen, err = member_turn.call_user_code("router of round " .. round.name, router, ctx.input, ctx)
  if not chosen then return nil, err or errors.new("script", "the router chose no members") end
  local known = ids_of(members)
  for _, id in ipairs(chosen) do
    if not known[id] then return nil, errors.new("script", ("the router chose '%s', which is no member"):format(tostring(id))) end
  end
  return listed(ctx._run.plan, chosen)
end

-- The members of a round, and those that its router left out.
local function participants(ctx, round)
  local plan = ctx._run.plan
  if round.module.chair then return { plan.chair }, {} end
  local all = round.members and listed(plan, round.members) or plan.members
  local chosen, err = routed(ctx, round, all)
  if not chosen then return nil, err end
  local in_round, excluded = ids_of(chosen), {}
  for _, member in ipairs(all) do
    if not in_round[member.id] then excluded[#excluded + 1] = member end
  end
  return chosen, excluded
end

-- ---- turns --------------------------------------------------------------------------------------

local function new_turn(ctx, round, member)
  return member_turn.new_turn(ctx, round, member, round.module.build, round.module.parse)
end

local function announce(turn, result)
  turn.run:set_member(turn.member.id, result.status)
  turn.run.log:tell("member_completed", turn.round, turn.member.id, "result", result)
  return result
end

local function deadline_of(turn)
  return turn.member.deadline_ms or turn.run.opts.member_timeout_ms or turn.run.plan.spec.member_timeout_ms
    or turn.run.config:get("default_member_timeout_ms")
end

local function spawn_turn(group, turn)
  turn.run:set_member(turn.member.id, "running")
  local spawned = group:spawn(member_turn.take_turn, turn)
  local deadline_ms = deadline_of(turn)
  if deadline_ms then
    spawned:deadline(deadline_ms)
    turn.deadline_at = clock.ms() + deadline_ms
  end
  return spawned
end

local function result_of(turn, ended)
  local ok, value = ended:result()
  if ok then return value end
  if turn.cut then return member_turn.cut_short(turn, turn.cut.error, turn.cut.status) end
  return member_turn.cut_short(turn, value)
end

local function cut_all(turns, kind, message, status)
  for spawned, turn in pairs(turns) do
    turn.cut = { error = errors.new(kind, message, { code = status and kind or nil }), status = status }
    spawned:cancel(message)
  end
end

local function needed(quorum, count)
  if quorum == "all" then return count end
  if quorum == "majority" then return count // 2 + 1 end
  return quorum or 1
end

-- What to do now that a turn has ended: go on, or cut the others short?
local function after(state, result)
  if result.status == "ok" then state.ok = state.ok + 1 end
  if state.fail_fast and result.status ~= "ok" and not state.failed then
    state.failed = result.error
    cut_all(state.turns, "cancelled", "fail_fast: member " .. result.member .. " failed", "skipped")
  end
  if state.quorum and state.ok >= state.quorum and state.grace_ms and not state.grace_at then
    state.grace_at = clock.ms() + state.grace_ms
  end
end

local function time_left(state)
  local at = state.timeout_at
  if state.grace_at and (not at or state.grace_at < at) then at = state.grace_at end
  return at and math.max(0, at - clock.ms())
end

local function cut_late(state)
  local grace = state.grace_at and clock.ms() >= state.grace_at
  if grace then
    cut_all(state.turns, "cancelled", "the quorum was reached and the grace is over", "skipped")
  else
    cut_all(state.turns, "timeout", ("the round's %d ms are over"):format(state.timeout_ms))
  end
  state.timeout_at, state.grace_at = nil, nil
end

local function collect(group, state, results)
  while next(state.turns) do
    local ended, late = group:next(time_left(state))
    if not ended and late then
      cut_late(state)
    else
      local turn = state.turns[ended]
      state.turns[ended] = nil
      local result = announce(turn, result_of(turn, ended))
      results[turn.member.id] = result
      after(state, result)
    end
  end
end

-- The turns that have ended when the run is cut short are kept; the others get the reason.
local function salvage(group, state, results, err)
  for ended in function() return group:taken() end do
    local turn = state.turns[ended]
    state.turns[ended] = nil
    results[turn.member.id] = announce(turn, result_of(turn, ended))
  end
  for _, turn in pairs(state.turns) do
    local copy = errors.new(err.kind, err.message, { reason = err.reason })
    results[turn.member.id] = announce(turn, member_turn.cut_short(turn, copy))
  end
end

--- Collects all turns; when the run is cut short meanwhile, keeps what there is and raises on.
function M.gather(group, state, results)
  local ok, err = xpcall(collect, M.as_error, group, state, results)
  if ok then return end
  salvage(group, state, results, err)
  error(err, 0)
end

local function new_state(ctx, round, count)
  local run, spec = ctx._run, ctx._run.plan.spec
  local quorum = round.quorum or run.opts.quorum or spec.quorum
  return {
    turns = {}, ok = 0, timeout_ms = round.timeout_ms, grace_at = nil, failed = nil,
    fail_fast = (round.failure_mode or run.opts.failure_mode or spec.failure_mode
      or run.config:get("default_failure_mode")) == "fail_fast",
    quorum = quorum and needed(quorum, count), grace_ms = round.grace_ms or spec.grace_ms,
    timeout_at = round.timeout_ms and clock.ms() + round.timeout_ms,
  }
end

--- One turn outside of a round's own fan-out (ctx:ask): in a task of its own, so that its deadline
--- cuts it short without the caller.
---@async
---@param turn table
---@param deadline_ms? number
---@return curia.MemberResult
function M.single_turn(turn, deadline_ms)
  local group, state, results = task.group(), { turns = {}, ok = 0 }, {}
  local spawned = spawn_turn(group, turn)
  if deadline_ms then spawned:deadline(deadline_ms) end
  state.turns[spawned] = turn
  M.gather(group, state, results)
  return results[turn.member.id]
end

local function run_parallel(ctx, round, members, state, results)
  local group = task.group()
  for _, member in ipairs(members) do
    local turn = new_turn(ctx, round, member)
    state.turns[spawn_turn(group, turn)] = turn
  end
  M.gather(group, state, results)
end

local function run_in_turn(ctx, round, members, state, results)
  for _, member in ipairs(members) do
    run_parallel(ctx, round, { member }, state, results)
    if state.failed then return end
  end
end

-- ---- the round ----------------------------------------------------------------------------------

local function skip(ctx, round, members, reason, results)
  for _, member in ipairs(members) do
    if not results[member.id] then
      local turn = new_turn(ctx, round, member)
      local result = member_turn.cut_short(turn, errors.new("cancelled", reason), "skipped")
      result.error, result.metadata = nil, { reason = reason }
      results[member.id] = announce(turn, result)
    end
  end
end

local function aggregate(ctx, round, results)
  local module = round.module
  if not module.aggregate then return nil end
  return member_turn.call_user_code("aggregate of round " .. round.name, module.aggregate, ctx, results)
end

-- A round without a single answer has failed, and so has one that missed its quorum.
local function verdict(state, round)
  if state.failed then return state.failed end
  if state.quorum and state.ok < state.quorum then
    return errors.new("quorum", ("round %s: %d of the %d answers that it needs"):format(
      round.name, state.ok, state.quorum), { round = round.name })
  end
end

local function perform(ctx, round, result)
  if round.module.run then
    return member_turn.call_user_code("round " .. round.name, round.module.run, ctx)
  end
  local members, excluded = participants(ctx, round)
  if not members then return nil, excluded end
  local state = new_state(ctx, round, #members)
  skip(ctx, round, excluded, "router_excluded", result.results)
  local go = round.module.parallel == false and run_in_turn or run_parallel
  go(ctx, round, members, state, result.results)
  skip(ctx, round, members, "fail_fast", result.results)
  local decision, err = aggregate(ctx, round, result.results)
  return decision, verdict(state, round) or err
end

local function finish(run, round, result, started_us)
  result.duration_ms = (clock.us() - started_us) / 1000
  run.log:tell("round_completed", round, nil, "result", result)
end

--- Runs one round. What was answered is kept whatever happens.
---@async
---@param ctx curia.Ctx the run's context
---@param round table planned round
---@return curia.RoundResult
---@return curia.Error? err when the round failed
function M.execute(ctx, round)
  local run, started_us = ctx._run, clock.us()
  local result = {
    name = round.name, idx = round.idx, results = {}, started_at = clock.wall_ms(), metadata = {},
  }
  run:enter_round(round, result)
  run.log:tell("round_started", round)
  local inner = ctx:for_round(round, result)
  local ok, decision, err = xpcall(perform, M.as_error, inner, round, result)
  if ok then result.decision = decision else err = decision end
  result.error = err
  finish(run, round, result, started_us)
  run:leave_round(round)
  if not ok then error(err, 0) end
  return result, err
end

return M
