--- Each member writes its own answer anew, with what the others have said against it in the last critique or
-- peer review. A critic's text is one about several answers: it is shown whole.
local errors = require "curia.errors"
local prompts = require "curia.prompts"
local shared = require "curia.rounds.shared"

local function build(ctx, member)
  local own = shared.answer_of(ctx, member.id)
  if not own then
    return nil, errors.new("validation", "there is no answer of its own to revise", { code = "nothing_to_revise" })
  end
  local critiques, err = shared.others(ctx, member, shared.last_criticism(ctx))
  if not critiques then return nil, err end
  return prompts.revise(prompts.question(ctx.input), critiques, { label = member.id, text = own })
end

return {
  name = "revise",
  about = { input_scope = "all_prior", sharing = "peers", anonymized = false, sequential = false },
  build = build,
}
