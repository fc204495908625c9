--- Another decision rule on the ballots of a run that has ended: nobody is asked again.
local errors = require "curia.errors"
local fields = require "curia.language.fields"
local options = require "curia.engine.options"
local rules = require "curia.rules"
local runs = require "curia.engine.runs"

local M = {}

local function has_ballots(round)
  return round.decision and round.decision.ballots_used and #round.decision.ballots_used > 0
end

local function wanted(round, which)
  return which == nil or round.name == which or round.idx == which
end

-- The last that fits.
local function find_round(result, which)
  for i = #result.rounds, 1, -1 do
    local round = result.rounds[i]
    if wanted(round, which) and has_ballots(round) then return round end
  end
  local name = which ~= nil and (" '%s'"):format(which) or ""
  return nil, errors.new("validation", ("run %s has no round%s with ballots"):format(result.run_id, name),
    { code = "no_ballots" })
end

local function result_of(run)
  local result, err = run:result()
  if result then return result end
  return nil, err or errors.new("validation", ("run %s has not ended"):format(run.id), { code = "running" })
end

local OPTIONS = {
  round = { type = "string|integer" }, namespace = fields.config.namespace, decide = { type = "table" },
}

--- Applies a rule to the ballots of a run, which is in memory or in the store.
---@async
---@param run_id string|curia.Run
---@param rule string|function
---@param opts? {round?: string|integer, namespace?: string, decide?: table} `round`: its name or number, else the last
--- with ballots; `decide`: options of `curia.decide`. Unknown ones raise
---@return curia.Decision?
---@return curia.Error? err kind `unknown_run`, or `validation` (codes `running`, `no_ballots`)
function M.revote(run_id, rule, opts)
  opts = options.read("revote", opts, OPTIONS)
  local run, err = runs.find(run_id, opts.namespace and { namespace = opts.namespace })
  if not run then return nil, err end
  local result
  result, err = result_of(run)
  if not result then return nil, err end
  local round
  round, err = find_round(result, opts.round)
  if not round then return nil, err end
  return rules.decide(rule, round.decision.ballots_used, opts.decide)
end

return M
