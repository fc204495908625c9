--- What a run will take, before a call is made (SPEC 11): bounds for calls, tokens and money, as long as nothing fails.
--
-- The least is what the texts that are known already need; the most takes every answer to be as long as its member
-- may make it, and as long again for each who reads it. What has no bound (a council in free Lua, a member that is
-- one of its own) is named in `unknown`.
local config = require "curia.config"
local cost = require "curia.cost"
local planning = require "curia.language.rounds"
local prompts = require "curia.prompts"
local runs = require "curia.engine.runs"
local sharing = require "curia.registry.sharing"
local tokens = require "curia.engine.tokens"

local M = {}

-- Tokens of what a round says around question and answers.
local PROMPT_TOKENS = 500

local MAX_TOOL_ROUNDS, REPAIRS = 8, 1

local NONE = {}

---@class curia.Span
---@field min number
---@field max? number nil: there is no bound

---@class curia.ModelEstimate
---@field provider string
---@field model string
---@field calls curia.Span
---@field input_tokens curia.Span
---@field output_tokens curia.Span
---@field usd? curia.Span nil: the model has no price

---@class curia.Estimate
---@field council string
---@field calls curia.Span
---@field attempts? integer most attempts, should calls fail
---@field tokens curia.Span
---@field usd? curia.Span nil: a model has no price
---@field rounds {name: string, calls: curia.Span}[]
---@field models curia.ModelEstimate[]
---@field unknown? string[] what has no bound

local function span()
  return { min = 0, max = 0 }
end

local function add(total, min, max)
  total.min, total.max = total.min + min, total.max + max
end

local function doubt(estimate, text)
  estimate.unknown = estimate.unknown or {}
  table.insert(estimate.unknown, text)
end

-- ---- who is asked, and how often ------------------------------------------------------------------

local function participants(round, plan)
  if round.module.chair then return { plan.chair } end
  if not round.members then return plan.members end
  local members = {}
  for i, id in ipairs(round.members) do members[i] = plan.by_id[id] end
  return members
end

local function asked_in(estimate, round, plan)
  local asked = {}
  for _, member in ipairs(participants(round, plan)) do
    if member.model then asked[#asked + 1] = member
    else doubt(estimate, ("%s in %s has no model of its own"):format(member.id, round.name)) end
  end
  return asked
end

-- One call may be several requests: tool turns, repairs.
local function requests_of(member, round)
  local most = 1
  if member.tools then most = most + (member.max_tool_rounds or MAX_TOOL_ROUNDS) end
  if member.schema or round.schema then most = most + (member.repair or REPAIRS) end
  return most
end

-- ---- tokens and money -----------------------------------------------------------------------------

local function line_of(estimate, member)
  for _, line in ipairs(estimate.models) do
    if line.provider == member.provider_name and line.model == member.model then return line end
  end
  local line = {
    provider = member.provider_name, model = member.model, calls = span(), input_tokens = span(),
    output_tokens = span(), usd = span(),
  }
  table.insert(estimate.models, line)
  return line
end

local function add_usd(line, member, calls, input, output, prices)
  local function price(side)
    return cost.estimate(input[side], output[side], member.model, member.provider_name, prices)
  end
  if not line.usd or not price "min" then
    line.usd = nil
    return
  end
  add(line.usd, calls.min * price "min", calls.max * price "max")
end

local function text_bytes(value)
  return type(value) == "string" and #value or 0
end

-- `read`: tokens of others' answers that the member may see.
local function add_calls(estimate, member, calls, scene, read)
  local known = tokens.of_bytes(scene.question_bytes + text_bytes(member.system) + text_bytes(member.role))
  local input, output = { min = known, max = known + PROMPT_TOKENS + read }, { min = 1, max = tokens.output(member) }
  local line = line_of(estimate, member)
  add(line.calls, calls.min, calls.max)
  add(line.input_tokens, calls.min * input.min, calls.max * input.max)
  add(line.output_tokens, calls.min * output.min, calls.max * output.max)
  add_usd(line, member, calls, input, output, scene.prices)
  return calls.max * output.max
end

-- ---- rounds ---------------------------------------------------------------------------------------

-- Tokens of earlier answers that a round shows; one that does not say may show all.
local function shown_in(round, said)
  local scope = round.module.about and round.module.about.input_scope
  if scope == "original" then return 0 end
  return scope == "previous_round" and said.last or said.all
end

local function add_round(estimate, round, scene, said)
  local asked = asked_in(estimate, round, scene.plan)
  local fewest, most = planning.calls(round, scene.plan)
  if round.module.run and not round.module.calls then doubt(estimate, round.name .. " asks in its own way") end
  local calls, spoken, shown = { min = fewest, max = 0 }, 0, shown_in(round, said)
  for _, member in ipairs(asked) do
    local own = { min = fewest // #asked, max = math.ceil(most / #asked) * requests_of(member, round) }
    calls.max = calls.max + own.max
    scene.asked_at_most = scene.asked_at_most + own.max * (1 + #(member.fallback or NONE))
    spoken = spoken + add_calls(estimate, member, own, scene, shown)
  end
  calls.max = math.max(calls.max, most)
  table.insert(estimate.rounds, { name = round.name, calls = calls })
  add(estimate.calls, calls.min, calls.max)
  said.all, said.last = said.all + spoken, spoken
end

local function add_rounds(estimate, scene)
  local said = { all = 0, last = 0 }
  for _, round in ipairs(scene.plan.rounds) do add_round(estimate, round, scene, said) end
end

-- ---- the whole ------------------------------------------------------------------------------------

local function sum_up(estimate, asked_at_most)
  estimate.tokens, estimate.usd = span(), span()
  for _, line in ipairs(estimate.models) do
    add(estimate.tokens, line.input_tokens.min + line.output_tokens.min, line.input_tokens.max + line.output_tokens.max)
    if estimate.usd and line.usd then add(estimate.usd, line.usd.min, line.usd.max) else estimate.usd = nil end
  end
  if estimate.unknown then
    estimate.calls.max, estimate.tokens.max = nil, nil
    if estimate.usd then estimate.usd.max = nil end
  else
    estimate.attempts = math.floor(1.2 * asked_at_most + 3) -- the retry budget; fallbacks are calls of their own
  end
  return estimate
end

local function question_bytes(input)
  if input == nil then return 0 end
  return #prompts.question(input)
end

--- Bounds for a run that is not begun. The same council and options that `start` refuses are refused here.
---@param given curia.Council|string a council, or the name of a registered one
---@param input? any as for `start`
---@param opts? table as for `start`
---@return curia.Estimate?
---@return curia.Error? err as of `start`
function M.estimate(given, input, opts)
  sharing.freshen()
  local conf = config.shared()
  local plan, _, err = runs.prepare(given, opts, conf)
  if err then return nil, err end
  local estimate = { council = plan.spec.name, calls = span(), rounds = {}, models = {} }
  if plan.run then doubt(estimate, "the council is a function and asks as it likes") end
  local scene = {
    plan = plan, question_bytes = question_bytes(input), prices = conf:get("prices"), asked_at_most = 0,
  }
  add_rounds(estimate, scene)
  return sum_up(estimate, scene.asked_at_most)
end

return M
