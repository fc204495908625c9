--- `curia resume`: goes on with a stored run.
local config = require "curia.config"
local errors = require "curia.errors"
local loader = require "curia.language.loader"
local pins = require "curia.durable.pin"
local recovery = require "curia.recovery"
local refusal = require "curia.recovery.refusal"
local run_command = require "curia.cli.run"
local stores = require "curia.cli.runs.store"
local suggest = require "curia.suggest"
local task = require "curia.task"
local usage = require "curia.cli.usage"
local uv = require "luv"

local M = {}

local function is_source(path, source)
  if not source then return false end
  local real = uv.fs_realpath(path)
  return path == source or real ~= nil and real == uv.fs_realpath((loader.split(source)))
end

local ASKED = [[SELECT path FROM {steps} WHERE namespace = ? AND run_id = ?
  AND (input_hash IS NOT NULL OR kind = 'inner')]]

-- What may differ is a step of the run, or its council's file.
local function check_accepted(store, row, accept)
  local steps, err = store:query(ASKED, row.namespace, row.run_id)
  if not steps then return nil, err end
  local known = {}
  for _, step in ipairs(steps) do known[step.path] = true end
  for _, path in ipairs(accept) do
    if not known[path] and not is_source(path, row.source) then
      if row.source then known[row.source] = true end
      return nil, errors.new("validation", suggest.message("step", path, known), { code = "unknown_step" })
    end
  end
  return true
end

local function find(run_id, accept)
  local store, err = stores.open()
  if not store then return nil, err end
  local run
  run, err = stores.find(store, run_id)
  if not run then return nil, err end
  err = refusal.of(store, run.row)
  if err then return nil, err end
  if type(accept) == "table" then err = select(2, check_accepted(store, run.row, accept)) end
  if err then return nil, err end
  local council
  council, err = pins.find(store, run.row, { registry = config.shared().registry, accept = accept })
  if not council then return nil, err end
  return { row = run.row, council = council }
end

local function refused(run_id, err)
  io.stderr:write("curia: ", err.message, "\n")
  run_command.tell_how_to_go_on(run_id, err)
  return 1
end

--- `curia resume RUN [--accept PATH]... [--accept-all]`
---@param values table options
---@param rest string[] the run's id
---@return integer exit code
function M.main(values, rest)
  if not rest[1] then return usage.misused('which run? ("last" is the newest)', "resume") end
  if rest[2] then return usage.misused("one run at a time", "resume") end
  local accept = values.accept_all or values.accept
  local ok, found, err = task.run(find, rest[1], accept)
  if not (ok and found) then return refused(rest[1], err or found) end
  return run_command.go_on(found.council, found.row, values, function()
    return recovery.resume(found.row.run_id, {
      accept = accept, councils = { [found.row.council] = found.council }, namespace = found.row.namespace,
    })
  end)
end

return M
