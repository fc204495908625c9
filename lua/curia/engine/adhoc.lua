--- Rounds that a script asks for by `ctx:round(type, opts)`: checked and planned as those of a council.
local check = require "curia.language.check"
local errors = require "curia.errors"
local planning = require "curia.language.rounds"
local suggest = require "curia.suggest"
local validation = require "curia.language.validate"

local M = {}

local function refuse(code, message)
  error(errors.new("validation", "ctx:round: " .. message, { code = code }), 0)
end

local function check_options(run, kind, round, module)
  local faults = check.faults(validation.references(run.config.registry))
  check.record(planning.fields(module), round, "", "", faults)
  local found = faults:take()
  if found then refuse(found[1].code, ("%s: %s"):format(tostring(kind), found[1].message)) end
  local field, message = planning.fault(round, module, run.config.registry, run.plan.chair ~= nil)
  if field then refuse("conflict", ("%s: %s: %s"):format(tostring(kind), field, message)) end
end

local function check_members(round, plan)
  for _, id in ipairs(round.members or {}) do
    if not plan.by_id[id] then
      refuse("unknown_member", ("no member has the id '%s'%s"):format(id, suggest.hint(id, plan.by_id)))
    end
  end
end

--- Raises when there is no such round, or an option is wrong.
---@param run curia.Run
---@param kind string|table
---@param opts? table
---@return curia.PlannedRound
function M.plan(run, kind, opts)
  local registry = run.config.registry
  local module = planning.resolve(kind, registry)
  if not module then refuse("unknown_round", suggest.message("round", kind, planning.names(registry))) end
  local round = planning.bind(opts or {}, module, registry)
  round.type, round.module = kind, nil
  check_options(run, kind, round, module)
  check_members(round, run.plan)
  round.module, round.idx = module, #run.rounds + 1
  round.name = round.name or module.name or kind
  return round
end

return M
