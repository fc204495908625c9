--- The tries of one request: each an attempt, with waits between them (SPEC 10).
local answer = require "curia.engine.answer"
local attempts = require "curia.engine.attempt"
local call = require "curia.engine.call"
local errors = require "curia.errors"
local retry = require "curia.engine.retry"
local task = require "curia.task"

local M = {}

local function policy_of(turn)
  local run = turn.run
  return retry.policy(turn.retry, turn.member.retry, turn.round.retry, run.opts.retry, run.plan.spec.retry,
    run.config:get("default_retry"))
end

-- Whether a streamed answer has begun, or a silence has been forgiven once.
local function too_late(turn, attempt, err)
  local member = turn.member
  if attempt.content_seen and member.stream and not member.restart_stream then return true end
  if err.code ~= "ESILENCE" then return false end
  local again = turn.silent
  turn.silent = true
  return again
end

-- How long to wait before the next try, or nil: why there is none stays in the error.
local function next_wait(turn, attempt, err, tried)
  local run, policy = turn.run, policy_of(turn)
  if tried >= policy.attempts or not retry.retryable(err) or too_late(turn, attempt, err) then return nil end
  if (err.retry_after_ms or 0) > retry.LONGEST_HINT_MS then return nil end
  local wait_ms = retry.wait_ms(policy, tried, err, function() return run:retry_dice():number() end)
  local left = run:time_left_ms(turn.deadline_at)
  if left and wait_ms >= left then return nil end
  local is_chair = turn.member == run.plan.chair
  return run.retries:retry(is_chair) and wait_ms or nil
end

local function copy_of(err)
  local copy = {}
  for name, value in pairs(err) do copy[name] = value end
  return errors.wrap(copy)
end

--- Says where an error happened. One that users give again and again belongs to each turn anew.
---@param turn curia.Turn
---@param err curia.Error
---@return curia.Error
function M.place(turn, err)
  if err.member and err.member ~= turn.member.id then err = copy_of(err) end
  err.member, err.round, err.attempts = turn.member.id, turn.round.name, turn.attempts
  err.provider = err.provider or turn.member.provider_name
  return err
end

local function wait_and_tell(turn, attempt, err, wait_ms)
  local log, round, id = turn.run.log, turn.round, turn.member.id
  log:emit("member_retry", {
    round = round.name, idx = round.idx, iteration = round.iteration, member = id,
    attempt = turn.attempts, error = M.place(turn, err), wait_ms = wait_ms,
  })
  turn.run.attempts[turn] = nil
  task.sleep(wait_ms)
  if attempt.content_seen then log:tell("member_restarted", round, id) end
end

local function attempt_once(turn, attempt, request)
  local run = turn.run
  local response, err = call.attempt(attempt, turn.member, request, run.prices)
  if not response then return nil, err end
  run:add_usage(response)
  local fault = answer.fault(response, turn.member, request.tools ~= nil and request.tool_choice ~= "none")
  if not fault then return response end
  turn.answered = response -- what was paid for is kept, also where it is no answer
  return nil, fault
end

local function tell_request(turn, request)
  local log, round = turn.run.log, turn.round
  if log.request_watchers == 0 then return end
  log:request { round = round.name, idx = round.idx, iteration = round.iteration, member = turn.member.id,
    messages = request.messages }
end

--- The response to one request: tries it as long as the policy, the budget and the time allow.
---@async
---@param turn curia.Turn
---@param request table neutral request
---@return table? response
---@return curia.Error? err
function M.answer(turn, request)
  turn.run.retries:call()
  tell_request(turn, request)
  local before = turn.attempts
  while true do
    turn.attempts = turn.attempts + 1
    local attempt = attempts.new(turn)
    local response, err = attempt_once(turn, attempt, request)
    if response then return response end
    local wait_ms = next_wait(turn, attempt, err, turn.attempts - before)
    if not wait_ms then return nil, err end
    wait_and_tell(turn, attempt, err, wait_ms)
  end
end

return M
