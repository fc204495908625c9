--- The confidence of a member in its answer (SPEC 6): what a turn asks for, reads, and measures when it is over.
local lazy = require "curia.lazy"
local answer = require "curia.engine.answer"
local calibration = lazy "curia.calibration"
local confidence = require "curia.confidence"
local lower = require "curia.language.lower"
local probes = require "curia.engine.probe"
local user_code = require "curia.engine.user_code"

local M = {}

-- ---- what a member is measured by, resolved once --------------------------------------------------

local function resolve_functions(rules, options, registry)
  for name, rule in pairs(rules) do
    if rule.ref == "function" and type(options[name]) == "string" then
      options[name] = registry:lookup("function", options[name]) or options[name]
    end
  end
end

local function resolve(value, registry)
  local options = confidence.long(value)
  local strategy = confidence.strategy(options.strategy, registry)
  local rules = confidence.fields(strategy)
  options = lower.record(rules, options)
  resolve_functions(rules, options, registry)
  return { strategy = strategy, options = options }
end

local measures = setmetatable({}, { __mode = "k" })

local function measure_of(turn)
  local member = turn.member
  measures[member] = measures[member] or resolve(member.confidence, turn.run.config.registry)
  return measures[member]
end

-- ---- before and during the turn -------------------------------------------------------------------

local function tell_failure(turn, err)
  turn.run.log:emit("log", { level = "warn",
    text = ("the confidence of member %s could not be measured: %s"):format(turn.member.id, err.message) })
end

-- Calls a function of a strategy: what it raises costs the confidence, not the answer.
local function called(turn, what, fn, ...)
  local ok, value, why = user_code.try(("%s of member %s"):format(what, turn.member.id), fn, ...)
  if ok then return value, why end
  tell_failure(turn, value)
  return nil, value.message
end

-- Takes the member's own words about its answer out of it; what is left must be an answer.
local function read(turn, response)
  local strategy = turn.confidence.strategy
  turn.stated, turn.unstated = called(turn, "confidence", strategy.read, response, turn.request)
  return answer.fault(response, turn.member)
end

-- Whether the turn's answer shall be measured: asks that a strategy makes through `ctx` are not.
local function is_measured(turn)
  return not turn.ctx._measuring
end

--- Makes the request ask for what the member's strategy needs.
---@param turn curia.Turn
---@param request table
function M.prepare(turn, request)
  if not is_measured(turn) then return end
  local measure = measure_of(turn)
  local strategy = measure.strategy
  if strategy.prepare then called(turn, "confidence", strategy.prepare, request, turn.member) end
  turn.confidence, turn.request, turn.probe = measure, request, probes.new(turn, request)
  if strategy.read then turn.read = read end
end

-- ---- after the turn -------------------------------------------------------------------------------

local function in_range(value, why)
  if value == nil then return nil, why and tostring(why) end
  if type(value) == "number" and value >= 0 and value <= 1 then return value end
  return nil, ("%s is no number from 0 to 1"):format(tostring(value))
end

local function raw_of(turn, measure, response)
  local fn = measure.strategy.measure
  if not fn then return in_range(turn.stated, turn.unstated) end
  local ctx = setmetatable({ _measuring = true }, { __index = turn.ctx })
  return in_range(called(turn, "confidence", fn, response, ctx, turn.member, turn.probe, measure.options))
end

-- What is known of a member changes: a run that is resumed goes by what was known then.
local function by_outcomes(run, id, raw)
  local function apply() return calibration.apply(id, raw) end
  if not run.journal then return apply() end
  return run.journal:value { path = "calibration/" .. id, kind = "step", input = { raw = raw }, call = apply }
end

local function calibrated(turn, calibrate, raw)
  if calibrate ~= true then return in_range(called(turn, "calibrate", calibrate, raw)) end
  local value, err = by_outcomes(turn.run, turn.member.id, raw)
  if not err then return value end
  turn.ctx:log("error", tostring(err))
  return raw, "not calibrated: " .. err.message
end

---@class curia.Confidence
---@field value? number from 0 to 1
---@field raw? number before it was calibrated; nil where it is not
---@field why? string why there is no value

--- Measures an answer. From now on the answer counts, however the turn ends.
---@async
---@param turn curia.Turn
---@param response table
---@return curia.Confidence?
function M.measure(turn, response)
  if not is_measured(turn) then return nil end
  turn.answer = response
  local measure = turn.confidence or measure_of(turn)
  local calibrate = measure.options.calibrate
  local raw, why = raw_of(turn, measure, response)
  if not raw or not calibrate then return { value = raw, why = why } end
  local value
  value, why = calibrated(turn, calibrate, raw)
  return { value = value, raw = raw, why = why }
end

local function extended(metadata, found)
  local made = {}
  for name, value in pairs(metadata or {}) do made[name] = value end
  made.raw_confidence, made.confidence_note = found.raw, found.why
  return made
end

--- Puts what was measured into the member's result.
---@param result curia.MemberResult
---@param found curia.Confidence
---@return curia.MemberResult the same
function M.tell(result, found)
  result.confidence = found.value
  if found.raw or found.why then result.metadata = extended(result.metadata, found) end
  return result
end

return M
