--- Each member sees the others' answers of the round before, under their real names; its own is
--- left out. A collaboration, not a judgement.
local convergence = require "curia.convergence"
local prompts = require "curia.prompts"
local shared = require "curia.rounds.shared"

return {
  name = "peer_review",
  texts = "reviews",
  about = { input_scope = "previous_round", sharing = "peers", anonymized = false, sequential = false },
  build = function(ctx, member)
    local others, err = shared.others(ctx, member, shared.last_texts(ctx))
    if not others then return nil, err end
    return prompts.peer_review(prompts.question(ctx.input), others)
  end,
  options = convergence.options,
  converged = convergence.unchanged,
}
