--- A member's turn: from its input to a member result. A provider's failure is a result, never a
--- raise; only cancellation raises.
local answer = require "curia.engine.answer"
local attempts = require "curia.engine.attempt"
local call = require "curia.engine.call"
local clock = require "curia.core.clock"
local errors = require "curia.errors"
local prompts = require "curia.prompts"
local redact = require "curia.redact"
local requests = require "curia.engine.request"
local retry = require "curia.engine.retry"
local task = require "curia.task"
local user_code = require "curia.engine.user_code"

local M = {}

local STATUS_OF = { timeout = "timeout", deadline = "timeout", invalid_output = "invalid_output" }

---@class curia.MemberResult
---@field member string
---@field status "ok"|"error"|"timeout"|"skipped"|"invalid_output"|"eliminated"
---@field response? table
---@field error? curia.Error
---@field attempts integer
---@field started_at integer Unix ms
---@field duration_ms number
---@field first_token_ms? number

local function started(turn)
  turn.run:set_member(turn.member.id, "running")
  turn.run.log:tell("member_started", turn.round, turn.member.id, turn.member.model)
end

-- ---- trying -------------------------------------------------------------------------------------

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
local function next_wait(turn, attempt, err)
  local run, policy = turn.run, policy_of(turn)
  if turn.attempts >= policy.attempts or not retry.retryable(err) or too_late(turn, attempt, err) then return nil end
  if (err.retry_after_ms or 0) > retry.LONGEST_HINT_MS then return nil end
  local wait_ms = retry.wait_ms(policy, turn.attempts, err, function() return run:retry_dice():number() end)
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

-- Says where an error happened. One that users give again and again belongs to each turn anew.
local function place(turn, err)
  if err.member and err.member ~= turn.member.id then err = copy_of(err) end
  err.member, err.round, err.attempts = turn.member.id, turn.round.name, turn.attempts
  err.provider = err.provider or turn.member.provider_name
  return err
end

local function wait_and_tell(turn, attempt, err, wait_ms)
  local log, round, id = turn.run.log, turn.round, turn.member.id
  log:emit("member_retry", {
    round = round.name, idx = round.idx, iteration = round.iteration, member = id,
    attempt = turn.attempts, error = place(turn, err), wait_ms = wait_ms,
  })
  turn.run.attempts[turn] = nil
  task.sleep(wait_ms)
  if attempt.content_seen then log:tell("member_restarted", round, id) end
end

local function parsed(turn, response)
  local what = "parse of round " .. turn.round.name
  local ok, value, why = user_code.try(what, turn.parse, turn.ctx, turn.member, response)
  if not ok then return nil, value end
  if why ~= nil then return nil, user_code.error_of(what, why, "invalid_output") end
  if value ~= nil then response.parsed = value end
  return response
end

local function validated(turn, response)
  local what = "validate of member " .. turn.member.id
  local answered = response.parsed
  if answered == nil then answered = response.content end
  local ok, good, why = user_code.try(what, turn.member.validate, answered)
  if not ok then return nil, good end
  if good then return response end
  return nil, user_code.error_of("member " .. turn.member.id, why or "the answer did not validate", "invalid_output")
end

-- Whether a response is an answer; the round reads it, then the member's own check.
local function judge(turn, response)
  local fault = answer.fault(response, turn.member)
  if not fault and not turn.parse and not turn.member.validate then return response end
  turn.answered = response -- what was paid for is kept, also if it turns out to be no answer
  if fault then return nil, fault end
  if turn.parse then
    local good, err = parsed(turn, response)
    if not good then return nil, err end
  end
  if turn.member.validate then return validated(turn, response) end
  return response
end

local function attempt_once(turn, attempt, request)
  local run = turn.run
  local response, err = call.attempt(attempt, turn.member, request, run.prices)
  if not response then return nil, err end
  run:add_usage(response)
  return judge(turn, response)
end

local function tell_request(turn, request)
  local log, round = turn.run.log, turn.round
  if log.request_watchers == 0 then return end
  log:request { round = round.name, idx = round.idx, iteration = round.iteration, member = turn.member.id,
    messages = request.messages }
end

local function try(turn, request)
  turn.run.retries:call()
  tell_request(turn, request)
  while true do
    turn.attempts = turn.attempts + 1
    local attempt = attempts.new(turn)
    local response, err = attempt_once(turn, attempt, request)
    if response then return response end
    local wait_ms = next_wait(turn, attempt, err)
    if not wait_ms then return nil, err end
    wait_and_tell(turn, attempt, err, wait_ms)
  end
end

-- ---- the turn -----------------------------------------------------------------------------------

local function as_response(value)
  if type(value) == "table" and type(value.content) == "string" then return value end
  if type(value) == "string" then return { content = value, finish_reason = "stop" } end
  return { content = prompts.question(value), parsed = value, finish_reason = "stop" }
end

-- A member in plain Lua: its function's value is its answer.
local function run_function(turn)
  turn.attempts = 1
  local value, err = user_code.call("member " .. turn.member.id, turn.member.run, turn.ctx, turn.ctx.input)
  if err then return nil, err end
  if value == nil then return nil, errors.new("invalid_output", "member " .. turn.member.id .. " gave no answer") end
  return judge(turn, as_response(value))
end

local function transformed(turn)
  local member, ctx = turn.member, turn.ctx
  local input, err = user_code.call("transform of member " .. member.id, member.transform, ctx.input, ctx)
  if err then return nil, err end
  turn.ctx = setmetatable({ input = input }, { __index = ctx })
  return true
end

local function respond(turn)
  if turn.member.transform then
    local ok, err = transformed(turn)
    if not ok then return nil, err end
  end
  if turn.member.run then return run_function(turn) end
  local request, err = requests.of(turn)
  if not request then return nil, err end
  return try(turn, request)
end

-- Eight fields, and more only where there is more to tell: results stay as long as their run.
local function result_of(turn, status, response)
  local member, duration_us = turn.member, clock.us() - turn.started_us
  local result = {
    member = member.id, attempts = turn.attempts, started_at = clock.wall_ms() - duration_us // 1000,
    duration_ms = duration_us / 1000, model = response and response.model or member.model,
    provider = member.provider_name, status = status, response = response,
  }
  if turn.first_token_ms then result.first_token_ms = turn.first_token_ms end
  if member.metadata then result.metadata = member.metadata end
  return result
end

local function failed(turn, err)
  err = place(turn, err)
  if err.kind == "script" then err.message = redact.text(err.message) end
  local result = result_of(turn, STATUS_OF[err.kind] or "error", turn.answered)
  result.error = err
  return result
end

local function settle(turn, response, err)
  if response then return result_of(turn, "ok", response) end
  return failed(turn, err)
end

local function begin(turn)
  turn.started_us = turn.started_us or clock.us()
end

---@class curia.Turn
---@field run curia.Run
---@field ctx curia.Ctx
---@field round table planned round
---@field member table planned member
---@field build fun(ctx: curia.Ctx, member: table): any
---@field parse? function
---@field attempts integer tries so far
---@field started_us? integer
---@field answered? table a response that may turn out to be no answer
---@field retry? table stronger than all other policies
---@field deadline_ms? number of this turn
---@field cut? {reason?: string, kind?: string, message?: string} why it was cut short from outside

--- A turn that has not begun.
---@param ctx curia.Ctx
---@param round table
---@param member table
---@param build function
---@param parse? function
---@return curia.Turn
function M.new_turn(ctx, round, member, build, parse)
  return { -- in one piece with what every turn gets later: eight fields
    run = ctx._run, ctx = ctx, round = round, member = member, build = build, parse = parse, attempts = 0,
    started_us = nil,
  }
end

--- Takes the turn; runs in the member's own task.
---@async
---@param turn curia.Turn
---@return curia.MemberResult
function M.take_turn(turn)
  begin(turn)
  started(turn)
  return settle(turn, respond(turn))
end

--- The result of a member whose turn was cut short from outside.
---@param turn curia.Turn
---@param err curia.Error
---@return curia.MemberResult
function M.cut_short(turn, err)
  begin(turn)
  return failed(turn, err)
end

--- The result of a member that was not asked, or whose answer was not waited for.
---@param turn curia.Turn
---@param reason string
---@return curia.MemberResult
function M.skipped(turn, reason)
  begin(turn)
  local result = result_of(turn, "skipped", nil)
  result.metadata = { reason = reason }
  return result
end

return M
