--- Each member scores the candidate answers by the criteria of a rubric.
--
-- A reviewer's total for an answer is the mean of its scores by weight. One reviewer is mild and another strict, one
-- uses the whole scale and another its middle: so totals count as standard scores, each reviewer's less its own mean
-- in units of its own standard deviation, as human judgements of translations do (Graham, Baldwin, Moffat, Zobel:
-- Continuous Measurement Scales in Human Evaluation of Machine Translation, 2013). `normalise = "range"` maps each
-- reviewer's totals to 0..1 instead, where one odd score presses all others together; "none" takes them as they are.
local candidates = require "curia.ballots.candidates"
local check = require "curia.language.check"
local count = require "curia.ballots.count"
local prompts = require "curia.prompts"
local read = require "curia.ballots.read"
local rubric = require "curia.ballots.rubric"

local options = {
  rubric = rubric.option,
  normalise = { type = "string", doc = "how reviewers' totals are made comparable (standard)",
    enum = { "standard", "range", "none" } },
}
for name, rule in pairs(candidates.options) do options[name] = rule end

local function build(ctx, member)
  local entries, err = candidates.entries(ctx, member)
  if not entries then return nil, err end
  return prompts.scoring(prompts.question(ctx.input), entries, rubric.criteria(ctx.opts.rubric))
end

local function totals_of(ctx, member, given, criteria)
  local totals = {}
  for _, label in ipairs(check.sorted_keys(given)) do
    local id, reason = candidates.find(ctx, member, label)
    if not id then return nil, reason end
    if totals[id] then return nil, "scores an answer twice: " .. id end
    totals[id], reason = rubric.total(criteria, given[label])
    if reason then return nil, ("%s: %s"):format(label, reason) end
  end
  return totals
end

local function left_out(ctx, member, totals)
  for _, entry in ipairs(candidates.entries(ctx, member)) do
    if not totals[candidates.find(ctx, member, entry.label)] then return entry.label end
  end
end

local function parse(ctx, member, response)
  local criteria = rubric.criteria(ctx.opts.rubric)
  local given, said, remarks = read.scores(response, criteria)
  if not given or next(given) == nil then return { discarded = "no scores could be read" } end
  local totals, reason = totals_of(ctx, member, given, criteria)
  if not totals then return { discarded = reason } end
  local missing = left_out(ctx, member, totals)
  if missing then return { discarded = "leaves out " .. missing } end
  return read.with_remarks({ scores = totals, criteria = given }, said, remarks)
end

-- Only the mean makes scores comparable: a rule of the user's own gets them as they are.
local decide = count.candidates("mean", function(ctx)
  if (ctx.opts.rule or "mean") ~= "mean" then return nil end
  return { normalise = ctx.opts.normalise or "standard", scale = { least = 0, greatest = 1 } }
end)

-- Standard scores tell who is ahead, not how good an answer is: the mean totals do.
local function mean_totals(ctx, results)
  local sums, counts = {}, {}
  for _, member in ipairs(ctx.members) do
    local result = results[member.id]
    local parsed = result and result.status == "ok" and result.response.parsed
    for id, total in pairs(parsed and parsed.scores or {}) do
      sums[id], counts[id] = (sums[id] or 0) + total, (counts[id] or 0) + 1
    end
  end
  for id, sum in pairs(sums) do sums[id] = sum / counts[id] end
  return sums
end

return {
  name = "scoring",
  texts = "ballots",
  ballot = "scores",
  about = { input_scope = "previous_round", sharing = "peers", anonymized = true, sequential = false },
  options = options,
  check = function(round)
    local message = rubric.fault(round.rubric)
    return message and "rubric", message
  end,
  build = build, parse = parse,
  aggregate = function(ctx, results)
    local decision = decide(ctx, results)
    decision.detail.totals = mean_totals(ctx, results)
    return decision
  end,
}
