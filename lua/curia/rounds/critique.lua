--- Each member attacks the others' texts of the round before: content only, no confidence, no tally.
local convergence = require "curia.convergence"
local prompts = require "curia.prompts"
local shared = require "curia.rounds.shared"

return {
  name = "critique",
  texts = "critiques",
  about = { input_scope = "previous_round", sharing = "peers", anonymized = false, sequential = false },
  build = function(ctx, member)
    local others, err = shared.others(ctx, member, shared.last_texts(ctx))
    if not others then return nil, err end
    return prompts.critique(prompts.question(ctx.input), others)
  end,
  options = convergence.options,
  converged = convergence.unchanged,
}
