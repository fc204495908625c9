--- Members debate in turns: each sees its opponents' last answers and its own, and answers again.
--
-- challenger = "rotate" (default): in each turn one member, the next in the order of the council, challenges the
-- others' answers; the others then reply, seeing its challenge. challenger = "all": in each turn everybody
-- challenges everybody, at the same time (Du, Li, Torralba, Tenenbaum, Mordatch: Improving Factuality and Reasoning
-- in Language Models through Multiagent Debate, 2023).
--
-- A debate ends when its members agree: two at least have answered in a turn, and all that have ended their answers
-- with "AGREED: yes". `until` replaces that measure; `max_rounds` bounds it in any case.
local errors = require "curia.errors"
local prompts = require "curia.prompts"
local shared = require "curia.rounds.shared"
local user_code = require "curia.engine.user_code"

local MAX_ROUNDS = 2

local function challenger_of(ctx, members, turn)
  if ctx.opts.challenger == "all" then return nil end
  return members[(turn - 1) % #members + 1]
end

-- ---- what is asked --------------------------------------------------------------------------------

local function statement(round, id)
  local result = round.results[id]
  return result and result.status == "ok" and result.response.content or nil
end

-- Of the turn under way the challenge alone may be seen: the others speak at the same time.
local function last_statement(ctx, id)
  local now = id == ctx.phases.challenger and statement(ctx._result, id)
  if now then return now end
  for i = #ctx.iterations, 1, -1 do
    local said = statement(ctx.iterations[i], id)
    if said then return said end
  end
  return shared.answer_of(ctx, id)
end

local function opponents(ctx, member)
  local entries = {}
  for _, other in ipairs(ctx.participants) do
    local text = other.id ~= member.id and last_statement(ctx, other.id)
    if text then entries[#entries + 1] = { label = other.id, text = text } end
  end
  return entries
end

local function build(ctx, member)
  local entries, own = opponents(ctx, member), last_statement(ctx, member.id)
  if #entries == 0 then
    return nil, errors.new("validation", "there is no other answer to debate", { code = "nothing_to_debate" })
  end
  return prompts.debate(prompts.question(ctx.input), entries, own and { label = member.id, text = own },
    prompts.debate_part(member.id, ctx.phases.challenger))
end

-- ---- what is said ---------------------------------------------------------------------------------

local LONGEST_LINE = 80

local function last_line(text)
  local trimmed = text:match("^.*%S") or ""
  local before, line = trimmed:match("^(.*)\n(.*)$")
  return before or "", line or trimmed
end

-- The line is no part of the answer, and no business of the others.
local function parse(_, _, response)
  local before, line = last_line(response.content)
  local word = #line <= LONGEST_LINE and line:lower():match("^%W*agreed%W+(%a+)%W*$")
  if not word then return { agrees = false } end
  if not before:find("%S") then return nil, "there is no answer beside the word on agreement" end
  response.content = before:match("^.*%S")
  return { agrees = word == "yes" }
end

-- ---- how it goes on -------------------------------------------------------------------------------

--- Whether the members of a turn agree.
---@param current curia.RoundResult
---@return boolean
local function agreed(_, current)
  local count = 0
  for _, result in pairs(current.results) do
    if result.status == "ok" then
      if not result.response.parsed.agrees then return false end
      count = count + 1
    end
  end
  return count >= 2
end

local function ending(ctx, iterations)
  local count, fn = #iterations, ctx.opts["until"]
  if count == 0 then return nil end
  if not fn then
    if agreed(iterations[count - 1], iterations[count]) then return "agreed" end
  else
    local enough, err = user_code.call("until of round " .. ctx.round.name, fn,
      iterations[count - 1], iterations[count], ctx.opts)
    if err then return nil, err end
    if enough then return "until" end
  end
  return count >= (ctx.opts.max_rounds or MAX_ROUNDS) and "max_rounds" or nil
end

local function without(members, one)
  local rest = {}
  for _, member in ipairs(members) do
    if member ~= one then rest[#rest + 1] = member end
  end
  return rest
end

-- Who speaks in the next turn, one group after the other; nil when the debate is over.
local function phases(ctx, members, iterations)
  local why, err = ending(ctx, iterations)
  if err then return nil, err end
  ctx._result.metadata.stopped = why
  if why then return nil end
  local challenger = challenger_of(ctx, members, #iterations + 1)
  if not challenger then return { members } end
  return { { challenger }, without(members, challenger), challenger = challenger.id }
end

return {
  name = "debate",
  about = { input_scope = "previous_round", sharing = "peers", anonymized = false, sequential = true },
  options = {
    challenger = { type = "string", doc = "who attacks in a turn: one after the other, or all",
      enum = { "rotate", "all" } },
    max_rounds = { type = "integer", doc = "most turns (2)", min = 1, max = 100 },
    ["until"] = { type = "function|string", doc = "function(previous, current, opts): whether it is enough",
      ref = "function" },
  },
  build = build, parse = parse, phases = phases, converged = agreed,
}
