--- Assertions on results and captures. They raise at the caller's line, with what was there.
local check = require "curia.language.check"
local equal = require "curia.equal"
local json = require "curia.json"
local results = require "curia.engine.result"
local run_class = require "curia.engine.run"
local suggest = require "curia.suggest"
local summary = require "curia.testing.summary"

local M = {}

-- ---- the result ---------------------------------------------------------------------------------------

-- Results of captures come with the terminal event; before it, a run tells what it has so far.
local function of_capture(capture)
  for _, kind in ipairs { "run_completed", "run_failed" } do
    for _, event in ipairs(capture:of(kind)) do
      if event.run_id == capture.run.id then return event.result end
    end
  end
  local run = capture.run
  return { council = run.plan.spec.name, status = run.status, rounds = run.finished, errors = run.failures }
end

local function result_of(source, what)
  if check.class(source) == "curia.testing.capture" and source.run then return of_capture(source) end
  if run_class.is(source) then source = source.outcome end
  if type(source) == "table" and type(source.rounds) == "table" then return source end
  error(("bad argument #1 to '%s' (a result, or a capture of a run, expected)"):format(what), 3)
end

local function fail(result, message)
  error(message .. "\nwhat was there: " .. summary.of(result), 3)
end

-- ---- finding --------------------------------------------------------------------------------------------

local function round_of(result, name)
  local found, names = nil, {}
  for _, round in ipairs(result.rounds) do
    names[round.name] = true
    if round.name == name then found = round end
  end
  return found, found and "" or suggest.hint(name, names)
end

local function shown(value)
  if type(value) == "string" then return ("'%s'"):format(value) end
  return type(value) == "table" and json.encode(value) or tostring(value)
end

-- ---- members --------------------------------------------------------------------------------------------

local MEMBER = { status = true, content = true, contains = true, parsed = true, attempts = true }

local function value_of(member, field)
  if field == "status" or field == "attempts" then return member[field] end
  return member.response and member.response[field == "contains" and "content" or field]
end

local function fits(field, expected, value)
  if field == "contains" then return type(value) == "string" and value:find(expected, 1, true) ~= nil end
  return equal(value, expected)
end

local function check_fields(what, expected, known, level)
  for name in pairs(expected) do
    if not known[name] then
      error(("%s: unknown field '%s'%s"):format(what, tostring(name), suggest.hint(name, known)), level + 1)
    end
  end
end

-- The first of the expected fields that differs, as text.
local function difference(member, expected)
  for _, field in ipairs(summary.sorted_keys(expected)) do
    local value = value_of(member, field)
    if not fits(field, expected[field], value) then
      return ("%s is %s, not %s"):format(field == "contains" and "content" or field, shown(value),
        (field == "contains" and "a text with " or "") .. shown(expected[field]))
    end
  end
end

local function normal(expected)
  return type(expected) == "string" and { status = expected } or expected
end

local function member_fault(round, id, expected)
  local member = round.results[id]
  if not member then
    return ("round %s: there is no member %s%s"):format(round.name, id, suggest.hint(id, round.results))
  end
  local differs = difference(member, expected)
  return differs and ("round %s: member %s: %s"):format(round.name, id, differs)
end

-- ---- assertions -------------------------------------------------------------------------------------------

local function decision_fault(where, decision, expected)
  if not decision then return where .. "there is no decision" end
  if type(expected) ~= "table" then expected = { winner = expected } end
  for _, field in ipairs(summary.sorted_keys(expected)) do
    if not equal(decision[field], expected[field]) then
      return ("%sthe decision's %s is %s, not %s"):format(where, field, shown(decision[field]), shown(expected[field]))
    end
  end
end

local function members_fault(round, members)
  for _, id in ipairs(summary.sorted_keys(members)) do
    local fault = member_fault(round, id, normal(members[id]))
    if fault then return fault end
  end
end

local function check_members(what, members)
  for _, expected in pairs(members) do check_fields(what, normal(expected), MEMBER, 3) end
end

local ROUND = { members = true, decision = true }

--- A round has been run to its end. Of the members and the decision, only what is said is compared.
---@param source table a result, a capture, or a run that has ended
---@param name string of the round
---@param expected? {members?: table<string, string|table>, decision?: string|table} members: a status, or a table
--- of `status`, `content`, `contains`, `parsed`, `attempts`; decision: the winner, or fields of the decision
---@return table round its result
function M.assert_round_completed(source, name, expected)
  local result = result_of(source, "assert_round_completed")
  expected = expected or {}
  check_fields("assert_round_completed", expected, ROUND, 2)
  check_members("assert_round_completed", expected.members or {})
  local round, hint = round_of(result, name)
  if not round then fail(result, ("round %s was not run%s"):format(name, hint)) end
  local fault = members_fault(round, expected.members or {})
  if not fault and expected.decision ~= nil then
    fault = decision_fault(("round %s: "):format(name), round.decision, expected.decision)
  end
  if fault then fail(result, fault) end
  return round
end

local function last_round_of(result, id)
  local ids = {}
  for i = #result.rounds, 1, -1 do
    local round = result.rounds[i]
    if round.results[id] then return round end
    for other in pairs(round.results) do ids[other] = true end
  end
  return nil, suggest.hint(id, ids)
end

local function place_of(result, id, round_name)
  if round_name then return round_of(result, round_name) end
  return last_round_of(result, id)
end

--- A member's last result is as expected.
---@param source table a result, a capture, or a run that has ended
---@param id string
---@param expected? string|table a status ("ok"), or as in `assert_round_completed`; and `round`
---@return table member its result
function M.assert_member(source, id, expected)
  local result = result_of(source, "assert_member")
  local wanted = {}
  for field, value in pairs(normal(expected or "ok")) do wanted[field] = value end
  local name = wanted.round
  wanted.round = nil
  check_fields("assert_member", wanted, MEMBER, 2)
  local round, hint = place_of(result, id, name)
  if not round then
    fail(result, (name and "round " .. name .. " was not run" or "there is no result of member " .. id) .. hint)
  end
  local fault = member_fault(round, id, wanted)
  if fault then fail(result, fault) end
  return round.results[id]
end

local function last_decision(result)
  for i = #result.rounds, 1, -1 do
    if result.rounds[i].decision then return result.rounds[i].decision end
  end
end

--- The council has decided as expected.
---@param source table a result, a capture, or a run that has ended
---@param expected string|table the winner, or fields of the decision
---@return table decision
function M.assert_decision(source, expected)
  local result = result_of(source, "assert_decision")
  local decision = result.decision or last_decision(result)
  local fault = decision_fault("", decision, expected)
  if fault then fail(result, fault) end
  return decision
end

--- No member has failed, no error was noted, and the result is whole.
---@param source table a result, a capture, or a run that has ended
---@return table result
function M.assert_no_failures(source)
  local result = result_of(source, "assert_no_failures")
  for _, round in ipairs(result.rounds) do
    for _, id in ipairs(summary.sorted_keys(round.results)) do
      local member = round.results[id]
      if member.status ~= "ok" and not results.excused(member) then
        fail(result, ("round %s: member %s: %s"):format(round.name, id, tostring(member.error or member.status)))
      end
    end
  end
  if result.errors and result.errors[1] then fail(result, "there are errors: " .. tostring(result.errors[1])) end
  return result
end

return M
