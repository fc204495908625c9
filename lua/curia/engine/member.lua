--- A member's turn: from its input to a member result. A provider's failure is a result, never a
--- raise; only cancellation raises.
local answer = require "curia.engine.answer"
local call = require "curia.engine.call"
local clock = require "curia.core.clock"
local errors = require "curia.errors"
local prompts = require "curia.prompts"
local redact = require "curia.redact"
local retry = require "curia.engine.retry"
local task = require "curia.task"

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

-- ---- the request --------------------------------------------------------------------------------

local function call_user_code(what, fn, ...)
  local ok, value, err = xpcall(fn, function(message)
    if errors.is(message) then return message end
    return errors.new("script", ("%s: %s"):format(what, tostring(message)), { traceback = debug.traceback() })
  end, ...)
  if not ok then return nil, value end
  return value, err
end
M.call_user_code = call_user_code

local function system_text(member, input, ctx)
  local system = member.system
  if type(system) == "function" then return call_user_code("system of member " .. member.id, system, input, ctx) end
  if system then return system end
  local role = member.role
  if type(role) == "function" then
    local text, err = call_user_code("role of member " .. member.id, role, input, ctx)
    if err then return nil, err end
    role = text
  end
  return role and prompts.role(role) or nil
end

local function as_messages(built)
  if type(built) == "string" then return { { role = "user", content = built } } end
  if type(built) == "table" and built[1] and built[1].role then return built end
  return { { role = "user", content = prompts.question(built) } }
end

local function with_system(messages, system)
  if not system or system == "" or messages[1].role == "system" then return messages end
  local all = { { role = "system", content = system } }
  return table.move(messages, 1, #messages, 2, all)
end

local function stop_list(stop)
  if type(stop) == "string" then return { stop } end
  return stop
end

-- What of a request is the member's own and the same each time; requests fall back on it.
local request_bases = setmetatable({}, { __mode = "k" })

local function request_base(member)
  local base = request_bases[member]
  if not base then
    base = { __index = {
      model = member.model, temperature = member.temperature, top_p = member.top_p,
      max_tokens = member.max_tokens, seed = member.seed, stop = stop_list(member.stop),
      reasoning = member.reasoning, stream = member.stream, cache = member.cache, extra = member.extra,
      member = member.id,
    } }
    request_bases[member] = base
  end
  return base
end

local function new_request(turn, messages)
  return setmetatable({ messages = messages, round = turn.round.name, run_id = turn.run.id }, request_base(turn.member))
end

-- ---- events -------------------------------------------------------------------------------------

local function started(turn)
  turn.run.log:tell("member_started", turn.round, turn.member.id, "model", turn.member.model)
end

-- A token event when somebody watches; the byte offset counts every byte, watched or not.
local function on_delta(attempt, kind, text, finish_reason)
  local turn = attempt.turn
  if not turn.first_token_ms and text ~= "" then
    turn.first_token_ms = (clock.us() - turn.started_us) / 1000
  end
  if kind == "content" and text ~= "" then attempt.content_seen = true end
  local index = attempt[kind] or 0
  attempt[kind] = index + #text
  if turn.run.log.token_watchers == 0 or kind == "tool_args" then return end
  local pieces = attempt.pieces[kind] or {}
  attempt.pieces[kind] = pieces
  pieces[#pieces + 1] = text
  turn.run.log:token {
    round = turn.round.name, idx = turn.round.idx, iteration = turn.round.iteration, member = turn.member.id,
    text = text, kind = kind, index = index, attempt = turn.attempts, finish_reason = finish_reason,
  }
end

local NO_PIECES = {}

-- An attempt of a member that does not stream has no pieces to keep.
local function new_attempt(turn)
  local run = turn.run
  local attempt = {
    turn = turn, on_delta = on_delta, content_seen = false, pieces = turn.member.stream and {} or NO_PIECES,
    watch = run.log.token_watchers > 0, prices = run.prices, started_us = false, exchange = false,
  }
  run.attempts[turn] = attempt
  return attempt
end

-- ---- trying -------------------------------------------------------------------------------------

local function policy_of(turn)
  local run = turn.run
  return retry.policy(turn.member.retry, turn.round.retry, run.opts.retry, run.plan.spec.retry,
    run.config:get("default_retry"))
end

-- How long to wait before the next try, or nil: why there is none stays in the error.
local function next_wait(turn, attempt, err)
  local member, policy = turn.member, policy_of(turn)
  if turn.attempts >= policy.attempts or not retry.retryable(err) then return nil end
  if attempt.content_seen and member.stream and not member.restart_stream then return nil end
  if err.code == "ESILENCE" then
    if turn.silent then return nil end
    turn.silent = true
  end
  local wait_ms = retry.wait_ms(policy, turn.attempts, err, function() return turn.run.random:number() end)
  local left = turn.run:time_left_ms(turn.deadline_at)
  if left and wait_ms >= left then return nil end
  if not turn.run.retries:retry(turn.is_chair) then return nil end
  return wait_ms
end

local function wait_and_tell(turn, attempt, err, wait_ms)
  local fields = { round = turn.round.name, idx = turn.round.idx, iteration = turn.round.iteration, member = turn.member.id }
  turn.run.log:emit("member_retry", {
    round = fields.round, idx = fields.idx, iteration = fields.iteration, member = fields.member,
    attempt = turn.attempts, error = err, wait_ms = wait_ms,
  })
  task.sleep(wait_ms)
  if attempt.content_seen then turn.run.log:emit("member_restarted", fields) end
end

local function judge(turn, response)
  local fault = answer.fault(response, turn.member)
  if fault then return nil, fault end
  local parse = turn.parse
  if parse then
    local parsed, err = call_user_code("parse of round " .. turn.round.name, parse, turn.ctx, turn.member, response)
    if err then return nil, err end
    if parsed ~= nil then response.parsed = parsed end
  end
  local validate = turn.member.validate
  if not validate then return response end
  local good, why = call_user_code("validate of member " .. turn.member.id, validate,
    response.parsed ~= nil and response.parsed or response.content)
  if good then return response end
  if errors.is(why) then return nil, why end
  return nil, errors.new("invalid_output", ("member %s: %s"):format(turn.member.id, why or "the answer did not validate"))
end

local function try(turn, request)
  turn.run.retries:call()
  while true do
    turn.attempts = turn.attempts + 1
    local attempt = new_attempt(turn)
    local response, err = call.attempt(attempt, turn.member, request)
    turn.run.attempts[turn] = nil
    if response then
      turn.run:add_usage(response)
      turn.answered = response
      return judge(turn, response)
    end
    local wait_ms = next_wait(turn, attempt, err)
    if not wait_ms then return nil, err end
    wait_and_tell(turn, attempt, err, wait_ms)
  end
end

-- ---- the turn -----------------------------------------------------------------------------------

-- A member in plain Lua: its function's value is its answer.
local function run_function(turn)
  turn.attempts = 1
  local value, err = call_user_code("member " .. turn.member.id, turn.member.run, turn.ctx, turn.ctx.input)
  if err then return nil, errors.is(err) and err or errors.new("script", tostring(err)) end
  if value == nil then return nil, errors.new("invalid_output", "member " .. turn.member.id .. " gave no answer") end
  if type(value) == "table" and value.content then return value end
  return { content = type(value) == "string" and value or prompts.question(value),
    parsed = type(value) ~= "string" and value or nil, finish_reason = "stop" }
end

local function respond(turn)
  local member, ctx = turn.member, turn.ctx
  if member.transform then
    local input, err = call_user_code("transform of member " .. member.id, member.transform, ctx.input, ctx)
    if err then return nil, err end
    ctx = setmetatable({ input = input }, { __index = ctx })
    turn.ctx = ctx
  end
  if member.run then return run_function(turn) end
  local built, err = turn.build(ctx, member)
  if err or built == nil then return nil, err or errors.new("script", "the round built no messages") end
  local system
  system, err = system_text(member, ctx.input, ctx)
  if err then return nil, err end
  return try(turn, new_request(turn, with_system(as_messages(built), system)))
end

local function settle(turn, response, err)
  local member = turn.member
  local result = {
    member = member.id, attempts = turn.attempts, started_at = turn.started_at,
    duration_ms = (clock.us() - turn.started_us) / 1000, first_token_ms = turn.first_token_ms,
    model = response and response.model or member.model, provider = member.provider_name,
    metadata = member.metadata, status = "ok", response = response, error = nil,
  }
  if response then return result end
  err.member, err.round, err.attempts = member.id, turn.round.name, turn.attempts
  err.provider = err.provider or member.provider_name
  if err.kind == "script" then err.message = redact.text(err.message) end
  result.status, result.error = STATUS_OF[err.kind] or "error", err
  result.response = turn.answered -- what was paid for is kept, though it is no answer
  return result
end

---@class curia.Turn
---@field run curia.Run
---@field ctx curia.Ctx
---@field round table planned round
---@field member table planned member
---@field build fun(ctx: curia.Ctx, member: table): any
---@field parse? function
---@field is_chair boolean
---@field attempts integer tries so far

--- A turn that has not begun.
---@param ctx curia.Ctx
---@param round table
---@param member table
---@param build function
---@param parse? function
---@return curia.Turn
function M.new_turn(ctx, round, member, build, parse)
  local run = ctx._run
  return {
    run = run, ctx = ctx, round = round, member = member, build = build, parse = parse,
    is_chair = member == run.plan.chair, attempts = 0,
    -- set while it goes on; named here so that the table is made in one piece
    started_at = nil, started_us = nil, deadline_at = nil, first_token_ms = nil, answered = nil, cut = nil,
  }
end

--- Takes the turn; runs in the member's own task.
---@async
---@param turn curia.Turn
---@return curia.MemberResult
function M.take_turn(turn)
  turn.started_at, turn.started_us = clock.wall_ms(), clock.us()
  started(turn)
  local response, err = respond(turn)
  turn.run.attempts[turn] = nil
  return settle(turn, response, err)
end

--- The result of a member whose turn was cut short from outside.
---@param turn table
---@param err curia.Error
---@param status? string
---@return curia.MemberResult
function M.cut_short(turn, err, status)
  turn.started_at = turn.started_at or clock.wall_ms()
  turn.started_us = turn.started_us or clock.us()
  local result = settle(turn, nil, err)
  if status then result.status = status end
  return result
end

return M
