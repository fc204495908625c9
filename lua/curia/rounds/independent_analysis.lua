--- Each member answers the question alone, seeing nothing of the others.
local convergence = require "curia.convergence"
local prompts = require "curia.prompts"
local shared = require "curia.rounds.shared"

return {
  name = "independent_analysis",
  about = { input_scope = "original", sharing = "self_only", anonymized = false, sequential = false },
  build = function(ctx, member)
    local question, err = shared.question(ctx, member)
    if not question then return nil, err end
    return prompts.independent(question)
  end,
  options = convergence.options,
  converged = convergence.unchanged,
}
