--- `curia estimate COUNCIL [QUESTION]`: what a run will take, before a call is made.
local estimates = require "curia.engine.estimate"
local input = require "curia.cli.input"
local json = require "curia.json"
local library = require "curia.cli.library"
local usage = require "curia.cli.usage"
local words = require "curia.view.words"

local M = {}

local function span_text(span, write)
  if not span.max then return "at least " .. write(span.min) end
  local least, most = write(span.min), write(span.max)
  return least == most and least or least .. " to " .. most
end

local function dollars(usd)
  return ("$%.4f"):format(usd)
end

local function calls_text(calls)
  return ("%s %s"):format(span_text(calls, words.count), calls.max == 1 and "call" or "calls")
end

local function usd_text(usd)
  return usd and span_text(usd, dollars) or "no price known"
end

local function tell(estimate)
  io.write(("%s: %s%s\n"):format(estimate.council, calls_text(estimate.calls),
    estimate.attempts and (", at most %s attempts"):format(words.count(estimate.attempts)) or ""))
  for _, round in ipairs(estimate.rounds) do io.write(("  %s: %s\n"):format(round.name, calls_text(round.calls))) end
  for _, line in ipairs(estimate.models) do
    io.write(("%s/%s: %s, %s tokens in, %s out, %s\n"):format(line.provider, line.model, calls_text(line.calls),
      span_text(line.input_tokens, words.count), span_text(line.output_tokens, words.count), usd_text(line.usd)))
  end
  io.write(("in all: %s tokens, %s\n"):format(span_text(estimate.tokens, words.count), usd_text(estimate.usd)))
  for _, text in ipairs(estimate.unknown or {}) do io.write("not known: ", text, "\n") end
end

local function document(estimate)
  estimate.rounds, estimate.models = json.array(estimate.rounds), json.array(estimate.models)
  estimate.unknown = estimate.unknown and json.array(estimate.unknown)
  return assert(json.encode(estimate, { indent = 2 })) .. "\n"
end

local function failed(err)
  io.stderr:write("curia: ", err.message, "\n")
  for _, fault in ipairs(err.context and err.context.faults or {}) do
    io.stderr:write(("  %s: %s: %s\n"):format(fault.path, fault.code, fault.message))
  end
  return 1
end

-- The question may be missing: then the bounds are those of an empty one.
local function read_input(values, rest)
  local question = table.concat(rest, " ", 2)
  return input.read(question ~= "" and question or not values.input and "" or nil, values.input)
end

--- `curia estimate COUNCIL [QUESTION] [OPTIONS]`
---@param values table options
---@param rest string[] the council, then the question's words
---@return integer exit code
function M.main(values, rest)
  if not rest[1] then return usage.misused("the council is missing", "estimate") end
  local council, err = library.load(rest[1])
  if not council then return err.code == "not_found" and usage.misused(err.message, "estimate") or failed(err) end
  local given, message = read_input(values, rest)
  if not given then return usage.misused(message, "estimate") end
  local estimate
  estimate, err = estimates.estimate(council, given)
  if not estimate then return failed(err) end
  if values.json then io.write(document(estimate)) else tell(estimate) end
  return 0
end

return M
