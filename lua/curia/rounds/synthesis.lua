--- The chair writes the final answer from a digest of all rounds before.
local digest = require "curia.digest"
local prompts = require "curia.prompts"

return {
  name = "synthesis",
  chair = true,
  parallel = false,
  about = { input_scope = "all_prior", sharing = "all", anonymized = false, sequential = true },
  build = function(ctx)
    return prompts.synthesis(prompts.question(ctx.input), digest.of(ctx, true))
  end,
}
