--- A member's turn: from its input to a member result. A provider's failure is a result, never a
--- raise; only cancellation raises.
local answer = require "curia.engine.answer"
local clock = require "curia.core.clock"
local confidence = require "curia.engine.confidence"
local errors = require "curia.errors"
local prompts = require "curia.prompts"
local redact = require "curia.redact"
local requests = require "curia.engine.request"
local structured = require "curia.engine.structured"
local sub_council = require "curia.engine.sub_council"
local tries = require "curia.engine.tries"
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
---@field confidence? number 0 to 1, of members that are measured

local function started(turn)
  turn.run:set_member(turn.member.id, "running")
  turn.run.log:tell("member_started", turn.round, turn.member.id, turn.member.model)
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
  local response = as_response(value)
  local fault = answer.fault(response, turn.member)
  if fault then
    turn.answered = response
    return nil, fault
  end
  return structured.judge(turn, response)
end

-- Its usage is counted by the inner run.
local function run_council(turn)
  local response, err = sub_council.answer(turn)
  if not response then return nil, err end
  return structured.judge(turn, response)
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
  if turn.member.council then return run_council(turn) end
  local request, err = requests.of(turn)
  if not request then return nil, err end
  structured.prepare(turn, request)
  if turn.member.confidence then confidence.prepare(turn, request) end
  return structured.answer(turn, request)
end

-- The member's own, and what the turn has to tell besides.
local function metadata_of(turn)
  local metadata = { tool_calls = turn.tool_calls }
  for name, value in pairs(turn.member.metadata or {}) do metadata[name] = value end
  for name, value in pairs(turn.metadata or {}) do metadata[name] = value end
  return metadata
end

-- Eight fields, and more only where there is more to tell: results stay as long as their run.
local function result_of(turn, status, response)
  local member, asked, duration_us = turn.member, turn.model or turn.member, clock.us() - turn.started_us
  local result = {
    member = member.id, attempts = turn.attempts, started_at = clock.wall_ms() - duration_us // 1000,
    duration_ms = duration_us / 1000, model = response and response.model or asked.model,
    provider = asked.provider_name, status = status, response = response,
  }
  if turn.first_token_ms then result.first_token_ms = turn.first_token_ms end
  if turn.metadata or turn.tool_calls then result.metadata = metadata_of(turn)
  elseif member.metadata then result.metadata = member.metadata end
  return result
end

local function failed(turn, err)
  err = tries.place(turn, err)
  if err.kind == "script" then err.message = redact.text(err.message) end
  local result = result_of(turn, STATUS_OF[err.kind] or "error", turn.answered)
  result.error = err
  return result
end

local function settle(turn, response, err)
  if not response then return failed(turn, err) end
  if not turn.member.confidence then return result_of(turn, "ok", response) end
  local found = confidence.measure(turn, response)
  local result = result_of(turn, "ok", response)
  return found and confidence.tell(result, found) or result
end

-- An answer that was there when its turn was cut short is kept; only its confidence was not waited for.
local function unmeasured(turn, why)
  return confidence.tell(result_of(turn, "ok", turn.answer), { why = why })
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
---@field attempts integer tries so far, of all its requests
---@field model? table the fallback that is asked in the member's place
---@field started_us? integer
---@field answered? table a response that may turn out to be no answer
---@field answer? table a response that is one, while its confidence is measured
---@field read? fun(turn: curia.Turn, response: table): curia.Error? takes the stated confidence out of a response
---@field pilot? curia.Pilot others wait until this turn's answer begins
---@field follows? curia.Pilot
---@field retry? table stronger than all other policies
---@field deadline_ms? number of this turn
---@field seed? integer instead of the member's own
---@field metadata? table what the result's metadata tells besides the member's own
---@field tool_rounds? integer responses whose calls were answered, where the member has tools
---@field tool_calls? table[] what was called so far
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
  if turn.answer then return unmeasured(turn, err.message) end
  return failed(turn, err)
end

--- The result of a member that was not asked, or whose answer was not waited for.
---@param turn curia.Turn
---@param reason string
---@return curia.MemberResult
function M.skipped(turn, reason)
  begin(turn)
  if turn.answer then return unmeasured(turn, reason) end
  local result = result_of(turn, "skipped", nil)
  result.metadata = { reason = reason }
  return result
end

return M
