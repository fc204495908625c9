--- What makes an answer of a response: the round reads it, the member's own check judges it (SPEC 7).
local conversation = require "curia.engine.conversation"
local user_code = require "curia.engine.user_code"

local M = {}

local function parsed(turn, response)
  local what = "parse of round " .. turn.round.name
  local ok, value, why = user_code.try(what, turn.parse, turn.ctx, turn.member, response)
  if not ok then return nil, value end
  if why ~= nil then return nil, user_code.error_of(what, why, "invalid_output") end
  if value ~= nil then response.parsed = value end
  return response
end

-- What a member says of its own answer is no part of it.
local function without_statement(turn, response)
  local err = turn:read(response)
  if not err then return response end
  turn.answered = response
  return nil, err
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

--- Whether a response is an answer: the round reads it, then the member's own check.
---@param turn curia.Turn
---@param response table
---@return table? response
---@return curia.Error? err
function M.judge(turn, response)
  if turn.read then
    local good, err = without_statement(turn, response)
    if not good then return nil, err end
  end
  if not turn.parse and not turn.member.validate then return response end
  turn.answered = response -- what was paid for is kept, also if it turns out to be no answer
  if turn.parse then
    local good, err = parsed(turn, response)
    if not good then return nil, err end
  end
  if turn.member.validate then return validated(turn, response) end
  return response
end

--- A member's answer to a request.
---@async
---@param turn curia.Turn
---@param request table neutral request
---@return table? response
---@return curia.Error? err
function M.answer(turn, request)
  local response, err = conversation.answer(turn, request)
  if not response then return nil, err end
  return M.judge(turn, response)
end

return M
