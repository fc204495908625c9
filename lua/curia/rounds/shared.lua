--- What the built-in rounds share: whose answers a member sees, and how they are told.
local errors = require "curia.errors"
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

local function has_answers(round)
  for _, result in pairs(round.results) do
    if result.status == "ok" then return true end
  end
  return false
end

-- What a round's texts are, by its `texts`; one that decides something holds ballots unless it says otherwise.
local function kind_of(round)
  local texts = round.metadata.texts
  if round.decision and texts ~= "answers" then return "ballots" end
  return texts or "answers"
end

local function is_answer(kind) return kind == "answers" end
local function is_criticism(kind) return kind == "critiques" or kind == "reviews" end
local function is_text(kind) return kind ~= "ballots" end

local function last_round(ctx, fits)
  for i = #ctx.rounds, 1, -1 do
    local round = ctx.rounds[i]
    if fits(kind_of(round)) and has_answers(round) then return round end
  end
end

--- The last round that has answers to the question: what reviewers judge.
---@param ctx curia.Ctx
---@return curia.RoundResult?
function M.last_answers(ctx)
  return last_round(ctx, is_answer)
end

--- The last round in which members have written about each other's answers.
---@param ctx curia.Ctx
---@return curia.RoundResult?
function M.last_criticism(ctx)
  return last_round(ctx, is_criticism)
end

--- The last round of either kind: what critics take up.
---@param ctx curia.Ctx
---@return curia.RoundResult?
function M.last_texts(ctx)
  return last_round(ctx, is_text)
end

--- The last answer that a member has given to the question.
---@param ctx curia.Ctx
---@param id string
---@return string?
function M.answer_of(ctx, id)
  for i = #ctx.rounds, 1, -1 do
    local round = ctx.rounds[i]
    local result = round.results[id]
    if kind_of(round) == "answers" and result and result.status == "ok" then return result.response.content end
  end
end

--- The others' answers as entries for a prompt, under their ids.
---@param ctx curia.Ctx
---@param member table
---@param round curia.RoundResult?
---@return curia.Entry[]? entries
---@return curia.Error? err when there are none: a member is not asked about nothing
function M.others(ctx, member, round)
  local entries = {}
  for _, answer in ipairs(M.answers(ctx, round)) do
    if answer.id ~= member.id then entries[#entries + 1] = { label = answer.id, text = answer.text } end
  end
  if #entries > 0 then return entries end
  return nil, errors.new("validation", "there is no other answer to review", { code = "nothing_to_review" })
end

return M
