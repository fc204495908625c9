--- Ballots in words, each and together, while a round goes on.
local width = require "curia.view.width"
local words = require "curia.view.words"

local M = {}

local LONGEST_OPTION = 40 -- what was voted on may be a whole answer

local function name(option)
  return width.cut((width.clean(tostring(option)):gsub("\n", " ")), LONGEST_OPTION)
end

local function ordering_text(ordering)
  local order = {}
  for i, id in ipairs(ordering) do order[i] = tostring(id) end
  return "ranks " .. table.concat(order, " > ")
end

local function choice_text(choice, confidence)
  local sure = type(confidence) == "number" and (" (confidence %s)"):format(words.decimal(confidence)) or ""
  return ("votes for %s%s"):format(choice, sure)
end

local function joined(list)
  local texts = {}
  for i, id in ipairs(list) do texts[i] = tostring(id) end
  return table.concat(texts, ", ")
end

local function by_id(values, text_of)
  local told = {}
  for id, value in pairs(values) do told[#told + 1] = ("%s %s"):format(tostring(id), text_of(value)) end
  table.sort(told)
  return table.concat(told, ", ")
end

local function score_text(score)
  return words.decimal(tonumber(score) or 0)
end

--- What a ballot comes to: "ranks a > b", "votes for a", "scores a 1, b 0.5"; nil for what is none.
---@param parsed any what was read in an answer
---@return string?
function M.text(parsed)
  if type(parsed) ~= "table" then return nil end
  if type(parsed.ordering) == "table" then return ordering_text(parsed.ordering) end
  if type(parsed.choice) == "string" then return choice_text(parsed.choice, parsed.confidence) end
  if type(parsed.approvals) == "table" then return "approves of " .. joined(parsed.approvals) end
  if type(parsed.scores) == "table" then return "scores " .. by_id(parsed.scores, score_text) end
  if type(parsed.grades) == "table" then return "grades " .. by_id(parsed.grades, tostring) end
end

local function once(options)
  local given = {}
  for _, option in ipairs(options) do given[option] = 1 end
  return given
end

-- Each ballot gives something to its options: its vote, its first place, its approvals, its scores.
local COUNTS = {
  { what = "first places", of_one = true, read = function(ballot)
    return type(ballot.ordering) == "table" and once { ballot.ordering[1] }
  end },
  { what = "votes", of_one = true, read = function(ballot)
    return type(ballot.choice) == "string" and once { ballot.choice }
  end },
  { what = "approvals", read = function(ballot)
    return type(ballot.approvals) == "table" and once(ballot.approvals)
  end },
  { what = "scores in all", read = function(ballot)
    return type(ballot.scores) == "table" and ballot.scores
  end },
}

local function read(ballot)
  for _, count in ipairs(COUNTS) do
    local given = count.read(ballot)
    if given then return given, count end
  end
end

local function add(tally, ballot)
  local given, count = read(ballot)
  if not given then return end
  tally.ballots, tally.count = tally.ballots + 1, count
  for option, number in pairs(given) do
    tally.sums[option] = (tally.sums[option] or 0) + (tonumber(number) or 0)
  end
end

local function counted(members)
  local tally = { ballots = 0, voters = 0, sums = {} }
  for _, member in ipairs(members) do
    if member.status ~= "skipped" then tally.voters = tally.voters + 1 end
    local response = member.status == "done" and member.result.response
    if response and type(response.parsed) == "table" then add(tally, response.parsed) end
  end
  return tally
end

local function ranked(sums)
  local options = {}
  for option in pairs(sums) do options[#options + 1] = option end
  table.sort(options, function(a, b)
    if sums[a] ~= sums[b] then return sums[a] > sums[b] end
    return tostring(a) < tostring(b)
  end)
  return options
end

-- How many of several voters want the same.
local function agreement_text(tally, leader)
  if tally.ballots < 2 or not tally.count.of_one then return "" end
  return (" · %.0f %% agree"):format(100 * tally.sums[leader] / tally.ballots)
end

--- The ballots of a round that are in, added up; nil while there is none. How the round decides is its rule's affair.
---@param members curia.view.Member[]
---@return string? text "3 of 4 ballots in, first places: a 2, b 1 · 67 % agree"
function M.so_far(members)
  local tally = counted(members)
  local told = ranked(tally.sums)
  if not told[1] then return nil end
  local agreement = agreement_text(tally, told[1])
  for i, option in ipairs(told) do told[i] = ("%s %s"):format(name(option), words.decimal(tally.sums[option])) end
  return ("%d of %s in, %s: %s%s"):format(tally.ballots, words.counted(tally.voters, "ballot"), tally.count.what,
    table.concat(told, ", "), agreement)
end

return M
