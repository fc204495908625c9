--- A member that is a council: a run inside of the run, whose final answer is the member's (SPEC 8).
local errors = require "curia.errors"
local prompts = require "curia.prompts"
local user_code = require "curia.engine.user_code"

local M = {}

local function text_of(messages)
  local parts = {}
  for i, message in ipairs(messages) do parts[i] = prompts.question(message.content) end
  return table.concat(parts, "\n\n")
end

local function asks_for_input(round)
  local about = round.module.about
  return not round.module.build or about ~= nil and about.input_scope == "original"
end

-- Where a round asks for more than the input, its prompt is the question: so a council reviews and revises as
-- any other member does.
local function question_of(turn)
  local ctx, member = turn.ctx, turn.member
  if not turn.build or asks_for_input(turn.round) then return ctx.input end
  local built, err = turn.build(ctx, member)
  if err or built == nil then
    return nil, user_code.error_of("build of round " .. turn.round.name, err or "it gave no messages")
  end
  if type(built) == "table" and built[1] and built[1].role then built = text_of(built) end
  return type(built) == "string" and { question = built } or built
end

local function input_of(turn)
  local input, err = question_of(turn)
  local member = turn.member
  if err or not member.input_mapper then return input, err end
  return user_code.call("input_mapper of member " .. member.id, member.input_mapper, input, turn.ctx)
end

local function without_answer(turn)
  return errors.new("invalid_output", ("member %s: its council came to no answer"):format(turn.member.id))
end

local function response_of(result)
  local final = result.final
  return {
    content = final.content, parsed = final.parsed, finish_reason = final.finish_reason or "stop", usage = result.usage,
    cost = result.cost, model = "council/" .. result.council,
  }
end

--- Lets a member's council answer. What it used is added to the outer run's totals when the inner run ends.
---@async
---@param turn curia.Turn takes `metadata`: sub_run_id, and sub_result once it has ended
---@return table? response
---@return curia.Error? err why the inner run failed
function M.answer(turn)
  local input, err = input_of(turn)
  if err then return nil, err end
  turn.attempts = 1
  local nested
  nested, err = turn.run:start_nested(turn.member.council, input, nil, turn.member.id)
  if not nested then return nil, err end
  turn.metadata = { sub_run_id = nested.id }
  local result
  result, err = nested:await()
  turn.metadata.sub_result = result
  if err then return nil, err end
  if not result.final then return nil, without_answer(turn) end
  return response_of(result)
end

return M
