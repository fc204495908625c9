--- `auto "name" { strategy =, catalog = }`: a council that chooses a council for each input (SPEC 8).
--
-- Strategies say which entry of the catalog answers; the choice is told in `metadata.auto`. A strategy is a module of
-- `curia.auto` or a function, with one call: `choose(ctx, entries, opts) -> choice or nil, reason`; a choice is
-- `{entry = entry}` or `{council = council}` with `reason` and `score`.
local catalog = require "curia.auto.catalog"
local check = require "curia.language.check"
local clock = require "curia.core.clock"
local council = require "curia.council"
local dsl = require "curia.language.dsl"
local errors = require "curia.errors"
local fields = require "curia.language.fields"
local lower = require "curia.language.lower"
local strategies = require "curia.auto.strategies"
local telemetry = require "curia.telemetry"
local told = require "curia.telemetry.auto"

local M = {}

local function field(kind, doc, more)
  local rule = more or {}
  rule.type, rule.doc = kind, doc
  return rule
end

--- The fields of `auto`.
M.fields = {
  about = fields.council.about,
  strategy = field("string|table|function", "rules, cascade, embedding, llm_classify, llm_build, or a function",
    { required = true }),
  catalog = field("list|string", 'what is chosen from, or "registry": all registered councils',
    { enum = { "registry" }, items = field("record", "an entry", { fields = catalog.fields }) }),
  on_no_match = field("string|council", "error, or the council that answers then",
    { enum = { "error" } }),
  provider_check = field("boolean", "leave out councils whose providers have no key"),
  profile = fields.member.profile, provider = fields.member.provider, model = fields.member.model,
  embedder = field("function|record", "function(texts) -> vectors, or {provider, model}", { fields = {
    provider = field("string", "provider by name", { required = true }),
    model = field("string", "model of embeddings", { required = true }),
  } }),
  palette = field("record", "what llm_build composes from", { fields = {
    members = field("list", "members to choose from", { required = true, nonempty = true,
      items = field("table", "a member, with `about` for the model that chooses") }),
    rounds = field("list", "rounds allowed", { items = field("string", "a round's type") }),
    chair = field("table", "the chair of what is built"),
  } }),
  max_members = field("integer", "most members of what is built", { min = 1, max = 50 }),
  metadata = fields.council.metadata,
}

local function misuse(name, faults)
  local first = faults[1]
  error(("auto '%s': %s: %s"):format(name, first.path, first.message), 4)
end

local function read(name, body)
  local opts, faults = lower.record(M.fields, body), check.faults()
  check.record(M.fields, opts, "", "auto", faults)
  strategies.check(opts, faults)
  if #faults > 0 then misuse(name, faults:take()) end
  return opts
end

local function no_match(reason)
  return errors.new("validation", "auto: no council fits: " .. reason, { code = "no_match" })
end

local function fallback(opts, reason)
  if council.is(opts.on_no_match) then return { council = opts.on_no_match, kind = "static", reason = reason } end
  error(no_match(reason), 0)
end

local function kind_of(choice, opts)
  return choice.kind or opts.catalog == "registry" and "data" or "static"
end

local function choose(ctx, opts)
  local entries, total = catalog.entries(opts)
  if telemetry.on["auto.catalog_filtered"] then told.filtered(ctx, total, #entries) end
  local choice, reason = strategies.choose(opts.strategy, ctx, entries, opts)
  return choice or fallback(opts, reason or "no entry matched")
end

local function tell(ctx, choice, opts, began)
  ctx.metadata.auto = {
    strategy = choice.strategy or strategies.name(opts.strategy), catalog_id = choice.entry and choice.entry.id,
    reason = choice.reason, score = choice.score, kind = kind_of(choice, opts),
    latency_ms = (clock.us() - began) / 1000,
  }
  if telemetry.on["auto.decision"] then told.decision(ctx, clock.us() - began) end
end

local function answer(ctx, choice)
  local result, err = ctx:run(choice.council or choice.entry.council)
  ctx.metadata.sub_run_id = result and result.run_id
  ctx.metadata.sub_result = result
  if err then error(err, 0) end
  if result.final then ctx:conclude(result.final) end
end

-- The member that is asked where a model chooses.
local function selector(opts)
  local asks = strategies.asks(opts.strategy)
  if not asks then return {} end
  return { { id = "selector", profile = opts.profile, provider = opts.provider, model = opts.model,
    system = asks.system } }
end

local function make(name, body)
  local opts = read(name, body)
  return dsl.council(name) {
    about = opts.about, metadata = opts.metadata, members = selector(opts),
    run = function(ctx)
      local began = clock.us()
      local choice = choose(ctx, opts)
      tell(ctx, choice, opts, began)
      answer(ctx, choice)
    end,
  }
end

--- `auto "name" { ... }`
---@param name string
---@return fun(body: table): curia.Council
function M.word(name)
  if type(name) ~= "string" or name == "" then
    error("bad argument #1 to 'auto' (a name expected: auto \"name\" { ... })", 2)
  end
  return function(body)
    if type(body) ~= "table" then error(("auto '%s' must be followed by { ... }"):format(name), 2) end
    return make(name, body)
  end
end

return M
