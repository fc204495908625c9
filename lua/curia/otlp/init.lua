--- Export of telemetry as traces and metrics, over OTLP/HTTP in JSON (SPEC 14; docs/operations.md, "OTLP").
--
--     local exporting, err = curia.otlp.start { endpoint = "http://localhost:4318" }
--     ...
--     exporting:stop()
local exporters = require "curia.otlp.exporter"
local fields = require "curia.language.fields"
local listeners = require "curia.otlp.listener"
local options = require "curia.engine.options"
local settings = require "curia.otlp.settings"
local telemetry = require "curia.telemetry"
local traces = require "curia.otlp.traces"

local M = {}

local STOP_MS = 5000

---@class curia.otlp.Handle
local Handle = { __name = "curia.otlp.handle" }
Handle.__index = Handle

--- Ends the export: what has ended is sent, what has not is left out. Idempotent.
---@async
---@param ms? number the longest time that it may take (5000)
---@return true?
---@return curia.Error? err why not everything was sent
function Handle:stop(ms)
  self.listening:detach()
  return self.exporter:stop(ms or STOP_MS)
end

--- What has become of the spans: `sent`; `lost`, as the receiver did not take them; `dropped`, as too many waited;
--- `waiting`.
---@return {sent: integer, lost: integer, dropped: integer, waiting: integer}
function Handle:stats()
  return self.exporter:stats()
end

---@class curia.otlp.Options
---@field endpoint? string without "/v1/traces" (`OTEL_EXPORTER_OTLP_ENDPOINT`, else "http://localhost:4318")
---@field headers? table<string, string|curia.Secret> over those of `OTEL_EXPORTER_OTLP_HEADERS`
---@field service_name? string (`OTEL_SERVICE_NAME`, else "curia")
---@field resource? table<string, string|number|boolean> over those of `OTEL_RESOURCE_ATTRIBUTES`
---@field interval_ms? number between exports (5000)
---@field retry? {attempts?: integer, base_ms?: number, max_ms?: number} of requests that failed (5 attempts)
---@field content? boolean whether prompts and answers are exported, without secrets (false)

--- Starts to export what runs do from now on. Wrong options raise.
---@param opts? curia.otlp.Options
---@return curia.otlp.Handle? with `stop(ms?)` and `stats()`
---@return curia.Error? err a variable is wrong, or a secret cannot be had
function M.start(opts)
  local read, err = settings.read(options.read("otlp.start", opts, fields.otlp))
  if not read then return nil, err end
  local exporter = exporters.start(read)
  local open = traces.new(function(span) exporter:put(span) end, read.content)
  local listening = telemetry.attach(listeners.names, listeners.new(open, exporter.metrics))
  return setmetatable({ exporter = exporter, listening = listening }, Handle)
end

return M
