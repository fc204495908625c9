--- Which recorder a run has: what its options say, else what the outer run has, else what the configuration says.
local suggest = require "curia.suggest"

local M = {}

local FUNCTIONS = { "init", "event", "finalize" }
-- `fence`: the run has a row already, which this process has claimed under it (curia.recovery.again).
local ARGS = {
  store = "string", prefix = "string", events = "table", job_id = "string", attempt = "number",
  parent_attempt_run_id = "string", source = "string", on_failure = "function", fence = "number",
}
local EVENTS = { include = "table", exclude = "table" }

--- The recorder of a run; nil: it has none. A durable run is recorded by its journal.
---@param run curia.Run
---@return any setting
function M.of(run)
  if run.journal then return nil end
  local setting = run.opts.recorder
  if setting == nil and run.parent and run.parent.recording then setting = run.parent.recording.setting end
  if setting == nil then setting = run.config:get "recorder" end
  if setting == nil and run.config:get "mode" == "multi_node" then setting = "postgres" end
  return setting or nil
end

--- The two parts of a setting: `{recorder, args}`, or a recorder alone.
---@param setting any
---@return any backend true, a name, or a table of functions
---@return table args
function M.parts(setting)
  if type(setting) == "table" and setting[1] ~= nil then return setting[1], setting[2] or {} end
  return setting, {}
end

local function fault_of_fields(what, given, known)
  for name, value in pairs(given) do
    local expected = known[name]
    if not expected then return ("%s: unknown field '%s'%s"):format(what, tostring(name), suggest.hint(name, known)) end
    if type(value) ~= expected then return ("%s: %s: a %s is expected"):format(what, name, expected) end
  end
end

local function fault_of_backend(backend)
  if backend == true or backend == "sqlite" or backend == "postgres" then return nil end
  if type(backend) ~= "table" then return "a recorder is true, \"sqlite\", or a table of three functions" end
  for _, name in ipairs(FUNCTIONS) do
    if type(backend[name]) ~= "function" then return ("a recorder has a function '%s'"):format(name) end
  end
end

--- What is wrong with a setting that is a table.
---@param setting table
---@return true?
---@return {code: string, message: string}[]? faults
function M.check(setting)
  local backend, args = M.parts(setting)
  local fault = fault_of_backend(backend)
  if not fault and type(args) ~= "table" then fault = "the recorder's args are a table" end
  fault = fault or fault_of_fields("args", args, ARGS) or fault_of_fields("events", args.events or {}, EVENTS)
  if not fault then return true end
  return nil, { { path = "", code = "wrong_type", message = fault } }
end

return M
