--- What the built-in rounds share: whose answers a member sees, and how they are told.
local prompts = require "curia.prompts"
local user_code = require "curia.engine.user_code"

local M = {}

--- The question that the members answer: the input through the member's own prompt, if it has one.
---@param ctx curia.Ctx
---@param member table
---@return string? question
---@return curia.Error? err
function M.question(ctx, member)
  local prompt = member and member.prompt
  if type(prompt) == "string" then return prompts.fill(prompt, ctx.input) end
  if prompt then
    return user_code.call("prompt of member " .. member.id, prompt, ctx.input, ctx)
  end
  return prompts.question(ctx.input)
end

--- A round's good answers, in the order of the council.
---@param ctx curia.Ctx
---@param round curia.RoundResult?
---@return {id: string, text: string}[]
function M.answers(ctx, round)
  local found = {}
  for _, member in ipairs(ctx.members) do
    local result = round and round.results[member.id]
    if result and result.status == "ok" then
      found[#found + 1] = { id = member.id, text = result.response.content }
    end
  end
  return found
end

--- The last finished round: the one before this.
---@param ctx curia.Ctx
---@return curia.RoundResult?
function M.previous(ctx)
  return ctx.rounds[ctx.round.idx - 1]
end

-- Rounds of judgement; their texts are no answers to the question.
local function is_answer_round(round)
  return not round.decision and not (round.metadata and round.metadata.judgement)
end

--- The last round whose texts are answers: what reviewers judge.
---@param ctx curia.Ctx
---@return curia.RoundResult?
function M.last_answers(ctx)
  for i = ctx.round.idx - 1, 1, -1 do
    if is_answer_round(ctx.rounds[i]) then return ctx.rounds[i] end
  end
end

--- The others' answers as entries for a prompt, under their ids.
---@param ctx curia.Ctx
---@param member table
---@param round curia.RoundResult?
---@return curia.Entry[]
function M.others(ctx, member, round)
  local entries = {}
  for _, answer in ipairs(M.answers(ctx, round)) do
    if answer.id ~= member.id then entries[#entries + 1] = { label = answer.id, text = answer.text } end
  end
  return entries
end

return M
