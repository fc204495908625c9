--- What makes an answer of a response: the schema, the round's reading, the member's own check. An answer that is
--- none goes back to the member with its faults (SPEC 7).
local conversation = require "curia.engine.conversation"
local errors = require "curia.errors"
local parsed = require "curia.engine.parsed"
local prompts = require "curia.prompts"
local requests = require "curia.engine.request"
local results = require "curia.engine.result"
local schemas = require "curia.schema"
local tries = require "curia.engine.tries"
local user_code = require "curia.engine.user_code"

local M = {}

local REPAIRS = 1

-- A member's schema is the form of its answers, not of its ballots and reviews: those are the round's.
local function schema_of(turn)
  local own = turn.schema or turn.round.schema
  if own or not turn.member.schema then return own end
  return not turn.round.module.texts and turn.member.schema or nil
end

local function is_judged(turn)
  return turn.parse or turn.read or turn.member.validate or schema_of(turn)
end

--- Puts the schema of the answer into a request, in the provider's way.
---@param turn curia.Turn
---@param request table neutral request; changed
function M.prepare(turn, request)
  local schema = schema_of(turn)
  if schema then requests.ask_for(request, schema, turn.member) end
end

-- ---- judging ----------------------------------------------------------------------------------------

local function form_error(turn, response, faults)
  local first = faults[1]
  local place = first.path == "" and "it" or first.path
  local more = #faults > 1 and (" (and %d more)"):format(#faults - 1) or ""
  return errors.new("invalid_output",
    ("member %s: the answer does not fit its schema: %s %s%s"):format(turn.member.id, place, first.message, more),
    { code = response.finish_reason == "length" and "length" or "schema", context = { faults = faults } })
end

local function fit(turn, response, schema)
  local value, faults = parsed.read(response, schema)
  if faults then return form_error(turn, response, faults) end
  response.parsed = value
end

local function read(turn, response)
  local what = "parse of round " .. turn.round.name
  local ok, value, why = user_code.try(what, turn.parse, turn.ctx, turn.member, response)
  if not ok then return value end
  if why ~= nil then return user_code.error_of(what, why, "invalid_output") end
  if value ~= nil then response.parsed = value end
end

local function refusal(turn, why)
  if errors.is(why) then return why end
  local message = why == nil and "the answer did not validate" or tostring(why)
  return errors.new("invalid_output", ("member %s: %s"):format(turn.member.id, message),
    { code = "validate", context = { faults = { { path = "", keyword = "validate", message = message } } } })
end

local function validate(turn, response)
  local what = "validate of member " .. turn.member.id
  local answered = response.parsed
  if answered == nil then answered = response.content end
  local ok, good, why = user_code.try(what, turn.member.validate, answered)
  if not ok then return good end
  if not good then return refusal(turn, why) end
end

--- Whether a response is an answer: it fits the schema, the round can read it, the member's own check agrees.
---@param turn curia.Turn
---@param response table gets `parsed`
---@return table? response
---@return curia.Error? err
function M.judge(turn, response)
  if not is_judged(turn) then return response end
  turn.answered = response -- what was paid for is kept, also if it turns out to be no answer
  local schema = schema_of(turn)
  local err = turn.read and turn:read(response) -- what a member says of its own answer is no part of it
  if not err and schema then err = fit(turn, response, schema) end
  if not err and turn.parse then err = read(turn, response) end
  if not err and turn.member.validate then err = validate(turn, response) end
  if err then return nil, err end
  return response
end

-- ---- asking again -----------------------------------------------------------------------------------

-- Faults can be named to the member; other errors are not its own to mend.
local function is_repairable(err)
  return err ~= nil and err.kind == "invalid_output" and err.context ~= nil and err.context.faults ~= nil
end

local function tell(turn, err)
  local log, round, id = turn.run.log, turn.round, turn.member.id
  log:emit("member_retry", {
    round = round.name, idx = round.idx, iteration = round.iteration, ask = round.ask, member = id,
    attempt = turn.attempts, error = tries.place(turn, err), wait_ms = 0,
  })
  if turn.member.stream then log:tell("member_restarted", round, id) end
end

local function ask_again(turn, request, response, err)
  tell(turn, err)
  local text = prompts.repair(schemas.text(err.context.faults), schema_of(turn) ~= nil)
  request = requests.follow_up(request, response, text)
  return request, conversation.answer(turn, request)
end

-- The answer that counts carries what all asks have used.
local function settle(response, totals)
  response.usage, response.cost = totals.usage, results.cost_of(totals)
end

local function repaired(turn, request, response, err)
  local totals, good = { usage = {}, unpriced = 0 }, nil
  results.add_usage(totals, response)
  for _ = 1, turn.member.repair or REPAIRS do
    local again, failure
    request, again, failure = ask_again(turn, request, response, err)
    if not again then
      settle(response, totals)
      return nil, failure
    end
    response = again
    results.add_usage(totals, response)
    good, err = M.judge(turn, response)
    if not is_repairable(err) then break end
  end
  settle(response, totals)
  return good, err
end

--- A member's answer to a prepared request.
---@async
---@param turn curia.Turn
---@param request table neutral request
---@return table? response
---@return curia.Error? err
function M.answer(turn, request)
  -- Tail calls: turns that wait have small stacks.
  if not is_judged(turn) then return conversation.answer(turn, request) end
  local response, err = conversation.answer(turn, request)
  if not response then return nil, err end
  local good
  good, err = M.judge(turn, response)
  if is_repairable(err) then return repaired(turn, request, response, err) end
  return good, err
end

return M
