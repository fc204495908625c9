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

local function scores_text(scores)
  local told = {}
  for id, score in pairs(scores) do
    told[#told + 1] = ("%s %s"):format(tostring(id), words.decimal(tonumber(score) or 0))
  end
  table.sort(told)
  return "scores " .. table.concat(told, ", ")
end

--- What a ballot comes to: "ranks a > b", "votes for a", "scores a 1, b 0.5"; nil for what is none.
---@param parsed any what was read in an answer
---@return string?
function M.text(parsed)
  if type(parsed) ~= "table" then return nil end
  if type(parsed.ordering) == "table" then return ordering_text(parsed.ordering) end
  if type(parsed.choice) == "string" then return choice_text(parsed.choice, parsed.confidence) end
  if type(parsed.scores) == "table" then return scores_text(parsed.scores) end
end

-- Each ballot gives something to its options: its vote, its first place, its scores.
local function count(tally, parsed)
  if type(parsed.ordering) == "table" and parsed.ordering[1] ~= nil then
    tally.what = "first places"
    return { [parsed.ordering[1]] = 1 }
  end
  if type(parsed.choice) == "string" then
    tally.what = "votes"
    return { [parsed.choice] = 1 }
  end
  if type(parsed.scores) == "table" then
    tally.what = "scores in all"
    return parsed.scores
  end
end

local function counted(members)
  local tally = { ballots = 0, sums = {} }
  for _, member in ipairs(members) do
    local response = member.status == "done" and member.result.response
    local given = response and type(response.parsed) == "table" and count(tally, response.parsed)
    if given then tally.ballots = tally.ballots + 1 end
    for option, number in pairs(given or {}) do
      tally.sums[option] = (tally.sums[option] or 0) + (tonumber(number) or 0)
    end
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

--- The ballots of a round that are in, added up; nil while there is none. How the round decides is its rule's affair.
---@param members curia.view.Member[]
---@return string? text "2 of 3 ballots in, first places: a 2, b 1"
function M.so_far(members)
  local tally = counted(members)
  if tally.ballots == 0 then return nil end
  local told = ranked(tally.sums)
  for i, option in ipairs(told) do told[i] = ("%s %s"):format(name(option), words.decimal(tally.sums[option])) end
  return ("%d of %s in, %s: %s"):format(tally.ballots, words.counted(#members, "ballot"), tally.what,
    table.concat(told, ", "))
end

return M
