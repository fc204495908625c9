--- Calibration: from the confidence that members give to how often they were right (SPEC 6).
--
-- Tell how answers turned out, `curia.calibration.record(result, correct)`; members with
-- `confidence = { ..., calibrate = true }` go by the curve that follows from it, each by its own. Outcomes live where
-- the configuration's `reliability` is kept: in a database with "sqlite", else in memory. `curve` makes a curve of
-- outcomes that you keep yourself.
local config = require "curia.config"
local isotonic = require "curia.isotonic"
local lazy = require "curia.lazy"
local memory = require "curia.calibration.memory"
local sqlite = lazy "curia.calibration.sqlite"

local M = {}

--- Below so many outcomes a member's numbers stay as they are.
M.FEWEST = 20

local MOST = 10000 -- of one member

local function is_share(value)
  return type(value) == "number" and value >= 0 and value <= 1
end

-- What the member said before any calibration.
local function raw_of(result)
  local metadata = result.metadata
  return metadata and metadata.raw_confidence or result.confidence
end

local function backend()
  local chosen = config.shared():get "reliability"
  if chosen == "sqlite" then return sqlite.configured end
  if type(chosen) ~= "table" or chosen.backend ~= "sqlite" then return memory end
  return chosen.store and sqlite.at(chosen.store, chosen.prefix) or sqlite.configured
end

local function check_result(result)
  if type(result) ~= "table" or type(result.member) ~= "string" then
    error("bad argument #1 to 'record' (a member result expected)", 3)
  end
end

--- Records whether an answer was right.
---@async where outcomes are kept in a database
---@param result curia.MemberResult or `{ member =, confidence = }`
---@param correct boolean
---@return boolean? recorded false for a result without confidence
---@return curia.Error? err kind `storage`
function M.record(result, correct)
  check_result(result)
  if type(correct) ~= "boolean" then error("bad argument #2 to 'record' (boolean expected)", 2) end
  local raw = raw_of(result)
  if raw == nil then return false end
  if not is_share(raw) then error("bad argument #1 to 'record' (its confidence is no number from 0 to 1)", 2) end
  return backend().record(result.member, raw, correct, MOST)
end

-- ---- curves ---------------------------------------------------------------------------------------

local known = setmetatable({}, { __mode = "k" }) -- by backend and member: { version =, steps = }

local function fitted(store, id, version)
  local outcomes, err = store.outcomes(id, MOST)
  if not outcomes then return nil, err end
  return { version = version, steps = #outcomes >= M.FEWEST and isotonic.fit(outcomes) or nil }
end

-- The member's curve; one without steps leaves numbers as they are.
local function curve_of(store, id)
  known[store] = known[store] or {}
  local version, err = store.version(id)
  if not version then return nil, err end
  local curve = known[store][id]
  if curve and curve.version == version then return curve end
  curve, err = fitted(store, id, version)
  known[store][id] = curve
  return curve, err
end

--- A member's calibrated confidence.
---@async where outcomes are kept in a database
---@param id string the member
---@param raw number
---@return number calibrated `raw` as it is below 20 outcomes, and when the database is down
---@return curia.Error? err kind `storage`
function M.apply(id, raw)
  local curve, err = curve_of(backend(), id)
  if not curve or not curve.steps then return raw, err end
  return isotonic.at(curve.steps, raw)
end

local function point(outcome, i)
  if type(outcome) ~= "table" or not is_share(outcome.confidence) or type(outcome.correct) ~= "boolean" then
    error(("bad argument #1 to 'curve' (outcome %d is not {confidence =, correct =})"):format(i), 3)
  end
  return { x = outcome.confidence, y = outcome.correct and 1 or 0 }
end

--- A curve of outcomes that you have kept, for `calibrate = curve`.
---@param outcomes {confidence: number, correct: boolean}[]
---@return fun(raw: number): number
function M.curve(outcomes)
  if type(outcomes) ~= "table" then error("bad argument #1 to 'curve' (a list expected)", 2) end
  local points = {}
  for i, outcome in ipairs(outcomes) do points[i] = point(outcome, i) end
  if #points < M.FEWEST then return function(raw) return raw end end
  local steps = isotonic.fit(points)
  return function(raw) return isotonic.at(steps, raw) end
end

--- Forgets the outcomes of a member, or all.
---@async where outcomes are kept in a database
---@param id? string
---@return true?
---@return curia.Error? err kind `storage`
function M.forget(id)
  return backend().forget(id)
end

return M
