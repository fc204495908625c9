--- `curia resume`: goes on with a stored run.
local config = require "curia.config"
local pins = require "curia.durable.pin"
local recovery = require "curia.recovery"
local run_command = require "curia.cli.run"
local stores = require "curia.cli.runs.store"
local task = require "curia.task"
local usage = require "curia.cli.usage"

local M = {}

local function find(run_id, accept)
  local store, err = stores.open()
  if not store then return nil, err end
  local run
  run, err = stores.find(store, run_id)
  if not run then return nil, err end
  local council
  council, err = pins.find(store, run.row, { registry = config.shared().registry, accept = accept })
  if not council then return nil, err end
  return { row = run.row, council = council }
end

--- `curia resume RUN [--accept PATH]`
---@param values table options
---@param rest string[] the run's id
---@return integer exit code
function M.main(values, rest)
  if not rest[1] then return usage.misused('which run? ("last" is the newest)', "resume") end
  if rest[2] then return usage.misused("one run at a time", "resume") end
  local ok, found, err = task.run(find, rest[1], values.accept)
  if not (ok and found) then
    io.stderr:write("curia: ", (err or found).message, "\n")
    return 1
  end
  return run_command.go_on(found.council, found.row, values, function()
    return recovery.resume(found.row.run_id, {
      accept = values.accept, councils = { [found.row.council] = found.council }, namespace = found.row.namespace,
    })
  end)
end

return M
