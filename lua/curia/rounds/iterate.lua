--- Runs a round again and again, until it has settled or often enough.
--
-- Each iteration is a round result of its own in `metadata.iterations`, with events that carry `iteration`. Each sees
-- those before it as rounds before it; the rounds after this one see one round: the last iteration that went well,
-- whose results, decision and metadata this round takes over. So `idx` stays the place in the council's list, and
-- "the previous round" is the last word, not all drafts of it.
local errors = require "curia.errors"
local lower = require "curia.language.lower"
local planning = require "curia.language.rounds"
local user_code = require "curia.engine.user_code"

local MAX_ITERATIONS = 3

-- The type of the wrapped round, and its options.
local function wrapped(opts)
  local record, options = lower.round_record(opts.round), {}
  for name, value in pairs(record) do
    if name ~= "type" then options[name] = value end
  end
  return record.type, options
end

local function converged_of(kind, registry)
  local module = planning.resolve(kind, registry)
  return module and module.converged
end

-- What says that it is enough: the option `until`, else the wrapped round itself, else nothing. It is asked after each
-- iteration, the first included, which has no previous one.
local function test_of(opts, kind, registry)
  local test = opts["until"] or converged_of(kind, registry)
  if type(test) ~= "string" then return test end
  return nil, errors.new("validation", ("round %s: until: no function is registered as '%s'"):format(opts.name, test))
end

local OWN = { iterations = true, stopped = true }

-- Makes an iteration's outcome this round's.
local function adopt(result, iteration)
  result.results, result.answers = iteration.results, iteration.answers
  for name, value in pairs(iteration.metadata) do
    if not OWN[name] then result.metadata[name] = value end
  end
  return iteration.decision
end

-- However this round ends, it has the results of an iteration, if only those of one that was cut short.
local function keep_last(guard)
  local result = guard.result
  local iterations = result.metadata.iterations
  if next(result.results) == nil and iterations then adopt(result, iterations[#iterations]) end
end

local Keeping = { __close = keep_last }

-- A failure that leaves an earlier iteration to go on with is told, and ends no run.
local function give_up(result, err, fatal, previous)
  result.metadata.stopped = "failed"
  if fatal or not previous then return nil, err end
  result.error = err
  return previous.decision
end

local function iterate(ctx, kind, options, test)
  local result, what, previous = ctx.result, "until of round " .. ctx.round.name, nil
  local _ <close> = setmetatable({ result = result }, Keeping)
  for _ = 1, ctx.opts.max_iterations or MAX_ITERATIONS do
    local current, err, fatal = ctx:round(kind, options)
    if err then return give_up(result, err, fatal, previous) end
    local decision, enough = adopt(result, current), false
    if test then enough, err = user_code.call(what, test, previous, current, options) end
    if err then return nil, err end
    if enough then
      result.metadata.stopped = "converged"
      return decision
    end
    previous = current
  end
  result.metadata.stopped = "max_iterations"
  return previous.decision
end

local function run(ctx)
  local kind, options = wrapped(ctx.opts)
  local test, err = test_of(ctx.opts, kind, ctx._run.config.registry)
  if err then return nil, err end
  return iterate(ctx, kind, options, test)
end

return {
  name = "iterate",
  options = {
    round = { type = "string|table", doc = "what is repeated: a type, or a table of a type and its options",
      required = true, round = true },
    ["until"] = { type = "function|string", doc = "function(previous, current, opts): enough?",
      ref = "function" },
    stop_when = { type = "function|string", doc = "the same: until is a word of Lua's own", ref = "function",
      alias = "until" },
    max_iterations = { type = "integer", doc = "most repetitions (3)", min = 1, max = 1000 },
  },
  run = run,
}
