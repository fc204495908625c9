--- Each member attacks the others' texts of the round before: content only, no confidence, no tally.
local prompts = require "curia.prompts"
local shared = require "curia.rounds.shared"

return {
  name = "critique",
  about = { input_scope = "previous_round", sharing = "peers", anonymized = false, sequential = false },
  build = function(ctx, member)
    return prompts.critique(prompts.question(ctx.input), shared.others(ctx, member, shared.last_answers(ctx)))
  end,
}
