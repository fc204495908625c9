--- What judges choose between: the members' last answers under labels, or options that the council names.
--
-- One map of labels serves all judges of a round, so that "Response B" is the same answer everywhere; a judge's
-- own answer is left out of what it sees. The map is kept in decision.detail.label_to_id.
local anonymize = require "curia.anonymize"
local errors = require "curia.errors"
local shared = require "curia.rounds.shared"

local M = {}

--- The options of every round whose judges see members' answers.
M.options = {
  order = { type = "string|function", doc = "order of the labels", enum = { "stable", "shuffle", "as_given" } },
  prefix = { type = "string", doc = 'what stands before the letter ("Response ")', nonempty = true },
  include_self = { type = "boolean", doc = "let judges judge their own answer too" },
}

---@class curia.Candidates: curia.Labels
---@field text_of? table<string, string> answers by id; nil for options, which say themselves what they are

-- What a round under way has prepared, by its result.
local prepared = setmetatable({}, { __mode = "k" })

local function of_answers(ctx)
  local ids, text_of = {}, {}
  for i, answer in ipairs(shared.answers(ctx, shared.last_answers(ctx))) do
    ids[i], text_of[answer.id] = answer.id, answer.text
  end
  local made = anonymize.labels(ids, {
    order = ctx.opts.order, prefix = ctx.opts.prefix, random = function() return ctx:random() end,
  })
  made.text_of = text_of
  ctx.result.metadata.label_to_id = made.label_to_id
  return made
end

--- Candidates that are options: each is its own label.
---@param options string[]
---@return curia.Candidates
function M.options_only(options)
  local itself = {}
  for _, option in ipairs(options) do itself[option] = option end
  return { order = options, label_to_id = itself, id_to_label = itself }
end

local function of_options(ctx)
  ctx.result.metadata.options = ctx.opts.options
  return M.options_only(ctx.opts.options)
end

--- The candidates of a round, prepared once for all judges.
---@param ctx curia.Ctx
---@return curia.Candidates
function M.of(ctx)
  local known = prepared[ctx.result]
  if known then return known end
  local made = ctx.opts.options and of_options(ctx) or of_answers(ctx)
  prepared[ctx.result] = made
  return made
end

--- Makes texts that a round has counted itself its candidates: under labels, as they are the members' own words.
---@param ctx curia.Ctx
---@param texts string[]
function M.set_texts(ctx, texts)
  local made = anonymize.labels(texts, { prefix = "Answer " })
  made.text_of = {}
  for _, text in ipairs(texts) do made.text_of[text] = text end
  prepared[ctx.result] = made
end

--- The candidates of a round that has prepared some.
---@param ctx curia.Ctx
---@return curia.Candidates?
function M.known(ctx)
  return prepared[ctx.result]
end

local function is_own(ctx, candidates, member, id)
  return candidates.text_of ~= nil and id == member.id and not ctx.opts.include_self
end

--- The answers that a judge sees, under their labels.
---@param ctx curia.Ctx
---@param member table the judge
---@return curia.Entry[]? entries
---@return curia.Error? err when there are none: a judge is not asked about nothing
function M.entries(ctx, member)
  local candidates, entries = M.of(ctx), {}
  for _, id in ipairs(candidates.order) do
    if not is_own(ctx, candidates, member, id) then
      entries[#entries + 1] = { label = candidates.id_to_label[id], text = candidates.text_of[id] }
    end
  end
  if #entries > 0 then return entries end
  return nil, errors.new("validation", "there is no other answer to review", { code = "nothing_to_review" })
end

-- Nothing but its case and the marks that models put around it may differ: "C" is not "C++".
local function bare(text)
  local from = text:find("[^%s%*_\"'`.]")
  return from and text:lower():match(".*[^%s%*_\"'`.]", from) or ""
end

local function restore_option(candidates, text)
  if type(text) ~= "string" then return nil end
  if candidates.label_to_id[text] then return text end
  local wanted = bare(text)
  for _, option in ipairs(candidates.order) do
    if bare(option) == wanted then return option end
  end
end

--- Two options that a judge's words could not tell apart.
---@param options string[]
---@return string? first
---@return string? second
function M.alike(options)
  local seen = {}
  for _, option in ipairs(options) do
    local words = bare(option)
    if seen[words] then return seen[words], option end
    seen[words] = option
  end
end

local LONGEST_QUOTE = 80

--- What a judge wrote in a label's place, for a reason: it may be long, and anything.
---@param label any
---@return string
function M.quote(label)
  return tostring(label):sub(1, LONGEST_QUOTE)
end

--- The candidate that a label stands for, as models write it.
---@param candidates curia.Candidates
---@param label any
---@return string? id nil when it names none
function M.restore(candidates, label)
  local restore = candidates.text_of and anonymize.restore or restore_option
  return restore(candidates, label)
end

--- The candidate that a judge means.
---@param ctx curia.Ctx
---@param member table the judge
---@param label any as the judge wrote it
---@return string? id
---@return string? reason why the ballot does not count
function M.find(ctx, member, label)
  local candidates = M.of(ctx)
  local id = M.restore(candidates, label)
  if not id then
    return nil, ("names no %s: %s"):format(candidates.text_of and "answer" or "option", M.quote(label))
  end
  if is_own(ctx, candidates, member, id) then return nil, "judges its own answer" end
  return id
end

return M
