--- Do some members speak of groups of people of which others do not? A hint for a reader, not a verdict: words are
-- looked up in a lexicon, and whoever names a group may have every reason to.
local check = require "curia.language.check"
local json = require "curia.json"
local options = require "curia.engine.options"

local M = {}

local FIELDS = {
  threshold = { type = "number", min = 0, max = 1 },
  lexicon = { type = "list", items = { type = "record", fields = {
    axis = { type = "string", required = true, nonempty = true },
    groups = { type = "map", required = true, values = { type = "list", items = { type = "string" } } },
  } } },
}

local THRESHOLD = 0.3

-- ---- the answers ----------------------------------------------------------------------------------

local function text_of(answer)
  if type(answer) == "string" then return answer end
  if type(answer) ~= "table" then return nil end
  if answer.status ~= nil and answer.status ~= "ok" then return nil end
  local response = answer.response or answer
  return type(response.content) == "string" and response.content or nil
end

local function name_of(answer, key)
  return type(answer) == "table" and answer.member or type(key) == "number" and "answer " .. key or key
end

local function answers_in(results)
  local answers = {}
  for _, key in ipairs(check.sorted_keys(results)) do
    local text = text_of(results[key])
    if text then answers[#answers + 1] = { member = name_of(results[key], key), text = text } end
  end
  return answers
end

-- Of a run the last round in which several members answered in words.
local function answers_of_run(rounds)
  for i = #rounds, 1, -1 do
    local answers = not rounds[i].decision and answers_in(rounds[i].results) or {}
    if #answers > 1 then return answers end
  end
  return {}
end

local function answers_of(results)
  if results.rounds then return answers_of_run(results.rounds) end
  return answers_in(type(results.results) == "table" and results.results or results)
end

-- ---- words ----------------------------------------------------------------------------------------

-- The words of a text, as a set and as one line in which a term can be found. Bytes beyond ASCII are letters.
local function add_words(answer)
  local list, set = {}, {}
  for word in answer.text:lower():gmatch "[%w\128-\255]+" do
    list[#list + 1], set[word] = word, true
  end
  answer.words, answer.line = set, " " .. table.concat(list, " ") .. " "
end

local function distance(a, b)
  local shared, all = 0, 0
  for word in pairs(a) do
    all = all + 1
    if b[word] then shared = shared + 1 end
  end
  for word in pairs(b) do all = all + (a[word] and 0 or 1) end
  return all > 0 and 1 - shared / all or 0
end

-- The mean of Jaccard's distance (1912) over all pairs.
local function disagreement(answers)
  local sum, count = 0, 0
  for i = 1, #answers do
    for j = i + 1, #answers do
      sum, count = sum + distance(answers[i].words, answers[j].words), count + 1
    end
  end
  return count > 0 and sum / count or 0
end

-- ---- axes -----------------------------------------------------------------------------------------

local function terms_in(line, terms, found)
  local before = #found
  for _, term in ipairs(terms) do
    if line:find(" " .. term .. " ", 1, true) then found[#found + 1] = term end
  end
  return #found > before
end

-- The share of an axis's groups that an answer names, and by which terms.
local function coverage(answer, groups)
  local named, count, found = 0, 0, json.array()
  for _, name in ipairs(check.sorted_keys(groups)) do
    count = count + 1
    if terms_in(answer.line, groups[name], found) then named = named + 1 end
  end
  return count > 0 and named / count or 0, found
end

local function variance(values)
  local sum, squares = 0, 0
  for _, value in ipairs(values) do sum = sum + value end
  local mean = sum / math.max(1, #values)
  for _, value in ipairs(values) do squares = squares + (value - mean) ^ 2 end
  return squares / math.max(1, #values)
end

-- A variance within 0..1 is at most 1/4 (Popoviciu 1935): four times it is a score of 0..1.
local function measure(axis, answers)
  local shares, evidence = {}, json.array()
  for i, answer in ipairs(answers) do
    local share, terms = coverage(answer, axis.groups)
    shares[i] = share
    if #terms > 0 then evidence[#evidence + 1] = { member = answer.member, coverage = share, terms = terms } end
  end
  return { axis = axis.axis, score = 4 * variance(shares), evidence = evidence }
end

---@class curia.BiasReport
---@field flagged boolean some axis reaches the threshold
---@field axes {axis: string, score: number, evidence: {member: string, coverage: number, terms: string[]}[]}[] the
--- score is four times the variance, over the answers, of the share of the axis's groups that an answer names: 0
--- when all name as many, 1 when half of them name all groups and half none
---@field baseline_disagreement number 0..1, how far the answers differ in their words at all: the mean of Jaccard's
--- distance of their sets of words over all pairs

--- Compares whom answers speak of.
---@param results table a run's result, a round's, member results or texts, by member or in a list
---@param opts? {threshold?: number, lexicon?: table} the threshold is 0.3; the lexicon is curia.data.bias
---@return curia.BiasReport
function M.bias(results, opts)
  if type(results) ~= "table" then error("bad argument #1 to 'bias' (a table expected)", 2) end
  opts = options.read("bias", opts, FIELDS)
  local answers, report = answers_of(results), { flagged = false, axes = json.array() }
  for _, answer in ipairs(answers) do add_words(answer) end
  for i, axis in ipairs(opts.lexicon or require "curia.data.bias") do
    report.axes[i] = measure(axis, answers)
    report.flagged = report.flagged or report.axes[i].score >= (opts.threshold or THRESHOLD)
  end
  report.baseline_disagreement = disagreement(answers)
  return report
end

return M
