--- What a run has come to whose process has died: its result (SPEC 12), as far as its events and its journal tell.
local json = require "curia.json"
local results = require "curia.engine.result"

local M = {}

-- ---- its rounds -----------------------------------------------------------------------------------

local EVENTS = [[SELECT payload FROM {run_events} WHERE namespace = ? AND run_id = ?
  AND type IN ('run_started', 'round_started', 'member_completed', 'round_completed') ORDER BY seq]]

---@class curia.recovery.Past
---@field metadata? table the run's
---@field rounds table<integer, curia.RoundResult> by idx
---@field responses table[] of all members' turns that have ended

local told = {} -- by the type of an event

function told.run_started(past, event)
  past.metadata = event.metadata
end

local function add_iteration(metadata, result)
  metadata.iterations = metadata.iterations or json.array()
  table.insert(metadata.iterations, result)
end

-- What happens in an iteration is part of its round.
function told.round_started(past, event)
  if event.iteration then return end
  past.rounds[event.idx] = { name = event.round, idx = event.idx, results = {}, started_at = event.at, metadata = {} }
end

function told.member_completed(past, event)
  past.responses[#past.responses + 1] = event.result.response
  local round = past.rounds[event.idx]
  if not event.iteration and round then round.results[event.member] = event.result end
end

function told.round_completed(past, event)
  local outer = past.rounds[event.idx]
  if not event.iteration then past.rounds[event.idx] = event.result
  elseif outer then add_iteration(outer.metadata, event.result) end
end

local function past_of(store, row)
  local found, err = store:query(EVENTS, row.namespace, row.run_id)
  if not found then return nil, err end
  local past = { rounds = {}, responses = {} }
  for _, stored in ipairs(found) do
    local event, problem = store:unpack(stored.payload)
    if problem then return nil, problem end
    told[event.type](past, event)
  end
  return past
end

local function has_come_to_something(round)
  return next(round.results) ~= nil or round.duration_ms ~= nil or round.metadata.iterations ~= nil
end

-- One that was under way counts for what it has.
local function rounds_of(past)
  local list, numbers = json.array(), {}
  for idx, round in pairs(past.rounds) do
    if has_come_to_something(round) then numbers[#numbers + 1] = idx end
  end
  table.sort(numbers)
  for i, idx in ipairs(numbers) do list[i] = past.rounds[idx] end
  return list
end

local function members_of(rounds)
  local seen, ids, members = {}, {}, {}
  for _, round in ipairs(rounds) do
    for id in pairs(round.results) do
      if not seen[id] then ids[#ids + 1] = id end
      seen[id] = true
    end
  end
  table.sort(ids)
  for i, id in ipairs(ids) do members[i] = { id = id } end
  return members
end

-- ---- what it has used -----------------------------------------------------------------------------

local CALLS = [[SELECT result FROM {steps} WHERE namespace = ? AND run_id = ? AND kind = 'call'
  AND status = 'finished' ORDER BY finished]]

-- The journal has each call that was paid for, those of turns that have not ended too; without one the turns tell.
local function totals_of(store, row, past)
  local totals = { usage = {}, unpriced = 0 }
  local calls, err = store:query(CALLS, row.namespace, row.run_id)
  if not calls then return nil, err end
  for _, call in ipairs(calls) do
    local outcome, problem = store:unpack(call.result)
    if problem then return nil, problem end
    if outcome.response then results.add_usage(totals, outcome.response) end
  end
  if calls[1] then return totals end
  for _, response in ipairs(past.responses) do results.add_usage(totals, response) end
  return totals
end

-- ---- the whole ------------------------------------------------------------------------------------

local LAST = [[SELECT max(seq) AS seq, count(*) AS n, max(inserted_at) AS at FROM {run_events}
  WHERE namespace = ? AND run_id = ?]]

-- As much of a run as its result is made of. No script and no chair is asked any more for the final answer.
local function ended_run(row, past, totals, last, err)
  local rounds = rounds_of(past)
  return {
    id = row.run_id, input = row.input, seed = row.seed, rounds = rounds, failures = { err }, totals = totals,
    metadata = past.metadata or {}, plan = { spec = { name = row.council }, members = members_of(rounds), run = true },
    elapsed_ms = function() return last.at and row.started_at and last.at - row.started_at or 0 end,
  }
end

--- The result of a run that ends with an error because its process has died, the number of its last event, and how
--- many its record has.
---@async
---@param store curia.Store
---@param row curia.store.RunRow
---@param err curia.Error
---@return table? result
---@return integer|curia.Error last or why it cannot be told
---@return integer? count
function M.of(store, row, err)
  local past, problem = past_of(store, row)
  if not past then return nil, problem end
  local totals, last
  totals, problem = totals_of(store, row, past)
  if not totals then return nil, problem end
  last, problem = store:query(LAST, row.namespace, row.run_id)
  if not last then return nil, problem end
  local result = results.of(ended_run(row, past, totals, last[1], err))
  return result, last[1].seq or 0, last[1].n
end

return M
