--- Strategy `llm_build`: a model composes a council from a palette of members and rounds. What it composes is
-- validated as any other council; it can choose from the palette and nothing else.
local council = require "curia.council"
local extract = require "curia.extract"
local prompts = require "curia.prompts"
local validation = require "curia.language.validate"

local MOST_MEMBERS, MOST_ROUNDS = 5, 6
local ROUNDS = { "independent_analysis", "peer_review", "anonymized_peer_review", "critique" }

local function by_id(members)
  local found = {}
  for _, member in ipairs(members) do found[member.id] = member end
  return found
end

local function without_about(member)
  local made = {}
  for name, value in pairs(member) do made[name] = value end
  made.about = nil
  return made
end

-- What the model named, each once, as far as it is in the palette; nil and why when it is not.
local function picked(names, known, most, what)
  if type(names) ~= "table" or #names == 0 then return nil, "it named no " .. what end
  if #names > most then return nil, ("it named more than %d %s"):format(most, what) end
  local found = {}
  for i, name in ipairs(names) do
    local item = known[name]
    if item == nil then return nil, ("'%s' is not in the palette's %s"):format(tostring(name):sub(1, 80), what) end
    found[i] = item
  end
  return found
end

local function allowed_rounds(palette)
  local found = {}
  for _, name in ipairs(palette.rounds or ROUNDS) do found[name] = name end
  return found
end

local function body_of(said, opts)
  local members, reason = picked(said.members, by_id(opts.palette.members), opts.max_members or MOST_MEMBERS, "members")
  if not members then return nil, reason end
  local rounds
  rounds, reason = picked(said.rounds, allowed_rounds(opts.palette), MOST_ROUNDS, "rounds")
  if not rounds then return nil, reason end
  for i, member in ipairs(members) do members[i] = without_about(member) end
  return { members = members, rounds = rounds, chair = opts.palette.chair }
end

local function built(said, opts)
  local body, reason = body_of(said, opts)
  if not body then return nil, reason end
  local made = council.new("built", body)
  local valid, faults = validation.validate(made)
  if not valid then return nil, ("%s: %s"):format(faults[1].path, faults[1].message) end
  return made
end

local function choose(ctx, _, opts)
  local prompt = prompts.build_council(prompts.question(ctx.input), opts.palette.members, opts.palette.rounds or ROUNDS,
    opts.max_members or MOST_MEMBERS)
  local result = ctx:ask("selector", prompt, { round = "build" })
  if result.status ~= "ok" then return nil, "the model that builds failed: " .. tostring(result.error) end
  local said = extract.json(result.response.content)
  if not said then return nil, "the model that builds gave no JSON" end
  local made, reason = built(said, opts)
  if not made then return nil, "what the model built is no council: " .. reason end
  return { council = made, kind = "built", reason = type(said.reason) == "string" and said.reason or nil }
end

return { name = "llm_build", needs = { "palette" }, asks = { system = prompts.selector() }, choose = choose }
