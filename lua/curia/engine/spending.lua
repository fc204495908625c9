--- What a run does when its budget is used up (SPEC 11): it fails with all its rounds kept, or its chair concludes.
local clock = require "curia.core.clock"
local planning = require "curia.language.rounds"
local results = require "curia.engine.result"
local round_engine = require "curia.engine.round"
local task = require "curia.task"

local M = {}

-- The wall time is a deadline of its own: what has been answered by then is kept.
local function within_wall(run, go, ctx)
  local wall_ms, own = run.budget.limits.wall_ms, run.deadline_at
  if not wall_ms then return go(run, ctx) end
  local at = clock.ms() + wall_ms
  run.deadline_at = math.min(own or at, at)
  local ok, err = task.within(wall_ms, go, run, ctx)
  run.deadline_at = own
  if ok then return end
  if err.kind ~= "deadline" or clock.ms() < at then error(err, 0) end
  run.budget:refuse "wall_ms"
end

-- The chair's round, as long as it has not been begun.
local function chairs_round(run)
  local rounds, done = run.plan.rounds, run.rounds[#run.rounds]
  local last = rounds[#rounds]
  if not last or not planning.is_chairs(last.type, last.module) or done and done.idx >= last.idx then return nil end
  return last
end

-- Whether there is a final answer in spite of the budget. A free run's script concludes by itself.
local function conclude(run, ctx)
  if run.plan.run then return run.final ~= nil end
  local round = results.any_answer(run.rounds) and chairs_round(run)
  if round then round_engine.execute(ctx, round) end
  return round ~= nil
end

--- Runs a council's rounds, or its function, within the run's budget.
---@async
---@param run curia.Run
---@param go fun(run: curia.Run, ctx: curia.Ctx)
---@param ctx curia.Ctx
function M.within(run, go, ctx)
  within_wall(run, go, ctx)
  local refused = run.budget.refused
  if not refused then return end
  if run.budget.conclude and conclude(run, ctx) then
    run:note(refused.message .. "; the council concluded with what there was")
  else
    table.insert(run.failures, 1, refused)
  end
end

--- Raises when no new call may start, for scripts that would go on asking. Where the chair concludes, they are
--- told by the results alone.
---@param run curia.Run
function M.check(run)
  local budget = run.budget
  if budget and budget.refused and not budget.conclude then error(budget.refused, 0) end
end

return M
