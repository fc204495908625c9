--- What turns telemetry into traces and metrics. Called in the middle of runs: it only takes notes.
local M = {}

local LEVELS = { "run", "round", "member", "provider.request", "tool.execute" }

--- The events that it wants.
---@type string[]
M.names = {}

local parsed = {} -- name -> {level, what}
for _, level in ipairs(LEVELS) do
  for _, what in ipairs { "start", "exception", "stop" } do
    local name = level .. "." .. what
    M.names[#M.names + 1], parsed[name] = name, { level, what }
  end
end

local function count(metrics, level, measurements, metadata, err)
  if level == "provider.request" then metrics:request_ended(measurements, metadata, err) end
  if level == "run" then metrics:run_ended(measurements, metadata) end
end

--- A handler for `curia.telemetry.attach`.
---@param traces curia.otlp.Traces
---@param metrics curia.otlp.Metrics
---@return fun(name: string, measurements: table, metadata: table)
function M.new(traces, metrics)
  local failure -- of the stop that comes right behind
  return function(name, measurements, metadata)
    local level, what = parsed[name][1], parsed[name][2]
    if what == "start" then return traces:began(level, metadata) end
    if what == "exception" then
      failure = metadata.error
      return
    end
    local err = failure
    failure = nil
    traces:finished(level, measurements, metadata, err)
    count(metrics, level, measurements, metadata, err)
  end
end

return M
