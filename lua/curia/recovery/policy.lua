--- What becomes of a run whose process has died (SPEC 17): the first that says something decides.
local council = require "curia.council"
local errors = require "curia.errors"
local user_code = require "curia.engine.user_code"

local M = {}

local POLICIES = { resume = true, restart = true, fail = true }
local MAX_ATTEMPTS = 3

local function resolved(resolve, row)
  if not resolve then return nil end
  local policy, err = user_code.call("resolve_policy", resolve, row)
  if err then return nil, err end
  if policy == nil or POLICIES[policy] then return policy end
  return nil, errors.new("validation", "resolve_policy: no policy " .. tostring(policy))
end

--- A declaration is one word, or that and more.
---@param declared? string|{policy?: string, max_attempts?: integer}
---@return string? policy
---@return integer? max_attempts
function M.parts(declared)
  if type(declared) == "table" then return declared.policy, declared.max_attempts end
  return declared
end

-- What the council that this process knows by the run's name declares; the stored one may be older.
local function declared_here(row, known)
  local made = known.councils and known.councils[row.council] or council.named(row.council, known.registry)
  return made and made:spec().recovery
end

--- The policy for a run, and how many processes may die with it: what the function `resolve_policy` says, what the run
--- itself was started with, what the council known here declares, what the stored one does; otherwise a durable run
--- goes on. Nobody can go on with one that was only recorded: it fails, unless it is to be begun anew.
---@param row curia.store.RunRow
---@param known {councils?: table<string, curia.Council>, registry: curia.Registry}
---@param resolve_policy? fun(row: curia.store.RunRow): string?
---@return "resume"|"restart"|"fail"? policy
---@return integer|curia.Error max_attempts or what `resolve_policy` has raised
function M.of(row, known, resolve_policy)
  local policy, err = resolved(resolve_policy, row)
  if err then return nil, err end
  local own, own_most = M.parts(row.options and row.options.recovery)
  local here, here_most = M.parts(declared_here(row, known))
  policy = policy or own or here or row.recovery or "resume"
  if policy == "resume" and row.durability == "none" then policy = "fail" end
  return policy, own_most or here_most or row.max_attempts or MAX_ATTEMPTS
end

return M
