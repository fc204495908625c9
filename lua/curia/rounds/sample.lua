--- Self-consistency (Wang et al. 2023): each member is asked the same question several times, and the answers are
--- counted as votes.
--
-- With `until` a member is asked for one sample at a time, and asking stops as soon as enough votes are in; what is
-- under way then is cancelled. Without it all are asked for at once. An answer that fails, or in which nothing can be
-- read, is discarded by name and is never a vote.
local candidates = require "curia.ballots.candidates"
local check = require "curia.language.check"
local early_stopping = require "curia.sampling.early_stopping"
local errors = require "curia.errors"
local final_answer = require "curia.sampling.final_answer"
local tallies = require "curia.sampling.tally"
local task = require "curia.task"
local user_code = require "curia.engine.user_code"

local SAMPLES = 5
local RULE = "majority"

---@class curia.Sample
---@field iteration integer
---@field answer? string the vote
---@field discarded? string why it is none
---@field result curia.MemberResult

-- ---- reading --------------------------------------------------------------------------------------

local function extracted(ctx, response)
  local extract = ctx.opts.extract
  if not extract then return final_answer.of(response) end
  local value, err = user_code.call("extract of round " .. ctx.round.name, extract, response)
  return final_answer.text(value), err
end

local function vote_of(ctx, result)
  if result.status ~= "ok" then return nil, result.error and result.error.kind or result.status end
  local answer, err = extracted(ctx, result.response)
  if answer then return answer end
  return nil, err and tostring(err) or "no answer could be read"
end

-- ---- asking ---------------------------------------------------------------------------------------

local function ask(ctx, job)
  local seed = job.member.seed
  return ctx:ask(job.member, nil, {
    iteration = job.iteration, keep = false, seed = seed and seed + job.iteration - 1,
  })
end

-- The member's next sample, if there is one.
local function start(state, group, member)
  local iteration = state.begun[member.id] + 1
  if iteration > state.each then return end
  state.begun[member.id], state.asked, state.live = iteration, state.asked + 1, state.live + 1
  local job = { member = member, iteration = iteration }
  local asking = group:spawn(ask, state.ctx, job)
  state.under_way[asking], state.asks[state.asked] = job, asking
end

local function stop(state, reason)
  state.stopped = reason
  for _, asking in ipairs(state.asks) do
    if state.under_way[asking] then asking:cancel("enough votes are in") end
  end
end

-- Nothing is enough before as many members have been heard as the round needs.
local function has_quorum(state)
  local heard = 0
  for _, member in ipairs(state.members) do heard = heard + (state.heard[member.id] and 1 or 0) end
  return heard >= (state.ctx:quorum(#state.members) or 0)
end

local function note(state, job, result)
  local answer, reason = vote_of(state.ctx, result)
  local samples = state.samples[job.member.id]
  samples[#samples + 1] = { iteration = job.iteration, answer = answer, discarded = reason, result = result }
  state.noted = state.noted + 1
  if answer then
    state.tally:add(answer)
    state.heard[job.member.id] = true
  end
  if state.stopped then return end
  if result.error and state.ctx:fails_fast() then
    state.failed = result
    return stop(state, "fail_fast")
  end
  local enough = state.test and state.test(state.tally, state.planned - state.noted)
  if enough and has_quorum(state) then stop(state, enough) end
end

local function take(state, ended)
  local job = state.under_way[ended]
  state.under_way[ended], state.live = nil, state.live - 1
  local ok, result = ended:result()
  if ok then note(state, job, result)
  elseif not state.stopped then error(result, 0) end -- else it was cancelled here
  return job.member
end

-- Every answer of a member makes room for its next sample.
local function collect(state)
  local group = task.group()
  for _ = 1, state.concurrency do
    for _, member in ipairs(state.members) do start(state, group, member) end
  end
  while state.live > 0 do
    local member = take(state, group:next())
    if not state.stopped then start(state, group, member) end
  end
end

-- ---- what comes of it -------------------------------------------------------------------------------

-- The first sample of the answer that the member gave most often; of equals, the one that had as many first.
local function modal(samples)
  local tally, first = tallies.new(), {}
  for _, sample in ipairs(samples) do
    if sample.answer then
      tally:add(sample.answer)
      first[sample.answer] = first[sample.answer] or sample
    end
  end
  return first[tally.leader], tally
end

local function with(result, fields)
  local made = {}
  for name, value in pairs(result) do made[name] = value end
  for name, value in pairs(fields) do made[name] = value end
  return made
end

local function unreadable(samples)
  local last = samples[#samples].result
  if last.status ~= "ok" then return last end
  return with(last, { status = "invalid_output", error = errors.new("invalid_output",
    ("no answer could be read in any of %d samples"):format(#samples), { member = last.member }) })
end

local function not_asked(state, member)
  local reason = state.failed and "fail_fast" or state.stopped and "early_stop" or "abandoned"
  return { member = member.id, status = "skipped", metadata = { reason = reason } }
end

local function attempts_of(samples)
  local attempts = 0
  for _, sample in ipairs(samples) do attempts = attempts + sample.result.attempts end
  return attempts
end

local function result_of(state, member, samples)
  if #samples == 0 then return not_asked(state, member) end
  local chosen, tally = modal(samples)
  local result = chosen and chosen.result or unreadable(samples)
  if state.failed and state.failed.member == member.id then result, chosen = state.failed, nil end
  local metadata = with(result.metadata or {}, { samples = samples })
  if chosen then metadata.answer, metadata.agreement = chosen.answer, tally.best / #tally.votes end
  return with(result, { attempts = attempts_of(samples), metadata = metadata })
end

local function settle(state)
  local ctx, metadata = state.ctx, state.ctx.result.metadata
  metadata.asked, metadata.answered = state.asked, #state.tally.votes
  metadata.saved, metadata.stopped = state.planned - state.asked, state.stopped
  for _, member in ipairs(state.members) do
    local samples = state.samples[member.id]
    table.sort(samples, function(a, b) return a.iteration < b.iteration end)
    ctx:settle(result_of(state, member, samples))
  end
end

local Settling = { __close = settle }

local function new_state(ctx, members, test)
  local each, samples, begun = ctx.opts.samples or SAMPLES, {}, {}
  for _, member in ipairs(members) do samples[member.id], begun[member.id] = {}, 0 end
  return setmetatable({
    ctx = ctx, members = members, test = test, each = each, planned = each * #members, samples = samples, begun = begun,
    concurrency = math.min(ctx.opts.concurrency or test and 1 or each, each), tally = tallies.new(),
    asks = {}, under_way = {}, heard = {}, live = 0, asked = 0, noted = 0, stopped = nil, failed = nil,
  }, Settling)
end

local function test_of(opts)
  local wanted = opts["until"] or opts.stop_when
  if wanted then return early_stopping.test(wanted, opts.rule or RULE) end
end

-- Whether the test that `until` asks for is known for the rule.
local function until_fault(opts)
  local _, message = test_of(opts)
  return message and "until", message
end

-- However the asking ends, what was answered by then is settled and counted.
local function run(ctx)
  local members, err = ctx:participants()
  if not members then return nil, err end
  local state <close> = new_state(ctx, members, (test_of(ctx.opts)))
  collect(state)
end

local function ballots_of(ctx, results)
  local ballots, first = {}, {}
  for _, member in ipairs(ctx.members) do
    local result = results[member.id]
    for _, sample in ipairs(result and result.metadata and result.metadata.samples or {}) do
      ballots[#ballots + 1] = { voter = ("%s#%d"):format(member.id, sample.iteration), member = member.id,
        choice = sample.answer, discarded = sample.discarded }
      if sample.answer then first[sample.answer] = first[sample.answer] or sample.result.response end
    end
  end
  return ballots, first
end

local function aggregate(ctx, results)
  local ballots, first = ballots_of(ctx, results)
  ctx.result.answers = first
  candidates.set_texts(ctx, check.sorted_keys(first))
  local decision = ctx:decide(ctx.opts.rule or RULE, ballots, {
    tie_break = ctx.opts.tie_break, random = function() return ctx:random() end,
  })
  decision.detail.between = "answers"
  return decision
end

local UNTIL = {
  posterior = { type = "number", doc = "probability that the leader is the most frequent answer", min = 0.5, max = 1 },
  window = { type = "integer", doc = "answers in a row that are the same", min = 2 },
}

return {
  name = "sample",
  texts = "answers",
  about = { input_scope = "original", sharing = "self_only", anonymized = false, sequential = false },
  options = {
    samples = { type = "integer", doc = "how often each member is asked (5)", min = 1, max = 1000 },
    extract = { type = "function|string", doc = "function(response) -> the answer in it", ref = "function" },
    ["until"] = { type = "string|record", doc = "stop early: unassailable, {posterior =}, {window =}",
      enum = { "unassailable" }, fields = UNTIL },
    stop_when = { type = "string|record", doc = "the same: until is a word of Lua's own", alias = "until",
      enum = { "unassailable" }, fields = UNTIL },
    concurrency = { type = "integer", doc = "samples of a member under way at once (all; with until 1)", min = 1 },
  },
  ballot = "choice",
  check = until_fault, run = run, aggregate = aggregate,
}
