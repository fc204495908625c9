--- Members debate in turns: each sees its opponents' last answers and its own, and answers again.
--
-- challenger = "rotate" (default): in each turn one member, the next in the order of the council, challenges the
-- others' answers; the others then reply, seeing its challenge. challenger = "all": in each turn everybody
-- challenges everybody, at the same time (Du, Li, Torralba, Tenenbaum, Mordatch: Improving Factuality and Reasoning
-- in Language Models through Multiagent Debate, 2023).
--
-- A debate ends when its members agree: two at least have answered in a turn, and all that have ended their answers
-- with "AGREED: yes". `until` replaces that measure; `max_rounds` bounds it in any case. Each turn is an iteration.
local errors = require "curia.errors"
local prompts = require "curia.prompts"
local shared = require "curia.rounds.shared"
local user_code = require "curia.engine.user_code"

local MAX_ROUNDS = 2

-- ---- a turn: what is asked ------------------------------------------------------------------------

-- Of the turn under way the challenge alone may be seen: the others speak at the same time.
local function last_statement(ctx, id)
  local now = id == ctx.opts.challenger and ctx.result.results[id]
  if now and now.status == "ok" then return now.response.content end
  return shared.answer_of(ctx, id)
end

local function opponents(ctx, member)
  local entries = {}
  for _, id in ipairs(ctx.opts.members) do
    local text = id ~= member.id and last_statement(ctx, id)
    if text then entries[#entries + 1] = { label = id, text = text } end
  end
  return entries
end

local function build(ctx, member)
  local entries, own = opponents(ctx, member), last_statement(ctx, member.id)
  if #entries == 0 then
    return nil, errors.new("validation", "there is no other answer to debate", { code = "nothing_to_debate" })
  end
  return prompts.debate(prompts.question(ctx.input), entries, own and { label = member.id, text = own },
    prompts.debate_part(member.id, ctx.opts.challenger))
end

-- The challenger speaks before the others.
local function groups(ctx, members)
  local first, rest = {}, {}
  for _, member in ipairs(members) do
    local group = member.id == ctx.opts.challenger and first or rest
    group[#group + 1] = member
  end
  return { first, rest }
end

-- ---- a turn: what is said ----------------------------------------------------------------------------

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

local turn = {
  name = "debate",
  options = { challenger = { type = "string", doc = "who speaks first" } },
  build = build, parse = parse, groups = groups,
}

-- ---- the debate -----------------------------------------------------------------------------------

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

local function ids_of(members)
  local ids = {}
  for i, member in ipairs(members) do ids[i] = member.id end
  return ids
end

-- Options that hold for each turn; the time limit is the whole debate's.
local INHERITED = { "failure_mode", "quorum", "grace_ms", "retry" }

local function options_of(ctx, ids, number)
  local rotates = ctx.opts.challenger ~= "all"
  local opts = {
    name = ctx.round.name, members = ids, router = function() return ids end,
    challenger = rotates and ids[(number - 1) % #ids + 1] or nil,
  }
  for _, name in ipairs(INHERITED) do opts[name] = ctx.opts[name] end
  return opts
end

local function is_enough(ctx, previous, current)
  local test = ctx.opts["until"] or agreed
  return user_code.call("until of round " .. ctx.round.name, test, previous, current, ctx.opts)
end

-- A member's result is that of its last turn, however the debate ends.
local function keep_last(guard)
  for _, iteration in ipairs(guard.result.metadata.iterations or {}) do
    for id, result in pairs(iteration.results) do guard.result.results[id] = result end
  end
end

local Keeping = { __close = keep_last }

local function take_turns(ctx, ids)
  local metadata, previous = ctx.result.metadata, nil
  for number = 1, ctx.opts.max_rounds or MAX_ROUNDS do
    local current, err, fatal = ctx:round(turn, options_of(ctx, ids, number))
    metadata.stopped = err and "failed" or nil
    if err then return nil, fatal and err or nil end
    local enough
    enough, err = is_enough(ctx, previous, current)
    if err then return nil, err end
    metadata.stopped = enough and (ctx.opts["until"] and "until" or "agreed") or nil
    if enough then return end
    previous = current
  end
  metadata.stopped = "max_rounds"
end

local function run(ctx)
  local members, err = ctx:participants()
  if not members then return nil, err end
  ctx.result.metadata.cumulative = true
  local _ <close> = setmetatable({ result = ctx.result }, Keeping)
  return take_turns(ctx, ids_of(members))
end

return {
  name = "debate",
  about = { input_scope = "previous_round", sharing = "peers", anonymized = false, sequential = true },
  options = {
    challenger = { type = "string", doc = "who attacks in a turn: one after the other, or all",
      enum = { "rotate", "all" } },
    max_rounds = { type = "integer", doc = "most turns (2)", min = 1, max = 100 },
    ["until"] = { type = "function|string", doc = "function(previous, current, opts): enough?", ref = "function" },
    stop_when = { type = "function|string", doc = "the same: until is a word of Lua's own", ref = "function",
      alias = "until" },
  },
  run = run, converged = agreed,
}
