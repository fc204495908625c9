--- Decision rules: pure functions over ballots, `rule(ballots, opts) -> decision` (SPEC 5).
local suggest = require "curia.suggest"

local M = {}

--- The rules of this version, each a module `curia.rules.<name>` that returns a function.
M.names = { "peer_ranking" }

local shipped = {}
for _, name in ipairs(M.names) do shipped[name] = true end

local function find(rule)
  if type(rule) == "function" then return rule end
  local registered = require("curia.registry").shared():lookup("rule", rule)
  if registered then return registered end
  if shipped[rule] then return require("curia.rules." .. rule) end
  error(suggest.message("rule", rule, M.names), 3)
end

---@class curia.Ballot
---@field voter string
---@field ordering? string[]
---@field choice? string
---@field rationale? string
---@field discarded? string why it cannot be read

---@class curia.Decision
---@field winner? string
---@field ranking string[] best first
---@field scores table<string, number>
---@field margin number between the first and the second, normalised to 0..1
---@field tie boolean
---@field ballots_used curia.Ballot[]
---@field discarded {voter: string, reason: string}[]
---@field effective_voters number
---@field detail table

--- Applies a rule to ballots.
---@param rule string|function a shipped or registered name, or a function
---@param ballots curia.Ballot[]
---@param opts? table
---@return curia.Decision
function M.decide(rule, ballots, opts)
  return find(rule)(ballots, opts or {})
end

return M
