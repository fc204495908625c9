--- A layer of a mixture of agents (Wang et al., "Mixture-of-Agents Enhances Large Language Model Capabilities", 2024):
--- each member reads all answers of the layer before, its own among them, and writes a better one.
local anonymize = require "curia.anonymize"
local prompts = require "curia.prompts"
local errors = require "curia.errors"
local shared = require "curia.rounds.shared"

-- Labels, so that no name lends weight to an answer.
local function entries_of(answers)
  local ids, texts = {}, {}
  for i, answer in ipairs(answers) do
    ids[i] = answer.id
    texts[answer.id] = answer.text
  end
  local labels, entries = anonymize.labels(ids), {}
  for i, id in ipairs(labels.order) do entries[i] = { label = labels.id_to_label[id], text = texts[id] } end
  return entries
end

return {
  name = "mixture",
  about = { input_scope = "previous_round", sharing = "all", anonymized = true, sequential = false },
  build = function(ctx)
    local answers = shared.answers(ctx, shared.last_answers(ctx))
    if #answers == 0 then
      return nil, errors.new("validation", "there is no answer to build on", { code = "nothing_to_review" })
    end
    return prompts.mixture(prompts.question(ctx.input), entries_of(answers))
  end,
}
