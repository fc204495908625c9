--- Calibration: from the confidence that members give to how often they were right (SPEC 6).
--
-- Tell how answers turned out, `curia.calibration.record(result, correct)`; members with
-- `confidence = { ..., calibrate = true }` go by the curve that follows from it, each by its own. Outcomes live in
-- memory; `curve` makes a curve of outcomes that you keep yourself.
local isotonic = require "curia.isotonic"

local M = {}

--- Below so many outcomes a member's numbers stay as they are.
M.FEWEST = 20

local MOST = 10000 -- of one member: older ones make room

local members = {} -- id -> {outcomes, count, steps?}

local function is_share(value)
  return type(value) == "number" and value >= 0 and value <= 1
end

-- What the member said before any calibration.
local function raw_of(result)
  local metadata = result.metadata
  return metadata and metadata.raw_confidence or result.confidence
end

local function known(id)
  members[id] = members[id] or { outcomes = {}, count = 0 }
  return members[id]
end

local function check_result(result)
  if type(result) ~= "table" or type(result.member) ~= "string" then
    error("bad argument #1 to 'record' (a member result expected)", 3)
  end
end

--- Records whether an answer was right.
---@param result curia.MemberResult or `{ member =, confidence = }`
---@param correct boolean
---@return boolean recorded false for a result without confidence
function M.record(result, correct)
  check_result(result)
  if type(correct) ~= "boolean" then error("bad argument #2 to 'record' (boolean expected)", 2) end
  local raw = raw_of(result)
  if raw == nil then return false end
  if not is_share(raw) then error("bad argument #1 to 'record' (its confidence is no number from 0 to 1)", 2) end
  local member = known(result.member)
  member.outcomes[member.count % MOST + 1] = { x = raw, y = correct and 1 or 0 }
  member.count, member.steps = member.count + 1, nil
  return true
end


--- A member's calibrated confidence.
---@param id string the member
---@param raw number
---@return number
function M.apply(id, raw)
  local member = members[id]
  if not member or #member.outcomes < M.FEWEST then return raw end
  member.steps = member.steps or isotonic.fit(member.outcomes)
  return isotonic.at(member.steps, raw)
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
---@param id? string
function M.forget(id)
  if id then members[id] = nil else members = {} end
end

return M
