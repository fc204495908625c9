--- Each member ranks the others' answers without knowing whose they are (Karpathy's second stage).
--
-- One label map serves all judges, so that "Response B" is the same answer everywhere; a judge's own
-- answer is left out of what it sees. The map is kept in decision.detail.label_to_id.
local anonymize = require "curia.anonymize"
local errors = require "curia.errors"
local extract = require "curia.extract"
local prompts = require "curia.prompts"
local rules = require "curia.rules"
local shared = require "curia.rounds.shared"

-- What a round under way has prepared, by its result.
local prepared = setmetatable({}, { __mode = "k" })

local function prepare(ctx)
  local known = prepared[ctx._result]
  if known then return known.labels, known.judged end
  local judged, ids = shared.answers(ctx, shared.last_answers(ctx)), {}
  for i, answer in ipairs(judged) do ids[i] = answer.id end
  local labels = anonymize.labels(ids, {
    order = ctx.opts.order, prefix = ctx.opts.prefix, random = function() return ctx:random() end,
  })
  prepared[ctx._result] = { labels = labels, judged = judged }
  ctx._result.metadata.label_to_id = labels.label_to_id
  return labels, judged
end

local function entries_for(ctx, member)
  local labels, judged = prepare(ctx)
  local text_of, entries = {}, {}
  for _, answer in ipairs(judged) do text_of[answer.id] = answer.text end
  for _, id in ipairs(labels.order) do
    local own = id == member.id and not ctx.opts.include_self
    if not own then entries[#entries + 1] = { label = labels.id_to_label[id], text = text_of[id] } end
  end
  return entries
end

local function build(ctx, member)
  local entries = entries_for(ctx, member)
  if #entries == 0 then
    return nil, errors.new("validation", "there is no other answer to review", { code = "nothing_to_review" })
  end
  return prompts.anonymized_peer_review(prompts.question(ctx.input), entries)
end

-- Karpathy's own format, which some models fall back to: "FINAL RANKING:\n1. Response C\n2. ...".
local LONGEST_LIST = 4096

local function ordering_from_list(content)
  local _, at = content:find("FINAL RANKING", 1, true)
  if not at then return nil end
  local ordering = {}
  for label in content:sub(at + 1, at + LONGEST_LIST):gmatch("%d+[%.%)]%s*[%*_\"]*(%w[%w ]*)") do
    ordering[#ordering + 1] = label
  end
  return { ordering = ordering }
end

local function ordering_of(content)
  local said, remarks = extract.json(content)
  if said and type(said.ordering) == "table" then return said, remarks end
  return ordering_from_list(content), content
end

local function restored(labels, ordering)
  local ids = {}
  for i, label in ipairs(ordering) do
    ids[i] = anonymize.restore(labels, label)
    if not ids[i] then return nil, "names no answer: " .. tostring(label) end
  end
  return ids
end

-- A ranking that cannot be read is a ballot too: it is counted as discarded, with its reason.
local function parse(ctx, member, response)
  local said, remarks = ordering_of(response.content)
  if not said or #said.ordering == 0 then
    return { discarded = "no ordering could be read" }
  end
  local ids, reason = restored(prepare(ctx), said.ordering)
  if not ids then return { discarded = reason } end
  for _, id in ipairs(ids) do
    if id == member.id and not ctx.opts.include_self then return { discarded = "ranks its own answer" } end
  end
  return {
    ordering = ids, rationale = type(said.rationale) == "string" and said.rationale or nil,
    remarks = remarks ~= "" and remarks or nil,
  }
end

local function ballots_of(ctx, results)
  local ballots = {}
  for _, member in ipairs(ctx.members) do
    local result = results[member.id]
    local parsed = result and result.status == "ok" and result.response.parsed
    if parsed then
      ballots[#ballots + 1] = { voter = member.id, ordering = parsed.ordering, rationale = parsed.rationale,
        discarded = parsed.discarded }
    end
  end
  return ballots
end

local function aggregate(ctx, results)
  local labels = prepare(ctx)
  return rules.decide("peer_ranking", ballots_of(ctx, results),
    { options = labels.order, label_to_id = labels.label_to_id })
end

return {
  name = "anonymized_peer_review",
  texts = "ballots",
  about = { input_scope = "previous_round", sharing = "peers", anonymized = true, sequential = false },
  options = {
    order = { type = "string|function", doc = "order of the labels", enum = { "stable", "shuffle", "as_given" } },
    prefix = { type = "string", doc = 'what stands before the letter ("Response ")', nonempty = true },
    include_self = { type = "boolean", doc = "let judges rank their own answer too" },
  },
  build = build, parse = parse, aggregate = aggregate,
}
