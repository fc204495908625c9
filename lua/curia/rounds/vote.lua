--- Each member chooses one of the candidate answers, or one of the options that the council names.
local candidates = require "curia.ballots.candidates"
local count = require "curia.ballots.count"
local prompts = require "curia.prompts"
local read = require "curia.ballots.read"

local options = {
  options = { type = "list", doc = "what is voted on instead of the members' answers", nonempty = true,
    items = { type = "string", nonempty = true } },
}
for name, rule in pairs(candidates.options) do options[name] = rule end

local function build(ctx, member)
  local question = prompts.question(ctx.input)
  if ctx.opts.options then return prompts.vote_on_options(question, ctx.opts.options) end
  local entries, err = candidates.entries(ctx, member)
  if not entries then return nil, err end
  return prompts.vote(question, entries)
end

local function parse(ctx, member, response)
  return read.choice(response, function(label) return candidates.find(ctx, member, label) end)
end

local function check(round)
  local first, second = candidates.alike(round.options or {})
  if first then return "options", ("the options '%s' and '%s' cannot be told apart"):format(first, second) end
end

return {
  name = "vote",
  texts = "ballots",
  ballot = "choice",
  about = { input_scope = "previous_round", sharing = "peers", anonymized = true, sequential = false },
  options = options,
  check = check, build = build, parse = parse,
  aggregate = count.candidates("plurality"),
}
