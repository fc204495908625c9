--- Each member puts the candidate answers in order; the orders add up to one (Borda's count unless told otherwise).
local candidates = require "curia.ballots.candidates"
local count = require "curia.ballots.count"
local prompts = require "curia.prompts"
local read = require "curia.ballots.read"

return {
  name = "ranking",
  texts = "ballots",
  ballot = "ordering",
  about = { input_scope = "previous_round", sharing = "peers", anonymized = true, sequential = false },
  options = candidates.options,
  build = function(ctx, member)
    local entries, err = candidates.entries(ctx, member)
    if not entries then return nil, err end
    return prompts.ranking(prompts.question(ctx.input), entries)
  end,
  parse = read.ordering,
  aggregate = count.candidates("borda"),
}
