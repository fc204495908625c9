--- The tries of one request: each an attempt, with waits between them, then the member's fallback models (SPEC 10).
local lazy = require "curia.lazy"
local answer = require "curia.engine.answer"
local attempts = require "curia.engine.attempt"
local call = require "curia.engine.call"
local effects = lazy "curia.durable.effects"
local errors = require "curia.errors"
local requests = require "curia.engine.request"
local retry = require "curia.engine.retry"
local task = require "curia.task"

local M = {}

local function policy_of(turn, model)
  local run = turn.run
  return retry.policy(turn.retry, model.retry, turn.round.retry, run.opts.retry, run.plan.spec.retry,
    run.config:get("default_retry"))
end

-- Whether a streamed answer has begun, which nothing may replace then.
local function has_begun(model, attempt)
  return attempt.content_seen and model.stream and not model.restart_stream
end

-- A silence is forgiven once in a request.
local function silent_again(turn, err)
  if err.code ~= "ESILENCE" then return false end
  local again = turn.silent
  turn.silent = true
  return again
end

local function is_chair(turn)
  local chair = turn.run.plan.chair
  return chair ~= nil and turn.member.id == chair.id
end

-- How long to wait before the next try, or nil: why there is none stays in the error.
local function next_wait(turn, model, attempt, err, tried)
  local run, policy = turn.run, policy_of(turn, model)
  if tried >= policy.attempts or not retry.retryable(err) then return nil end
  if has_begun(model, attempt) or silent_again(turn, err) then return nil end
  if (err.retry_after_ms or 0) > retry.LONGEST_HINT_MS then return nil end
  local wait_ms = retry.wait_ms(policy, tried, err, function() return run:retry_dice():number() end)
  local left = run:time_left_ms(turn.deadline_at)
  if left and wait_ms >= left then return nil end
  return run.retries:retry(is_chair(turn)) and wait_ms or nil
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

-- `model`: the one that is asked next.
local function tell_retry(turn, model, attempt, err, wait_ms)
  local log, round, id = turn.run.log, turn.round, turn.member.id
  log:emit("member_retry", {
    round = round.name, idx = round.idx, iteration = round.iteration, ask = round.ask, member = id,
    attempt = turn.attempts, error = M.place(turn, err), wait_ms = wait_ms, model = model.model,
  })
  turn.run.attempts[turn] = nil
  if wait_ms > 0 then task.sleep(wait_ms) end
  if attempt.content_seen then log:tell("member_restarted", round, id) end
end

-- One attempt. Within a budget it claims first what it may use, and settles what it has used.
local function attempt_once(turn, model, request)
  local run, claim, refused = turn.run, nil, nil
  if run.budget then claim, refused = run.budget:claim(model, request, is_chair(turn)) end
  if refused then return nil, refused end
  local guard <close> = claim
  local attempt = attempts.new(turn)
  if claim then claim.attempt = attempt end
  local ask = run.journal and effects.attempt or call.attempt
  local response, err = ask(attempt, model, request, run.prices)
  if claim and attempt.sent then claim:settle(response, attempt.content_seen) end
  if not response then return nil, err, attempt end
  run:add_usage(response)
  local fault = answer.fault(response, model, request.tools ~= nil and request.tool_choice ~= "none")
  if not fault then return response end
  turn.answered = response -- what was paid for is kept, also where it is no answer
  return nil, fault, attempt
end

-- What ends a turn whichever model is asked: the run's own end, its budget, and what is wrong with the request.
local FINAL = { cancelled = true, deadline = true, budget = true, script = true, validation = true, internal = true }

-- The next of the member's fallback models: each is asked before its first byte, and none once an answer has begun.
local function next_model(turn, model, attempt, err)
  local fallback = turn.member.fallback
  if not fallback or FINAL[err.kind] or has_begun(model, attempt) then return nil end
  turn.fallback_place = (turn.fallback_place or 0) + 1
  return fallback[turn.fallback_place]
end

-- What is tried next: the same model after a wait, or another one at once; nil: nothing.
local function next_try(turn, model, attempt, err, tried)
  local wait_ms = next_wait(turn, model, attempt, err, tried)
  if wait_ms then return model, wait_ms end
  return next_model(turn, model, attempt, err), 0
end

local function tell_request(turn, request)
  local log, round = turn.run.log, turn.round
  if log.request_watchers == 0 then return end
  log:request { round = round.name, idx = round.idx, iteration = round.iteration, member = turn.member.id,
    messages = request.messages }
end

--- The response to one request: tries it as long as the policy, the budget and the time allow, then asks the
--- member's fallback models. A turn that has fallen back stays with its new model, whose conversation it is then.
---@async
---@param turn curia.Turn
---@param request table neutral request
---@return table? response
---@return curia.Error? err
function M.answer(turn, request)
  tell_request(turn, request)
  local model, tried, retries = turn.model or turn.member, 0, turn.run.retries
  if turn.model then request = requests.to(model, request) end
  if turn.silent then turn.silent = nil end
  retries:call()
  while true do
    local response, err, attempt = attempt_once(turn, model, request)
    if response then return response end
    tried = tried + 1
    local following, wait_ms = next_try(turn, model, attempt, err, tried)
    if not following then return nil, err end
    tell_retry(turn, following, attempt, err, wait_ms)
    if following ~= model then
      model, request, tried = following, requests.to(following, request), 0
      turn.model, turn.silent, turn.answered = model, nil, nil
      retries:call()
    end
  end
end

return M
