--- One round: who takes part, all turns at once (or one after another), how it ends, what it decides.
local chair = require "curia.engine.chair"
local clock = require "curia.core.clock"
local counting = require "curia.ballots.count"
local errors = require "curia.errors"
local limits = require "curia.engine.limits"
local member_turn = require "curia.engine.member"
local outcome = require "curia.engine.result"
local stagger = require "curia.engine.stagger"
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

--- Makes an error value of whatever was raised.
function M.as_error(raised)
  if errors.is(raised) then return raised end
  return errors.new("script", tostring(raised), { traceback = debug.traceback() })
end

-- ---- who takes part -----------------------------------------------------------------------------

local function listed(plan, ids)
  local members, seen = {}, {}
  for _, id in ipairs(ids) do
    if not seen[id] then members[#members + 1] = plan.by_id[id] end
    seen[id] = true
  end
  return members
end

local function ids_of(members)
  local ids = {}
  for _, member in ipairs(members) do ids[member.id] = true end
  return ids
end

local NOBODY = {}

local function routing_error(round, text)
  return errors.new("script", ("router of round %s: %s"):format(round.name, text))
end

local function routed(ctx, round, router, members)
  local chosen, err = user_code.call("router of round " .. round.name, router, ctx.input, ctx)
  if err then return nil, err end
  if type(chosen) == "string" then chosen = { chosen } end
  if type(chosen) ~= "table" then return nil, routing_error(round, "it gave no list of ids") end
  local known = ids_of(members)
  for _, id in ipairs(chosen) do
    if not known[id] then return nil, routing_error(round, ("'%s' is no member of the round"):format(tostring(id))) end
  end
  return listed(ctx._run.plan, chosen)
end

-- The chair, or who is elected where it has no model of its own.
local function chair_of(ctx, round, result)
  local run = ctx._run
  local own, why = run.plan.chair, "the council has none"
  if own and chair.is_vacant(own) then
    own, why = chair.elect(run, result), "nobody has answered who could be elected"
  end
  if own then return { own }, NOBODY end
  return nil, errors.new("validation", ("round %s is the chair's, and %s"):format(round.name, why))
end

-- The members of a round, and those that its router left out.
local function participants(ctx, round, result)
  local plan = ctx._run.plan
  if round.module.chair then return chair_of(ctx, round, result) end
  local all, router = round.members and listed(plan, round.members) or plan.members, round.router or plan.router
  if not router then return all, NOBODY end
  local chosen, err = routed(ctx, round, router, all)
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

local function tell_result(run, round, id, result)
  run:set_member(id, result.status)
  if result.status ~= "ok" then run.flawed = true end
  run.log:tell("member_completed", round, id, result)
  return result
end

local function announce(turn, result)
  turn.run.attempts[turn] = nil
  if turn.pilot then turn.pilot:release() end
  return tell_result(turn.run, turn.round, turn.member.id, result)
end

-- `until_at`: when the round's own time is over; retries that would wait longer are not tried.
local function spawn_turn(group, turn, until_at)
  local spawned = group:spawn(turn.follows and stagger.follow or member_turn.take_turn, turn)
  local deadline_ms = turn.deadline_ms or turn.member.deadline_ms or turn.run.member_timeout_ms
  if deadline_ms or until_at then limits.set(turn.run, spawned, deadline_ms, turn, until_at) end
  return spawned
end

local function cut_result(turn, cut)
  if cut.reason then return member_turn.skipped(turn, cut.reason) end
  return member_turn.cut_short(turn, errors.new(cut.kind, cut.message))
end

local function result_of(turn, ended)
  local ok, value = ended:result()
  if ok then return value end
  if turn.cut then return cut_result(turn, turn.cut) end
  return member_turn.cut_short(turn, value)
end

-- Ends all turns that go on; those that have not begun will not begin.
local function cut_all(state, cut)
  state.cut = cut
  for spawned, turn in pairs(state.turns) do
    turn.cut = cut
    spawned:cancel(cut.message or cut.reason)
  end
end

local function needed(quorum, count)
  if quorum == "all" then return count end
  if quorum == "majority" then return count // 2 + 1 end
  return quorum
end

-- What to do now that a turn has ended: go on, or cut the others short?
local function after(state, result)
  if result.status == "ok" then state.ok = state.ok + 1 end
  if state.fail_fast and result.error and not state.failed then
    state.failed = result.error
    cut_all(state, { reason = "fail_fast" })
  end
  if state.quorum and state.ok >= state.quorum and state.grace_ms and not state.grace_at then
    state.grace_at = clock.ms() + state.grace_ms
  end
end

local function time_left(state)
  local at, grace_at = state.timeout_at, state.grace_at
  if not (at or grace_at) then return nil end
  if grace_at and (not at or grace_at < at) then at = grace_at end
  return math.max(0, at - clock.ms())
end

local function cut_late(state)
  if state.grace_at and clock.ms() >= state.grace_at then
    cut_all(state, { reason = "grace_over" })
  else
    cut_all(state, { kind = "timeout", message = ("the round's %g ms are over"):format(state.timeout_ms) })
  end
  state.timeout_at, state.grace_ms, state.grace_at = nil, nil, nil
end

local SHORTEST_LOOK_MS = 1000

-- While the run waits for an approval the round's time stands still; how long that will be is not known, so that
-- it is granted piece by piece.
local function postponed(state)
  local more = limits.stood_ms(state.run) - state.stood_ms
  if more <= 0 then return false end
  if state.run.stands_since then more = math.max(more, SHORTEST_LOOK_MS) end
  state.stood_ms = state.stood_ms + more
  if state.timeout_at then state.timeout_at = state.timeout_at + more end
  if state.grace_at then state.grace_at = state.grace_at + more end
  return true
end

local function collect(group, state, results)
  while state.live > 0 do
    local ended, late = group:next(time_left(state))
    if not ended and late then
      if not postponed(state) then cut_late(state) end
    else
      local turn = state.turns[ended]
      state.turns[ended] = nil
      state.live = state.live - 1
      local result = announce(turn, result_of(turn, ended))
      results[turn.member.id] = result
      after(state, result)
    end
  end
end

-- An ask that the script itself cut short (ctx:first) is no failure of its member; the end of the run is.
local function abandoned(turn, err)
  if err.kind == "cancelled" and not turn.run.task:cancelled() then return member_turn.skipped(turn, "abandoned") end
  return member_turn.cut_short(turn, errors.new(err.kind, err.message, { reason = err.reason }))
end

-- The turns that have ended when the collector itself is cut short are kept; the others get the reason.
local function salvage(group, state, results, err)
  for ended in function() return group:taken() end do
    local turn = state.turns[ended]
    state.turns[ended] = nil
    results[turn.member.id] = announce(turn, result_of(turn, ended))
  end
  for _, turn in pairs(state.turns) do results[turn.member.id] = announce(turn, abandoned(turn, err)) end
end

--- Collects all turns; when the collector is cut short meanwhile, keeps what there is and raises on.
local function gather(group, state, results)
  local ok, err = xpcall(collect, M.as_error, group, state, results)
  if ok then return end
  salvage(group, state, results, err)
  error(err, 0)
end

--- Whether the failure of a member ends the round.
---@param ctx curia.Ctx
---@param round table
---@return boolean
function M.fails_fast(ctx, round)
  return (round.failure_mode or ctx._run.failure_mode) == "fail_fast"
end

-- A council's quorum is for rounds of all members: it asks no more of a smaller one, and nothing of the chair's.
local function quorum_of(ctx, round, count)
  if round.quorum then return needed(round.quorum, count) end
  local general = ctx._run.opts.quorum or ctx._run.plan.spec.quorum
  if not general or round.module.chair then return nil end
  return math.min(needed(general, count), count)
end

--- How many of `count` members must answer in a round with a `run` of its own; nil: there is no quorum.
---@param ctx curia.Ctx the round's
---@param count integer
---@return integer?
function M.quorum(ctx, count)
  return quorum_of(ctx, ctx._round, count)
end

local function new_state(ctx, round, count)
  local run, timeout_ms = ctx._run, round.timeout_ms
  return {
    run = run, stood_ms = limits.stood_ms(run), turns = {}, live = 0, ok = 0, fail_fast = M.fails_fast(ctx, round),
    quorum = quorum_of(ctx, round, count),
    grace_ms = round.grace_ms or run.plan.spec.grace_ms, timeout_ms = timeout_ms,
    timeout_at = timeout_ms and clock.ms() + timeout_ms,
    -- set while it goes on: failed, cut, grace_at
  }
end

--- One turn outside of a round's own fan-out (ctx:ask): in a task of its own, so that its deadline
--- cuts it short without the caller.
---@async
---@param turn curia.Turn
---@param results table<string, curia.MemberResult> takes the result, also when the caller is cut short
---@return curia.MemberResult
function M.single_turn(turn, results)
  local group, state = task.group(), { turns = {}, live = 1, ok = 0 }
  state.turns[spawn_turn(group, turn)] = turn
  gather(group, state, results)
  return results[turn.member.id]
end

local function run_parallel(ctx, round, members, state, results)
  local group, staggered = task.group(), round.stagger and stagger.new()
  for i = 1, #members do
    local turn = new_turn(ctx, round, members[i])
    if staggered then staggered:place(turn) end
    state.turns[spawn_turn(group, turn, state.timeout_at)] = turn
    state.live = state.live + 1
  end
  gather(group, state, results)
end

local function run_in_turn(ctx, round, members, state, results)
  for _, member in ipairs(members) do
    if state.cut then return end
    run_parallel(ctx, round, { member }, state, results)
  end
end

-- A round whose module says who speaks with whom: one group after the other.
local function run_in_groups(ctx, round, members, state, results)
  local groups, err = user_code.call("groups of round " .. round.name, round.module.groups, ctx, members)
  if err then error(err, 0) end
  for _, group in ipairs(groups) do
    if state.cut then return end
    run_parallel(ctx, round, group, state, results)
  end
end

-- ---- the round ----------------------------------------------------------------------------------

-- Members that have no result get one that says why.
local function leave_out(ctx, round, members, cut, results)
  for _, member in ipairs(members) do
    if not results[member.id] then
      local turn = new_turn(ctx, round, member)
      results[member.id] = announce(turn, cut_result(turn, cut))
    end
  end
end

local function ask_members(ctx, round, members, results)
  local state, module = new_state(ctx, round, #members), round.module
  local go = module.groups and run_in_groups or module.parallel == false and run_in_turn or run_parallel
  go(ctx, round, members, state, results)
  if state.cut then leave_out(ctx, round, members, state.cut, results) end
  return state
end

-- A chair that has failed gives its seat to the member that is elected, if the council elects one.
local function ask_elected(ctx, round, result)
  local elected = chair.replace(ctx._run, result)
  return elected and ask_members(ctx, round, { elected }, result.results)
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
  local members, excluded = participants(ctx, round, ctx.result)
  if not members then return nil, excluded end
  leave_out(ctx, round, excluded, { reason = "router_excluded" }, ctx.result.results)
  return members
end

--- Makes a result the member's in a round with a `run` of its own.
---@param ctx curia.Ctx the round's
---@param result curia.MemberResult
function M.settle(ctx, result)
  ctx.result.results[result.member] = tell_result(ctx._run, ctx._round, result.member, result)
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
    ok = ok, quorum = quorum_of(ctx, round, asked), failed = M.fails_fast(ctx, round) and first_error(ctx, results),
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
  local state = ask_members(ctx, round, members, result.results)
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
  local ok, decision, err, fatal = xpcall(perform, M.as_error, inner, round, result)
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
