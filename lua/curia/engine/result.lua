--- The result of a run (SPEC 12): who answered, who did not and why, what it cost, and how far the
-- answer can be trusted to be the whole council's.
local answers = require "curia.engine.answers"
local chair = require "curia.engine.chair"
local errors = require "curia.errors"
local json = require "curia.json"

local M = {}

local function add(total, part)
  for name, value in next, part or {} do
    if type(value) == "number" then total[name] = (total[name] or 0) + value end
  end
end

local function add_cost(totals, cost)
  local sum = totals.cost or { usd = 0, source = cost.source }
  sum.usd = sum.usd + cost.usd
  if sum.source ~= cost.source then sum.source = "mixed" end
  totals.cost = sum
end

--- Adds a response's usage and cost to a run's totals. What the vendor did not say stays unknown.
---@param totals {usage: table, cost?: table, unpriced: integer}
---@param response table
function M.add_usage(totals, response)
  add(totals.usage, response.usage)
  if response.cost then add_cost(totals, response.cost)
  else totals.unpriced = totals.unpriced + 1 end
end

--- Adds the totals of a run inside of another one to the other's.
---@param totals {usage: table, cost?: table, unpriced: integer}
---@param inner {usage: table, cost?: table, unpriced: integer}
function M.add_totals(totals, inner)
  add(totals.usage, inner.usage)
  if inner.cost then add_cost(totals, inner.cost) end
  totals.unpriced = totals.unpriced + inner.unpriced
end

-- Neither an answer nor a gap: a router, a bracket, a count that was settled or the script itself left the member out.
local EXCUSES = { router_excluded = true, abandoned = true, early_stop = true }

--- Whether a member without an answer was left out on purpose.
---@param result curia.MemberResult
---@return boolean
function M.excused(result)
  if result.status == "eliminated" then return true end
  return result.status == "skipped" and result.metadata ~= nil and EXCUSES[result.metadata.reason] == true
end

local function add_gap(missing, round, id, result)
  if not result or result.status == "ok" or M.excused(result) then return end
  local err = result.error
  missing[#missing + 1] = {
    member = id, round = round.name, kind = err and err.kind or result.status,
    message = err and err.message or (result.metadata and result.metadata.reason) or result.status,
  }
end

-- The rounds, and each iteration of one whose iterations all count: in its last one a member may be well again.
local function each_by_itself(rounds)
  local all = {}
  for _, round in ipairs(rounds) do
    local parts = round.metadata.cumulative and round.metadata.iterations or { round }
    table.move(parts, 1, #parts, #all + 1, all)
  end
  return all
end

-- Members that have no good result in a round, in the order of the council.
local function missing_of(plan, rounds)
  local missing = json.array()
  for _, round in ipairs(each_by_itself(rounds)) do
    for _, member in ipairs(plan.members) do add_gap(missing, round, member.id, round.results[member.id]) end
    if plan.chair then add_gap(missing, round, plan.chair.id, round.results[plan.chair.id]) end
  end
  return missing
end

-- A round that failed as a whole, where neither a member nor the run tells of it already.
local function add_round_failure(reasons, round, failures)
  local err = round.error
  local blamed = err and err.member and round.results[err.member]
  if not err or blamed and blamed.error == err then return end
  for _, known in ipairs(failures) do
    if known == err then return end
  end
  reasons[#reasons + 1] = ("%s failed: %s"):format(round.name, tostring(err))
end

local NONE = {}

local function degraded_of(plan, rounds, failures, notes)
  local missing, reasons = missing_of(plan, rounds), json.array()
  for _, gap in ipairs(missing) do
    reasons[#reasons + 1] = ("%s did not answer in %s: %s"):format(gap.member, gap.round, gap.kind)
  end
  for _, note in ipairs(notes or NONE) do
    reasons[#reasons + 1] = note.reason
    missing[#missing + 1] = note.gap
  end
  for _, err in ipairs(failures) do reasons[#reasons + 1] = tostring(err) end
  for _, round in ipairs(rounds) do add_round_failure(reasons, round, failures) end
  if #reasons == 0 then return nil end
  return { reasons = reasons, missing = missing }
end

local function chairs_error(plan, rounds)
  local last = plan.chair and rounds[#rounds]
  local result = last and last.results[plan.chair.id]
  return result and result.error
end

-- What ended the run comes first, then all others, each once.
local function all_errors(plan, rounds, failures)
  local list, seen = json.array(), {}
  local function add_error(err)
    if not err or seen[err] then return end
    seen[err] = true
    list[#list + 1] = err
  end
  for _, err in ipairs(failures) do add_error(err) end
  add_error(chairs_error(plan, rounds))
  for _, round in ipairs(each_by_itself(rounds)) do
    for _, member in ipairs(plan.members) do add_error(round.results[member.id] and round.results[member.id].error) end
    add_error(plan.chair and round.results[plan.chair.id] and round.results[plan.chair.id].error)
    add_error(round.error)
  end
  for _, round in ipairs(rounds) do add_error(round.error) end
  return list
end

local function only_answer(rounds)
  local last = rounds[#rounds]
  local found
  for _, result in pairs(last and last.results or {}) do
    if result.status == "ok" then
      if found then return nil end
      found = result.response
    end
  end
  return found
end

-- What the chair said to break a tie is no answer.
local function chairs_answer(plan, rounds)
  local last = rounds[#rounds]
  local chairs = last and not last.decision and last.results[plan.chair.id]
  return chairs and chairs.status == "ok" and chairs.response or nil
end

-- An option that was voted on is itself the answer.
local function winners_answer(rounds, winner, idx)
  local round = rounds[idx]
  if round.metadata.options then return { content = winner, finish_reason = "stop" } end
  return round.answers and round.answers[winner] or answers.of_member(rounds, winner, idx)
end

-- SPEC 12: the chair's answer, or what stands in for it; without a chair that of the decision's winner, else the
-- only answer.
local function final_of(run, decision, decided_in)
  local plan, rounds = run.plan, run.rounds
  if run.final ~= nil or plan.run then return run.final end
  if plan.chair then
    local answered = chairs_answer(plan, rounds)
    if answered or run.failures[1] then return answered end
    return chair.best_answer(run)
  end
  if decision and decision.winner then return winners_answer(rounds, decision.winner, decided_in) end
  return only_answer(rounds)
end

--- Whether a round has asked members and none has answered; those that were left out on purpose do not count.
---@param round curia.RoundResult
---@return boolean
function M.all_failed(round)
  local failed = false
  for _, result in pairs(round.results) do
    if result.status == "ok" then return false end
    failed = failed or not M.excused(result)
  end
  return failed
end

--- Whether there is any answer at all.
---@param rounds curia.RoundResult[]
---@return boolean
function M.any_answer(rounds)
  for _, round in ipairs(rounds) do
    for _, result in pairs(round.results) do
      if result.status == "ok" then return true end
    end
  end
  return false
end

local function status_of(run, final, degraded)
  if #run.failures > 0 then return "error" end
  if not final and run.plan.chair and not run.plan.run then return "error" end
  if not final and not M.any_answer(run.rounds) then return "error" end
  return degraded and "partial" or "ok"
end

-- What a ballot puts first; of equal scores, what comes first by name.
local function first_of(ballot)
  if ballot.choice or ballot.ordering then return ballot.choice or ballot.ordering[1] end
  local best
  for id, score in pairs(ballot.scores or NONE) do
    local top = best and ballot.scores[best]
    if not best or score > top or score == top and id < best then best = id end
  end
  return best
end

-- Who scores the winner as high as its first has nothing against it.
local function prefers(ballot, first, winner)
  local scores = ballot.scores
  return first ~= winner and not (scores and scores[winner] == scores[first])
end

-- Who put another answer first, and why (SPEC 12: dissent). Whose own answer has won could not choose it.
local function dissent_of(rounds)
  local list = {}
  for _, round in ipairs(rounds) do
    local decision = round.decision
    local winner = decision and decision.winner
    for _, ballot in ipairs(winner and decision.ballots_used or NONE) do
      local first = ballot.voter ~= winner and first_of(ballot)
      if first and prefers(ballot, first, winner) then
        list[#list + 1] = {
          member = ballot.member or ballot.voter, round = round.name, choice = first, rationale = ballot.rationale,
        }
      end
    end
  end
  return #list > 0 and list or nil
end

local function no_answer(run)
  return errors.new("internal", ("run %s ended without an answer"):format(run.id))
end

local function metadata_of(run, stand_in)
  local metadata = { seed = run.seed, without_chair = stand_in }
  for key, value in next, run.metadata do
    if key ~= "seed" then metadata[key] = value end
  end
  return metadata
end

--- The cost of totals: nil while nothing is known of it; calls without a known price are counted in it.
---@param totals {usage: table, cost?: table, unpriced: integer}
---@return table?
function M.cost_of(totals)
  if totals.cost and totals.unpriced > 0 then totals.cost.unpriced_calls = totals.unpriced end
  return totals.cost
end

--- The result as things stand.
---@param run curia.Run
---@return table result
---@return curia.Error? err the first error, when the status is "error"
function M.of(run)
  local decision, decided_in = answers.last_decision(run.rounds)
  local final, stand_in = final_of(run, decision, decided_in)
  local degraded, list = nil, json.array()
  if run.flawed or run.failures[1] then -- else there is nothing to look for
    degraded = degraded_of(run.plan, run.rounds, run.failures, run.notes)
    list = all_errors(run.plan, run.rounds, run.failures)
  end
  local status = status_of(run, final, degraded)
  if status == "error" and #list == 0 then list[1] = no_answer(run) end
  return {
    run_id = run.id, council = run.plan.spec.name, status = status, input = run.input, rounds = run.rounds,
    final = final, decision = decision, degraded = degraded, dissent = dissent_of(run.rounds),
    errors = list, usage = run.totals.usage, cost = M.cost_of(run.totals), metadata = metadata_of(run, stand_in),
    duration_ms = run:elapsed_ms(),
  }, status == "error" and list[1] or nil
end

return M
