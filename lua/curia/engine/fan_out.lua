--- The turns of a round: all at once, or in groups one after another, until all have ended, the round's time is over,
--- its quorum has had its grace, or a failure ends the others.
local clock = require "curia.core.clock"
local errors = require "curia.errors"
local limits = require "curia.engine.limits"
local member_turn = require "curia.engine.member"
local stagger = require "curia.engine.stagger"
local task = require "curia.task"
local user_code = require "curia.engine.user_code"

local M = {}

local function new_turn(ctx, round, member)
  return member_turn.new_turn(ctx, round, member, round.module.build, round.module.parse)
end

--- Tells a member's result to the run and to all who watch.
---@param run curia.Run
---@param round table
---@param id string
---@param result curia.MemberResult
---@return curia.MemberResult
function M.tell(run, round, id, result)
  run:set_member(id, result.status)
  if result.status ~= "ok" then run.flawed = true end
  run.log:tell("member_completed", round, id, result)
  return result
end

local function announce(turn, result)
  turn.run.attempts[turn] = nil
  if turn.pilot then turn.pilot:release() end
  return M.tell(turn.run, turn.round, turn.member.id, result)
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

-- Notes a turn that goes on. Those who end all of them do so in the order of their beginning, always.
local function add_turn(state, spawned, turn)
  state.turns[spawned] = turn
  state.spawned[#state.spawned + 1] = spawned
end

-- for spawned, turn in going_on(state) do ... end
local function going_on(state)
  local i = 0
  return function()
    repeat i = i + 1 until not state.spawned[i] or state.turns[state.spawned[i]]
    local spawned = state.spawned[i]
    return spawned, state.turns[spawned]
  end
end

-- Ends all turns that go on; those that have not begun will not begin.
local function cut_all(state, cut)
  state.cut = cut
  for spawned, turn in going_on(state) do
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
  for _, turn in going_on(state) do results[turn.member.id] = announce(turn, abandoned(turn, err)) end
end

--- Collects all turns; when the collector is cut short meanwhile, keeps what there is and raises on.
local function gather(group, state, results)
  local ok, err = xpcall(collect, user_code.as_error, group, state, results)
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

--- How many of `count` members must answer; nil: there is no quorum. A council's quorum is for rounds of all
--- members: it asks no more of a smaller one, and nothing of the chair's.
---@param ctx curia.Ctx
---@param round table
---@param count integer
---@return integer?
function M.quorum(ctx, round, count)
  if round.quorum then return needed(round.quorum, count) end
  local general = ctx._run.opts.quorum or ctx._run.plan.spec.quorum
  if not general or round.module.chair then return nil end
  return math.min(needed(general, count), count)
end


local function new_state(ctx, round, count)
  local run, timeout_ms = ctx._run, round.timeout_ms
  return {
    run = run, stood_ms = limits.stood_ms(run), turns = {}, spawned = {}, live = 0, ok = 0,
    fail_fast = M.fails_fast(ctx, round), quorum = M.quorum(ctx, round, count),
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
  local group, state = task.group(), { turns = {}, spawned = {}, live = 1, ok = 0 }
  add_turn(state, spawn_turn(group, turn), turn)
  gather(group, state, results)
  return results[turn.member.id]
end

local function run_parallel(ctx, round, members, state, results)
  local group, staggered = task.group(), round.stagger and stagger.new()
  for i = 1, #members do
    local turn = new_turn(ctx, round, members[i])
    if staggered then staggered:place(turn) end
    add_turn(state, spawn_turn(group, turn, state.timeout_at), turn)
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

--- Members that have no result get one that says why.
---@param ctx curia.Ctx
---@param round table
---@param members table[]
---@param cut {reason?: string, kind?: string, message?: string}
---@param results table<string, curia.MemberResult>
function M.leave_out(ctx, round, members, cut, results)
  for _, member in ipairs(members) do
    if not results[member.id] then
      local turn = new_turn(ctx, round, member)
      results[member.id] = announce(turn, cut_result(turn, cut))
    end
  end
end

---@class curia.FanOut what has come of asking the members of a round
---@field ok integer good answers
---@field quorum? integer good answers that it needs
---@field failed? curia.Error of the member that ended it (fail_fast)

--- Asks the members of a round: all at once, one after another, or in the groups that its module makes.
---@async
---@param ctx curia.Ctx
---@param round table
---@param members table[]
---@param results table<string, curia.MemberResult> takes the results, also when the caller is cut short
---@return curia.FanOut
function M.ask(ctx, round, members, results)
  local state, module = new_state(ctx, round, #members), round.module
  local go = module.groups and run_in_groups or module.parallel == false and run_in_turn or run_parallel
  go(ctx, round, members, state, results)
  if state.cut then M.leave_out(ctx, round, members, state.cut, results) end
  return state
end

return M
