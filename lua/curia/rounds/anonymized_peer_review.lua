--- Each member ranks the others' answers without knowing whose they are (Karpathy's second stage).
local candidates = require "curia.ballots.candidates"
local count = require "curia.ballots.count"
local prompts = require "curia.prompts"
local read = require "curia.ballots.read"

return {
  name = "anonymized_peer_review",
  texts = "ballots",
  ballot = "ordering",
  about = { input_scope = "previous_round", sharing = "peers", anonymized = true, sequential = false },
  options = candidates.options,
  build = function(ctx, member)
    local entries, err = candidates.entries(ctx, member)
    if not entries then return nil, err end
    return prompts.anonymized_peer_review(prompts.question(ctx.input), entries)
  end,
  parse = read.ordering,
  aggregate = count.candidates("peer_ranking"),
}
