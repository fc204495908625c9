--- Takes up a run that this process has claimed: the same council runs again, and what is on record answers.
local config = require "curia.config"
local errors = require "curia.errors"
local namespaces = require "curia.engine.namespace"
local pins = require "curia.durable.pin"
local runs = require "curia.engine.runs"

local M = {}

-- A copy that this process has lost or parked meanwhile makes place.
local function make_place(namespace, run_id)
  local known = namespace.by_id[run_id]
  if known then known:leave_to_others() end
end

local function options_of(row)
  local opts = {}
  for name, value in pairs(row.options or {}) do opts[name] = value end
  opts.shares_budget = nil -- no option: see `Run:enter_group`
  opts.run_id, opts.namespace, opts.group, opts.seed = row.run_id, row.namespace, row.group_name, row.seed
  opts.job_id = row.job_id
  return opts
end

--- Goes on with a stored run.
---@async
---@param store curia.Store
---@param row curia.store.RunRow as `curia.store.runs` gives it, with the fence and the incarnation of this process
---@param opts? {councils?: table<string, curia.Council>, accept?: string|string[]|true, reopen?: boolean} `accept`: the
--- paths of steps whose input may differ from the recorded one, and of the council's file, or all; `reopen`: a run that
--- has failed
---@return curia.Run?
---@return curia.Error? err kinds `invalid_council` (code `unknown_council`: this process lacks it), `replay_mismatch`,
--- `storage`
function M.resume(store, row, opts)
  opts = opts or {}
  local conf = config.shared()
  if row.durability == "none" then
    return nil, errors.new("unsupported", ("run %s is not durable, and cannot be resumed"):format(row.run_id))
  end
  if row.finalized_at and not opts.reopen then
    return nil, errors.new("validation", ("run %s has ended"):format(row.run_id), { code = "ended" })
  end
  local made, err = pins.find(store, row, { councils = opts.councils, registry = conf.registry, accept = opts.accept })
  if not made then return nil, err end
  make_place(namespaces.of(row.namespace), row.run_id)
  return runs.take_up(made, row, options_of(row), { store = store, row = row, accept = opts.accept,
    reopen = opts.reopen })
end

return M
