--- Decision rules: pure functions over ballots, `rule(ballots, opts) -> decision` (SPEC 5).
local check = require "curia.language.check"
local fields = require "curia.language.fields"
local json = require "curia.json"
local registry = require "curia.registry"
local rule = require "curia.rules.support.rule"
local suggest = require "curia.suggest"

local M = {}

--- The rules of this version, each a module `curia.rules.<name>` that returns a function.
M.names = fields.rules

--- Makes a rule of the field that it reads, its options and its count; see curia.rules.support.rule.
M.new = rule.new

local shipped = {}
for _, name in ipairs(M.names) do shipped[name] = true end

---@class curia.Ballot
---@field voter? string
---@field member? string whose it is, where a member votes several times under names of their own ("a#2")
---@field choice? string
---@field ordering? string[] best first; it need not name all options
---@field approvals? string[]
---@field scores? table<string, number>
---@field grades? table<string, string>
---@field confidence? number 0..1
---@field weight? number 1 without it
---@field rationale? string
---@field discarded? string why it cannot be read

---@class curia.Decision
---@field rule string
---@field winner? string nil when the rule has none, when no ballot counts, and when the chair is to break a tie
---@field ranking string[] best first, the winner at its head
---@field scores table<string, number>
---@field margin number the lead of the first over the second, 0..1 as the rule defines it; 0 in a tie; 1 for a
--- sole option
---@field tie boolean several might win; it stays true when the tie was broken (detail.tie_break says how)
---@field tied? string[] those that might win, when there is a tie
---@field ballots_used curia.Ballot[]
---@field discarded {voter: string, reason: string}[]
---@field effective_voters number Kish's effective size of the electorate: the sum of the weights, squared, over the
--- sum of their squares; without weights the number of ballots that count
---@field detail table what explains the count

-- What a user's rule may return.
local DECISION = {
  rule = { type = "string" }, winner = { type = "string" },
  ranking = { type = "list", items = { type = "string" } }, scores = { type = "map", values = { type = "number" } },
  margin = { type = "number", min = 0, max = 1 }, tie = { type = "boolean" },
  tied = { type = "list", items = { type = "string" } }, ballots_used = { type = "list" },
  discarded = { type = "list" }, effective_voters = { type = "number", min = 0 }, detail = { type = "table" },
}

local function fault_of(made)
  if type(made) ~= "table" then return "a decision is a table, not a " .. type(made) end
  local faults = check.faults()
  check.record(DECISION, made, "", "", faults)
  return faults[1] and faults[1].message
end

-- What a user's rule leaves out.
local function complete(made, name, ballots)
  local used = made.ballots_used or json.array(table.move(ballots, 1, #ballots, 1, {}))
  local full = {
    rule = name, ranking = json.array { made.winner }, scores = {}, margin = 0, tie = false, ballots_used = used,
    discarded = json.array(), effective_voters = #used, detail = {},
  }
  for field, value in pairs(made) do full[field] = value end
  return full
end

local function find(name)
  if type(name) == "function" then return name, "function" end
  local registered, message = registry.shared():lookup("rule", name)
  if registered then return registered, name end
  if message then error("decide: " .. message, 3) end
  if shipped[name] then return nil, name end
  local known = registry.shared():list("rule")
  table.move(M.names, 1, #M.names, #known + 1, known)
  error("decide: " .. suggest.message("rule", name, known), 3)
end

--- Applies a rule to ballots. Options that every rule takes: `options` (ids), `tie_break`, `random`, `weights`,
--- `label_to_id`. A wrong rule, option or argument raises; what is wrong with ballots stands in `discarded`.
--- What a user's rule leaves out of its decision is filled in; a decision of the wrong shape raises.
---@param name string|function a shipped or registered name, or a function
---@param ballots curia.Ballot[]
---@param opts? table
---@return curia.Decision
function M.decide(name, ballots, opts)
  if type(ballots) ~= "table" then error("bad argument #2 to 'decide' (a list of ballots expected)", 2) end
  if opts ~= nil and type(opts) ~= "table" then error("bad argument #3 to 'decide' (a table expected)", 2) end
  local own, known_as = find(name)
  if not own then return require("curia.rules." .. known_as)(ballots, opts) end
  local made = own(ballots, opts or {})
  local fault = fault_of(made)
  if fault then error(("rule '%s': %s"):format(known_as, fault), 2) end
  return complete(made, known_as, ballots)
end

return M
