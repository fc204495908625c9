--- What the chair is told of the rounds before: everything that was said, under names, and what was decided.
local prompts = require "curia.prompts"
local shared = require "curia.rounds.shared"

local M = {}

-- The chair may know who is who: labels become names again.
local function named(text, label_to_id)
  for label, id in pairs(label_to_id or {}) do
    text = text:gsub(label:gsub("%W", "%%%0") .. "%f[%W]", (id:gsub("%%", "%%%%")))
  end
  return text
end

-- A judge's ballot is told in words, with its reasons and what it wrote besides.
local function ballot_text(parsed, expose_confidence)
  local told = prompts.ballot(parsed, expose_confidence)
  if not told then return nil end
  local lines = { told }
  for _, name in ipairs { "rationale", "remarks" } do lines[#lines + 1] = parsed[name] end
  return table.concat(lines, "\n")
end

local function text_of(round, answer, expose_confidence)
  local parsed = round.results[answer.id].response.parsed
  local ballot = round.decision and type(parsed) == "table" and ballot_text(parsed, expose_confidence)
  return named(ballot or answer.text, round.metadata.label_to_id)
end

local function entries_of(ctx, round, expose_confidence)
  local entries = {}
  for _, answer in ipairs(shared.answers(ctx, round)) do
    entries[#entries + 1] = { label = answer.id, text = text_of(round, answer, expose_confidence) }
  end
  return entries
end

local function part_of(ctx, round, name, expose_confidence)
  return {
    round = name, entries = entries_of(ctx, round, expose_confidence),
    decision = round.decision and prompts.decision(round.decision) or nil,
  }
end

local function add_iterations(parts, ctx, round, expose_confidence)
  for i, iteration in ipairs(round.metadata.iterations or {}) do
    parts[#parts + 1] = part_of(ctx, iteration, ("%s, iteration %d"):format(round.name, i), expose_confidence)
  end
end

--- The rounds that have ended, one part each; of a round whose iterations all count, one part for each of them.
---@param ctx curia.Ctx
---@param expose_confidence boolean whether ballots tell how sure their voters were
---@return curia.Digest[]
function M.of(ctx, expose_confidence)
  local parts = {}
  for _, round in ipairs(ctx.rounds) do
    if round.metadata.cumulative then add_iterations(parts, ctx, round, expose_confidence)
    else parts[#parts + 1] = part_of(ctx, round, round.name, expose_confidence) end
  end
  return parts
end

return M
