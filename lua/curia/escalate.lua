--- `escalate { from =, to =, when = }`: the small council first, the large one only where the small one's decision
-- is not good enough (SPEC 8).
local check = require "curia.language.check"
local dsl = require "curia.language.dsl"
local fields = require "curia.language.fields"
local lower = require "curia.language.lower"
local user_code = require "curia.engine.user_code"

local M = {}

local LEAST_MARGIN = 0.2

--- The fields of `escalate`.
M.fields = {
  name = { type = "string", doc = "name of the council (escalate)", nonempty = true },
  about = fields.council.about,
  from = { type = "council|string", doc = "the council that is asked first", required = true, ref = "council",
    code = "unknown_council" },
  to = { type = "council|string", doc = "the council that is asked where `when` says so", required = true,
    ref = "council", code = "unknown_council" },
  when = { type = "function", doc = "function(decision, result) -> true to escalate" },
  metadata = fields.council.metadata,
}

-- Without a decision that somebody won clearly there is nothing to rely on.
local function unclear(decision)
  return decision == nil or decision.winner == nil or decision.tie or decision.margin < LEAST_MARGIN
end

local function must_escalate(opts, result, err)
  if err then return true, "the first council failed: " .. tostring(err) end
  local wanted, problem = user_code.call("when of escalate", opts.when or unclear, result.decision, result)
  if problem then error(problem, 0) end
  return wanted and true or false, wanted and "its decision was not good enough" or nil
end

local function conclude(ctx, result, err)
  ctx.metadata.sub_run_id, ctx.metadata.sub_result = result and result.run_id, result
  if err then error(err, 0) end
  if result.final then ctx:conclude(result.final) end
end

local function run(ctx, opts)
  local first, err = ctx:run(opts.from)
  local wanted, reason = must_escalate(opts, first, err)
  ctx.metadata.escalated = { escalated = wanted, reason = reason, first = first }
  if not wanted then return conclude(ctx, first, nil) end
  conclude(ctx, ctx:run(opts.to))
end

local function make(given)
  local opts, faults = lower.record(M.fields, given), check.faults()
  check.record(M.fields, opts, "", "escalate", faults)
  if #faults > 0 then error("escalate: " .. faults[1].message, 3) end
  return dsl.council(opts.name or "escalate") {
    about = opts.about, metadata = opts.metadata, run = function(ctx) return run(ctx, opts) end,
  }
end

--- `escalate { from =, to = }`, or `escalate "name" { from =, to = }`.
---@param given string|table
---@return curia.Council|fun(body: table): curia.Council
function M.word(given)
  if type(given) == "table" then return make(given) end
  if type(given) ~= "string" then error("bad argument #1 to 'escalate' (a name or { ... } expected)", 2) end
  return function(body)
    if type(body) ~= "table" then error(("escalate '%s' must be followed by { ... }"):format(given), 2) end
    body.name = given
    return make(body)
  end
end

return M
