--- Makes a decision rule of what is its own: the field of the ballots that it reads, its options, and how it counts.
-- The shipped rules are made with it; a user's may be.
local ballots = require "curia.rules.support.ballots"
local check = require "curia.language.check"
local decision = require "curia.rules.support.decision"
local ties = require "curia.rules.support.ties"

local M = {}

--- The options that every rule takes.
M.OPTIONS = {
  options = { type = "list", doc = "ids of what may be voted for; without it, all that the ballots name" },
  tie_break = { type = "string|function", enum = { "first", "random", "chair" },
    doc = "first by id, random, chair (no winner: whoever called asks), or function(ids) -> id" },
  random = { type = "function", doc = "the dice of tie_break = 'random': gives a number in [0, 1)" },
  weights = { type = "map", values = { type = "number", min = 0, max = 1e12 }, doc = "weights by voter" },
  label_to_id = { type = "table", doc = "labels that the options had, told in detail.label_to_id" },
}

local function fields_of(own)
  local fields = {}
  for _, options in ipairs { M.OPTIONS, own or {} } do
    for name, field in pairs(options) do fields[name] = field end
  end
  return fields
end

local function fault_of_ids(ids)
  local seen = {}
  for i, id in ipairs(ids) do
    if type(id) ~= "string" then return ("item %d of options is no text"):format(i) end
    if seen[id] then return ("options names '%s' twice"):format(id) end
    seen[id] = true
  end
end

local function fault_of(fields, opts)
  local faults = check.faults()
  check.record(fields, opts, "", "", faults)
  if faults[1] then return faults[1].message end
  if opts.tie_break == "random" and not opts.random then return "tie_break 'random' needs random, the dice" end
  return opts.options and fault_of_ids(opts.options)
end

local function with_defaults(opts, fields)
  local full = {}
  for name, field in pairs(fields) do
    full[name] = opts[name]
    if full[name] == nil then full[name] = field.default end
  end
  return full
end

---@class curia.RuleParts
---@field name string
---@field reads "choice"|"ordering"|"approvals"|"scores"|"grades"|"confidence" what it needs of a ballot
---@field options? table<string, table> its own options, as in curia.language.fields, with a `default` each may have
---@field count fun(electorate: curia.Electorate, opts: table, pick: function): curia.Count pure; called only when
--- some voter with a weight says something

--- Makes a rule. It raises, at its caller, for options that are unknown or wrong; never for ballots.
---@param parts curia.RuleParts
---@return fun(ballots: curia.Ballot[], opts?: table): curia.Decision
function M.new(parts)
  local fields = fields_of(parts.options)
  return function(given, opts)
    if type(given) ~= "table" then error(("%s: ballots are a list, not a %s"):format(parts.name, type(given)), 2) end
    local fault = fault_of(fields, opts or {})
    if fault then error(("%s: %s"):format(parts.name, fault), 2) end
    opts = with_defaults(opts or {}, fields)
    local electorate = ballots.read(parts.reads, given, opts)
    if electorate.total <= 0 then
      return decision.none(parts.name, electorate, { label_to_id = opts.label_to_id })
    end
    local pick = ties.breaker(opts)
    local count = parts.count(electorate, opts, pick)
    local detail = count.detail or {}
    detail.label_to_id = opts.label_to_id
    return decision.make(parts.name, electorate, count, pick, detail)
  end
end

return M
