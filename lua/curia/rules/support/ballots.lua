--- Reads ballots: what each says, and why one that cannot be read does not count.
--
-- A rule reads one field of the ballots. A `choice` passes for an ordering of one and for an approval of one, and the
-- head of an ordering for a choice, so that recorded ballots can be counted again by another rule.
-- Nothing in a ballot raises: what is wrong with it is the reason for which it is discarded.
local json = require "curia.json"

local M = {}

-- Beyond this, sums of floats lose the digits that tell two options apart.
local LARGEST = 1e12

-- Names come from models: a reason quotes no more of one than this, in bytes.
local LONGEST_QUOTE = 80

local function is_number(value)
  return type(value) == "number" and value >= -LARGEST and value <= LARGEST
end

local function unknown(verb, id)
  if type(id) ~= "string" then return verb .. " what is no text" end
  return ("%s an unknown option: %s"):format(verb, id:sub(1, LONGEST_QUOTE))
end

-- `seen` holds each known option and the number of the ballot that named it last; an open electorate, whose
-- options are those that the ballots name, knows every text.
local function admits(reading, id)
  return reading.seen[id] ~= nil or reading.open and type(id) == "string"
end

local function read_list(reading, list, verb)
  local seen, number = reading.seen, reading.number
  for i = 1, #list do
    local id = list[i]
    local last = seen[id]
    if not last and not admits(reading, id) then return nil, unknown(verb, id) end
    if last == number then return nil, ("%s an option twice: %s"):format(verb, id:sub(1, LONGEST_QUOTE)) end
    seen[id] = number
  end
  return list
end

-- The fault of the least option that has one, so that the reason does not hang on the order of `pairs`.
local function first_fault(reading, map, verb, is_good, fault)
  local least, reason
  for id, value in pairs(map) do
    local known, name = admits(reading, id), tostring(id)
    if not (known and is_good(value)) and (not least or name < least) then
      least, reason = name, known and fault:format(name:sub(1, LONGEST_QUOTE)) or unknown(verb, id)
    end
  end
  return nil, reason or verb .. " nothing"
end

local READ = {}

function READ.ordering(reading, ballot)
  local ordering = ballot.ordering
  if ordering == nil and ballot.choice ~= nil then ordering = { ballot.choice } end
  if type(ordering) ~= "table" or #ordering == 0 then return nil, "no ordering" end
  return read_list(reading, ordering, "ranks")
end

function READ.choice(reading, ballot)
  local choice = ballot.choice
  if choice == nil and ballot.ordering ~= nil then
    local ordering, reason = READ.ordering(reading, ballot)
    return ordering and ordering[1], reason
  end
  if choice == nil then return nil, "no choice" end
  if reading.seen[choice] or admits(reading, choice) then return choice end
  return nil, unknown("chooses", choice)
end

function READ.approvals(reading, ballot)
  local approvals = ballot.approvals
  if approvals == nil and ballot.choice ~= nil then approvals = { ballot.choice } end
  if type(approvals) ~= "table" then return nil, "no approvals" end
  return read_list(reading, approvals, "approves")
end

--- A choice and how sure of it the voter is.
function READ.confidence(reading, ballot)
  local choice, reason = READ.choice(reading, ballot)
  if not choice then return nil, reason end
  local confidence = ballot.confidence
  if confidence == nil then confidence = reading.default_confidence end
  if confidence == nil then return nil, "no confidence" end
  if not is_number(confidence) or confidence < 0 or confidence > 1 then
    return nil, "its confidence is not between 0 and 1"
  end
  return { option = choice, confidence = confidence }
end

-- The loops over good scores and grades are the hot ones: they call nothing that they need not.
function READ.scores(reading, ballot)
  local scores, seen, good = ballot.scores, reading.seen, false
  if type(scores) ~= "table" then return nil, "no scores" end
  for id, score in next, scores do
    good = (seen[id] or admits(reading, id)) and type(score) == "number" and score >= -LARGEST and score <= LARGEST
    if not good then break end
  end
  if good then return scores end
  return first_fault(reading, scores, "scores", is_number, "its score of %s is no number within 1e12 of 0")
end

function READ.grades(reading, ballot)
  local grades, seen, scale, good = ballot.grades, reading.seen, reading.scale, false
  if type(grades) ~= "table" then return nil, "no grades" end
  for id, grade in next, grades do
    good = (seen[id] or admits(reading, id)) and scale[grade]
    if not good then break end
  end
  if good then return grades end
  return first_fault(reading, grades, "grades", function(grade) return scale[grade] end,
    "its grade of %s is not on the scale")
end

-- ---- the electorate -------------------------------------------------------------------------------

local function add_list(set, list)
  for i = 1, #list do set[list[i]] = true end
end

local function add_keys(set, map)
  for id in pairs(map) do set[id] = true end
end

-- Adds the options that a vote names.
local ADD = {
  ordering = add_list, approvals = add_list, scores = add_keys, grades = add_keys,
  choice = function(set, choice) set[choice] = true end,
  confidence = function(set, vote) set[vote.option] = true end,
}

local function options_of(kind, votes, given)
  local set, options = {}, {}
  if given then add_list(set, given) end
  for i = 1, given and 0 or #votes do ADD[kind](set, votes[i]) end
  for id in pairs(set) do options[#options + 1] = id end
  table.sort(options)
  return options
end

-- One voter, one ballot: the first that can be read.
local function fault_of_voter(reading, voter)
  if type(voter) ~= "string" then return "its voter is no text" end
  return reading.voted[voter] and "another ballot of this voter counts already" or nil
end

local function read_one(reading, ballot)
  if type(ballot) ~= "table" then return nil, "it is no ballot" end
  if ballot.discarded then return nil, tostring(ballot.discarded) end
  local vote, fault = reading.read(reading, ballot)
  if not vote then return nil, fault end
  local voter, weight = ballot.voter, ballot.weight
  if voter ~= nil then
    fault = fault_of_voter(reading, voter)
    if fault then return nil, fault end
    weight = reading.weights[voter] or weight
  end
  if weight == nil then return vote, nil, 1 end
  if is_number(weight) and weight >= 0 then return vote, nil, weight end
  return nil, "its weight is no number from 0 to 1e12"
end

local function name_of(ballot, number)
  local voter = type(ballot) == "table" and ballot.voter
  return type(voter) == "string" and voter or "ballot " .. number
end

local function new_reading(kind, opts)
  local seen, scale = {}, {}
  for _, id in ipairs(opts.options or {}) do seen[id] = 0 end
  for place, grade in ipairs(opts.grades or {}) do scale[grade] = place end
  return {
    read = READ[kind], seen = seen, scale = scale, open = not opts.options, voted = {}, weights = opts.weights or {},
    default_confidence = opts.default_confidence, number = 0,
  }
end

---@class curia.Electorate
---@field options string[] sorted
---@field votes any[] what the ballots that count say, in the form of the rule's `reads`
---@field weights number[] of the votes
---@field total number sum of the weights
---@field used curia.Ballot[] the ballots that count, as they were given
---@field discarded {voter: string, reason: string}[]

--- Reads ballots. The votes are parts of the ballots, not copies: they are only to be read.
---@param kind "choice"|"ordering"|"approvals"|"scores"|"grades"|"confidence" the field that matters
---@param ballots curia.Ballot[]
---@param opts {options?: string[], weights?: table<string, number>} without `options`, all that are named
---@return curia.Electorate
function M.read(kind, ballots, opts)
  local reading = new_reading(kind, opts)
  local votes, weights, used, discarded, n, total = {}, {}, json.array(), json.array(), 0, 0
  for number = 1, #ballots do
    local ballot = ballots[number]
    reading.number = number
    local vote, reason, weight = read_one(reading, ballot)
    if vote then
      n, total = n + 1, total + weight
      votes[n], weights[n], used[n] = vote, weight, ballot
      if ballot.voter then reading.voted[ballot.voter] = true end
    else
      discarded[#discarded + 1] = { voter = name_of(ballot, number), reason = reason }
    end
  end
  return {
    options = options_of(kind, votes, opts.options), votes = votes, weights = weights, total = total,
    used = used, discarded = discarded,
  }
end

return M
