--- Who takes part in a round: all members, those that it lists, those that its router chooses, or the chair.
local chair = require "curia.engine.chair"
local errors = require "curia.errors"
local user_code = require "curia.engine.user_code"

local M = {}

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

--- The members of a round, and those that its router leaves out.
---@async
---@param ctx curia.Ctx
---@param round table planned round
---@param result curia.RoundResult of the round so far
---@return table[]? members
---@return table[]|curia.Error excluded
function M.of(ctx, round, result)
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

return M
