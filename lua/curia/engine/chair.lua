--- What stands in for a chair that does not answer (SPEC 10): a member that is elected in its place, or the best
--- answer as it is.
local answers = require "curia.engine.answers"
local fields = require "curia.language.fields"

local M = {}

-- The ids of the members, best first: those that the last decision ranks, then the others as they stand.
local function by_rank(run)
  local decision, idx = answers.last_decision(run.rounds)
  local ids, seen = {}, {}
  local function add(id)
    if id and not seen[id] then ids[#ids + 1] = id end
    seen[id or ""] = true
  end
  if decision then
    add(decision.winner)
    for _, id in ipairs(decision.ranking or {}) do add(id) end
  end
  for _, member in ipairs(run.plan.members) do add(member.id) end
  return ids, decision, idx
end

-- The first of them that has answered and may stand in, and what says so.
local function best(run, may)
  local ids, decision, idx = by_rank(run)
  for _, id in ipairs(ids) do
    local member = run.plan.by_id[id]
    local response = member and answers.of_member(run.rounds, id, idx)
    if response and may(member) then return member, response, decision and decision.rule or "order" end
  end
end

-- The chair's seat, and in it a member's capabilities.
local function seated(chair, member)
  local made = {}
  for name, value in pairs(chair) do made[name] = value end
  for name in pairs(fields.capabilities) do made[name] = member[name] end
  made.provider_name, made.adapter = member.provider_name, member.adapter
  if chair.system == nil and chair.role == nil then made.system, made.role = member.system, member.role end
  return made
end

--- Whether a chair has no model, nor anything else to answer with, and is elected from the start.
---@param chair curia.PlannedMember
---@return boolean
function M.is_vacant(chair)
  return chair.elect == true and not (chair.model or chair.run or chair.council)
end

local function has_model(member)
  return member.model ~= nil
end

--- The member that is chair in the chair's place, if the council elects one: the best-ranked of the last decision,
--- else the first that has answered. It keeps the chair's id, role and system prompt.
---@param run curia.Run
---@param result curia.RoundResult the chair's round; its metadata tell who was `elected`
---@return curia.PlannedMember?
function M.elect(run, result)
  local chair = run.plan.chair
  if not chair.elect then return nil end
  local member = best(run, has_model)
  if not member then return nil end
  result.metadata.elected = member.id
  return seated(chair, member)
end

--- Elects a member after the chair has failed; the result tells of both.
---@param run curia.Run
---@param result curia.RoundResult
---@return curia.PlannedMember?
function M.replace(run, result)
  local chair = run.plan.chair
  local failed = result.results[chair.id]
  local err = failed and failed.error
  if not err or err.kind == "budget" or result.metadata.elected then return nil end
  local elected = M.elect(run, result)
  if not elected then return nil end
  run:note(("%s did not answer in %s: %s; %s was elected in its place"):format(chair.id, result.name, err.kind,
    result.metadata.elected), { member = chair.id, round = result.name, kind = err.kind, message = err.message })
  return elected
end

local function anybody()
  return true
end

--- The best answer, for a council that does without its chair (`without_chair = "best"`).
---@param run curia.Run
---@return table? response as its member gave it
---@return {member: string, by: string}? whose it is, and the rule that put it first ("order": nothing did)
function M.best_answer(run)
  if run.plan.spec.without_chair ~= "best" then return nil end
  local member, response, by = best(run, anybody)
  if not member then return nil end
  run:note(("the chair gave no answer: %s's stands, first by %s"):format(member.id, by))
  return response, { member = member.id, by = by }
end

return M
