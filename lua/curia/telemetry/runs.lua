--- Telemetry of runs, rounds, members and tools: made of what the event log is told, so that nothing is measured twice.
local telemetry = require "curia.telemetry"

local M = {}

local on, emit = telemetry.on, telemetry.emit
local NOTHING = {}

local function of_run(run)
  return {
    namespace = run.namespace.name, run_id = run.id, parent_run_id = run.parent and run.parent.id,
    parent_member_id = run.parent_member, group = run.group and run.group.name, council = run.plan.spec.name,
    traceparent = run.opts.traceparent,
  }
end

local function of_round(run, round)
  return {
    namespace = run.namespace.name, run_id = run.id, parent_run_id = run.parent and run.parent.id,
    council = run.plan.spec.name,
    round = round.name, idx = round.idx, iteration = round.iteration,
  }
end

--- What tells which turn it is.
---@param run curia.Run
---@param round table
---@param member_id? string
---@return table metadata
function M.of_turn(run, round, member_id)
  local member = member_id and run.plan.by_id[member_id]
  return {
    namespace = run.namespace.name, run_id = run.id, parent_run_id = run.parent and run.parent.id,
    council = run.plan.spec.name,
    member_id = member_id, round = round.name, round_idx = round.idx, iteration = round.iteration,
    model = member and member.model, provider = member and member.provider_name,
  }
end

--- Adds the tokens of a usage to measurements.
---@param measurements table
---@param usage? table
---@return table measurements
function M.add_tokens(measurements, usage)
  if not usage then return measurements end
  measurements.input_tokens, measurements.output_tokens = usage.input_tokens, usage.output_tokens
  measurements.cached_tokens, measurements.reasoning_tokens = usage.cached_tokens, usage.reasoning_tokens
  return measurements
end

local function us(ms)
  return ms and math.floor(ms * 1000)
end

-- ---- runs -------------------------------------------------------------------------------------------

local function run_stopped(run, result, err)
  local duration_us = us(run:elapsed_ms())
  if err and on["run.exception"] then
    local metadata = of_run(run)
    metadata.error = err
    emit("run.exception", { duration_us = duration_us }, metadata)
  end
  if not on["run.stop"] then return end
  local metadata = of_run(run)
  metadata.status, metadata.usage, metadata.cost = run.status, run.totals.usage, result and result.cost
  metadata.errors = result and result.errors or {}
  emit("run.stop", M.add_tokens({ duration_us = duration_us }, run.totals.usage), metadata)
end

local tellers = {}

function tellers.run_started(run)
  if on["run.start"] then emit("run.start", NOTHING, of_run(run)) end
end

function tellers.run_completed(run, _, _, fields)
  run_stopped(run, fields.result, nil)
end

function tellers.run_failed(run, _, _, fields)
  run_stopped(run, fields.result, run.failure)
end

--- A run was terminated, which no event tells.
---@param run curia.Run
function M.terminated(run)
  run_stopped(run, nil, nil)
end

-- ---- rounds -----------------------------------------------------------------------------------------

function tellers.round_started(run, round)
  if on["round.start"] then emit("round.start", NOTHING, of_round(run, round)) end
end

local function count_ok(results)
  local count = 0
  for _, result in pairs(results) do
    if result.status == "ok" then count = count + 1 end
  end
  return count
end

function tellers.round_completed(run, round, _, result)
  local measured = { duration_us = us(result.duration_ms) }
  if result.error and on["round.exception"] then
    local metadata = of_round(run, round)
    metadata.error = result.error
    emit("round.exception", measured, metadata)
  end
  if not on["round.stop"] then return end
  local metadata = of_round(run, round)
  metadata.ok, metadata.decision = count_ok(result.results), result.decision
  emit("round.stop", measured, metadata)
end

-- ---- members ----------------------------------------------------------------------------------------

function tellers.member_started(run, round, member_id)
  if on["member.start"] then emit("member.start", NOTHING, M.of_turn(run, round, member_id)) end
end

function tellers.member_completed(run, round, member_id, result)
  if result.error and on["member.exception"] then
    local metadata = M.of_turn(run, round, member_id)
    metadata.error = result.error
    emit("member.exception", { duration_us = us(result.duration_ms) }, metadata)
  end
  if not on["member.stop"] then return end
  local metadata, response = M.of_turn(run, round, member_id), result.response
  metadata.model, metadata.provider = result.model or metadata.model, result.provider or metadata.provider
  metadata.status, metadata.attempts, metadata.confidence = result.status, result.attempts, result.confidence
  metadata.cost, metadata.finish_reason = response and response.cost, response and response.finish_reason
  emit("member.stop", M.add_tokens({
    duration_us = us(result.duration_ms), first_token_us = us(result.first_token_ms),
  }, response and response.usage), metadata)
end

-- ---- tools ------------------------------------------------------------------------------------------

local function of_call(run, fields)
  local round = { name = fields.round, idx = fields.idx, iteration = fields.iteration }
  local metadata = M.of_turn(run, round, fields.member)
  metadata.model, metadata.provider = nil, nil
  metadata.tool, metadata.call_id = fields.call.name, fields.call.id
  return metadata
end

function tellers.tool_call_request(run, _, _, fields)
  if on["tool.execute.start"] then emit("tool.execute.start", NOTHING, of_call(run, fields)) end
end

function tellers.tool_call_result(run, _, _, fields)
  local measured = { duration_us = us(fields.duration_ms) }
  if fields.error and on["tool.execute.exception"] then
    local metadata = of_call(run, fields)
    metadata.error = fields.error
    emit("tool.execute.exception", measured, metadata)
  end
  if on["tool.execute.stop"] then emit("tool.execute.stop", measured, of_call(run, fields)) end
end

--- Tells what the log of a run was told.
---@param run curia.Run
---@param kind string type of the event
---@param round table|false
---@param member_id string|false
---@param value any
function M.tell(run, kind, round, member_id, value)
  local teller = tellers[kind]
  if teller then teller(run, round, member_id, value) end
end

return M
