--- The chair writes the final answer from a digest of all rounds before, and knows how much each member's word
-- weighs. The one built-in round that shows weights and confidences to anybody.
local digest = require "curia.digest"
local prompts = require "curia.prompts"
local shared = require "curia.rounds.shared"
local weights = require "curia.weights"

local function weighed(ctx, expose_confidence)
  local round, entries = shared.last_answers(ctx), {}
  local results = round and round.results or {}
  local shares = weights.in_run(ctx, results)
  for _, member in ipairs(ctx.members) do
    local share = shares[member.id]
    local confidence = share and expose_confidence and results[member.id].confidence or nil
    if share then entries[#entries + 1] = { id = member.id, share = share, confidence = confidence } end
  end
  return entries
end

return {
  name = "weighted_synthesis",
  chair = true,
  parallel = false,
  about = { input_scope = "all_prior", sharing = "all", anonymized = false, sequential = true },
  options = {
    expose_confidence = { type = "boolean", doc = "show the chair how sure the members are (true)" },
  },
  build = function(ctx)
    local expose = ctx.opts.expose_confidence ~= false
    return prompts.weighted_synthesis(prompts.question(ctx.input), digest.of(ctx, expose), weighed(ctx, expose))
  end,
}
