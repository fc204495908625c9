--- The chair writes the final answer from a digest of all rounds before.
local prompts = require "curia.prompts"
local shared = require "curia.rounds.shared"

-- The chair may know who is who: labels become names again.
local function named(text, label_to_id)
  for label, id in pairs(label_to_id or {}) do
    text = text:gsub(label:gsub("%W", "%%%0") .. "%f[%W]", (id:gsub("%%", "%%%%")))
  end
  return text
end

-- A judge's ballot is told in words, its remarks with it.
local function ballot_text(ballot)
  local lines = { "Ranks " .. table.concat(ballot.ordering, " before ") .. "." }
  lines[#lines + 1] = ballot.rationale
  lines[#lines + 1] = ballot.remarks
  return table.concat(lines, "\n")
end

local function text_of(round, answer)
  local parsed = round.results[answer.id].response.parsed
  local is_ballot = round.decision and type(parsed) == "table" and parsed.ordering
  return named(is_ballot and ballot_text(parsed) or answer.text, round.metadata.label_to_id)
end

local function digest(ctx)
  local parts = {}
  for i, round in ipairs(ctx.rounds) do
    local entries = {}
    for _, answer in ipairs(shared.answers(ctx, round)) do
      entries[#entries + 1] = { label = answer.id, text = text_of(round, answer) }
    end
    parts[#parts + 1] = {
      round = round.name, entries = entries, decision = round.decision and prompts.decision(round.decision) or nil,
    }
  end
  return parts
end

return {
  name = "synthesis",
  chair = true,
  parallel = false,
  about = { input_scope = "all_prior", sharing = "all", anonymized = false, sequential = true },
  build = function(ctx)
    return prompts.synthesis(prompts.question(ctx.input), digest(ctx))
  end,
}
