--- How much the members' answers weigh (SPEC 4): the static `weight`, else reliability, else confidence, else 1/N.
local reliability = require "curia.reliability"

local M = {}

local function answered(members, results)
  local found = {}
  for _, member in ipairs(members) do
    local result = results[member.id]
    if result and result.status == "ok" then found[#found + 1] = member end
  end
  return found
end

local function normalised(ids, weights)
  local sum, shares = 0, {}
  for _, id in ipairs(ids) do sum = sum + weights[id] end
  for _, id in ipairs(ids) do shares[id] = sum > 0 and weights[id] / sum or 1 / #ids end
  return shares
end

--- The shares of the members that answered; they add up to 1. Where all weigh nothing, all weigh the same.
---@param members {id: string, weight?: number}[]
---@param results table<string, curia.MemberResult>
---@param opts? {reliability?: table<string, number>} scores by id
---@return table<string, number> shares by id
function M.of(members, results, opts)
  local scores = opts and opts.reliability or {}
  local present, ids, weights = answered(members, results), {}, {}
  for i, member in ipairs(present) do
    local id = member.id
    ids[i] = id
    weights[id] = member.weight or scores[id] or results[id].confidence or 1 / #present
  end
  return normalised(ids, weights)
end

local function scores_of(run, ids, features)
  local function read() return reliability.scores(ids, features) end
  if not run.journal then return read() end
  return run.journal:value { path = "reliability", kind = "step", input = { ids = ids }, call = read }
end

--- The same in a run, with the reliability that is on record; a store that is down is told in the run's log.
---@async
---@param ctx curia.Ctx
---@param results table<string, curia.MemberResult>
---@param features? any what kind of question it is
---@return table<string, number> shares by id
function M.in_run(ctx, results, features)
  local ids = {}
  for i, member in ipairs(ctx.members) do ids[i] = member.id end
  local scores, err = scores_of(ctx._run, ids, features)
  if err then ctx:log("error", tostring(err)) end
  return M.of(ctx.members, results, { reliability = scores })
end

return M
