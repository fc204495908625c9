--- Reads ballots in what judges wrote: the JSON that they were asked for, bare, fenced or in prose, or the lists
-- and lines that some models write instead.
--
-- A ballot that cannot be read is a ballot too: `{discarded = reason}`, which every rule counts and names.
local candidates = require "curia.ballots.candidates"
local extract = require "curia.extract"
local report = require "curia.confidence.report"

local M = {}

-- What is looked at behind a heading: the text is not ours, and a list of labels is short.
local LONGEST = 4096

--- What a judge said, as a table: a structured answer, else the JSON in its text.
---@param response table
---@return table? said
---@return string? remarks what it wrote around it
function M.said(response)
  if type(response.parsed) == "table" then return response.parsed, nil end
  return extract.json(response.content)
end

--- The text behind the last place where one of several headings stands, in whatever case.
---@param text string
---@param headings string[] lower case
---@return string? nil where there is none
function M.behind(text, headings)
  local lowered = text:lower()
  for _, heading in ipairs(headings) do
    local last, from, to = nil, lowered:find(heading, 1, true)
    while from do
      last = to
      from, to = lowered:find(heading, to + 1, true)
    end
    if last then return text:sub(last + 1, last + LONGEST) end
  end
end

--- A ballot with what the judge wrote beside it.
---@param ballot table
---@param said? table
---@param remarks? string
---@return table ballot
function M.with_remarks(ballot, said, remarks)
  local rationale = said and said.rationale
  ballot.rationale = type(rationale) == "string" and rationale or nil
  ballot.remarks = remarks ~= "" and remarks or nil
  return ballot
end

-- ---- orderings --------------------------------------------------------------------------------------

-- Karpathy's own format, which some models fall back to: "FINAL RANKING:\n1. Response C\n2. ...".
local function listed(content)
  local list = M.behind(content, { "final ranking" })
  if not list then return nil end
  local labels = {}
  for label in list:gmatch("%d+[%.%)]%s*[%*_\"]*(%w[%w ]*)") do labels[#labels + 1] = label end
  return labels
end

local function labels_of(response)
  local said, remarks = M.said(response)
  if said and type(said.ordering) == "table" then return said.ordering, said, remarks end
  if said and type(said[1]) == "string" then return said, nil, remarks end
  return listed(response.content), nil, response.content
end

local function ids_of(ctx, member, labels)
  local ids, seen = {}, {}
  for i, label in ipairs(labels) do
    local id, reason = candidates.find(ctx, member, label)
    if not id then return nil, reason end
    if seen[id] then return nil, "ranks an option twice: " .. id end
    ids[i], seen[id] = id, true
  end
  return ids
end

--- Reads an ordering of the candidates, best first: the `parse` of rounds that rank.
---@param ctx curia.Ctx
---@param member table
---@param response table
---@return {ordering?: string[], rationale?: string, remarks?: string, discarded?: string}
function M.ordering(ctx, member, response)
  local labels, said, remarks = labels_of(response)
  if not labels or #labels == 0 then return { discarded = "no ordering could be read" } end
  local ids, reason = ids_of(ctx, member, labels)
  if not ids then return { discarded = reason } end
  return M.with_remarks({ ordering = ids }, said, remarks)
end

-- ---- scores -----------------------------------------------------------------------------------------

local function scores_in(line, criteria)
  local lowered, found = line:lower(), {}
  for _, criterion in ipairs(criteria) do
    local name = criterion.name:lower():gsub("%W", "%%%0")
    found[criterion.name] = tonumber(lowered:match(name .. "[^%d\n]*(%d+%.?%d*)"))
  end
  return next(found) and found or tonumber(line:match("^%s*(%d+%.?%d*)"))
end

-- "FINAL SCORES:\nResponse A: accuracy 7, clarity 8\n..."
local function scored_lines(content, criteria)
  local list = M.behind(content, { "final scores" })
  if not list then return nil end
  local scores = {}
  for line in list:gmatch("[^\n]+") do
    local label, rest = line:match("^[%s%*_\"%-]*(%w[%w ]*)[%*_\"]*:[%s%*]*(.+)$")
    if label then scores[label] = scores_in(rest, criteria) end
  end
  return next(scores) and scores
end

--- The scores that a judge gave, by label as it wrote them.
---@param response table
---@param criteria curia.Criterion[]
---@return table<string, any>? scores by label: numbers by criterion, or one number
---@return table? said
---@return string? remarks
function M.scores(response, criteria)
  local said, remarks = M.said(response)
  if said and type(said.scores) == "table" then return said.scores, said, remarks end
  return scored_lines(response.content, criteria), nil, response.content
end

-- ---- choices ----------------------------------------------------------------------------------------

local CHOICES = { "final vote", "final choice", "choice", "vote" }

-- "FINAL VOTE: **Response B**": what stands behind the colon, to the end of its line.
local function named(content)
  local rest = M.behind(content, CHOICES)
  local line = rest and rest:match("^[%s%*_\"]*:[%s%*_\"]*([^\n]+)")
  return line and line:match("^.*[^%s%*_\"]")
end

local function choice_of(response)
  local said, remarks = M.said(response)
  if said and said.choice ~= nil then return said.choice, said, remarks end
  return named(response.content), nil, response.content
end

-- The last lines may state it where there is no JSON.
local function confidence_of(said, content)
  if said then return (report.field(said)) end
  return (report.read(content))
end

--- Reads a choice.
---@param response table
---@param find fun(label: any): string?, string? the id that a label means, or nil and why it means none
---@return {choice?: string, confidence?: number, rationale?: string, remarks?: string, discarded?: string}
function M.choice(response, find)
  local label, said, remarks = choice_of(response)
  if label == nil then return { discarded = "no choice could be read" } end
  local id, reason = find(label)
  if not id then return { discarded = reason } end
  local ballot = { choice = id, confidence = confidence_of(said, response.content) }
  return M.with_remarks(ballot, said, remarks)
end

return M
