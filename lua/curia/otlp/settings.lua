--- Where to export to and as whom: the options, then the variables of OpenTelemetry, then its defaults.
local errors = require "curia.errors"
local names = require "curia.data.otlp"
local redact = require "curia.redact"
local retry = require "curia.engine.retry"
local secrets = require "curia.language.secrets"
local system = require "curia.core.system"
local wire = require "curia.otlp.wire"

local M = {}

local ENDPOINT, SERVICE, INTERVAL_MS, SHORTEST_MS = "http://localhost:4318", "curia", 5000, 100
local RETRY = { attempts = 5 }

---@class curia.otlp.Source who exports, as OTLP writes it
---@field resource {attributes: table[]}
---@field scope {name: string, version: string}
---@field schema_url string

---@class curia.otlp.Settings
---@field endpoint string without "/v1/traces", and without a "/" at its end
---@field headers table<string, string>
---@field interval_ms number
---@field retry {attempts: integer, base_ms: number, max_ms: number}
---@field content boolean
---@field source curia.otlp.Source

local function decoded(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

-- "name=value,name=value", values as in URLs. Errors never show what stands there: it may be a key.
local function pairs_of(variable, getenv)
  local found = {}
  for entry in (getenv(variable) or ""):gmatch "[^,]+" do
    local name, value = entry:match "^%s*([^=%s]+)%s*=%s*(.-)%s*$"
    if not name and entry:find "%S" then
      return nil, errors.new("validation", variable .. " must have the form name=value,name=value")
    end
    if name then found[decoded(name)] = decoded(value) end
  end
  return found
end

local function merged(weaker, stronger)
  for name, value in pairs(stronger or {}) do weaker[name] = value end
  return weaker
end

local function header_of(name, value)
  if not secrets.is(value) then
    redact.add(value)
  else
    local problem
    value, problem = secrets.reveal(value)
    if not value then return nil, errors.new("auth", ("otlp: header %s: %s"):format(name, problem)) end
  end
  if value:find "%c" or not name:find "^[%w!#$%%&'*+.^_`|~-]+$" then
    return nil, errors.new("validation", ("otlp: header '%s' cannot be sent"):format(name))
  end
  return value
end

local function headers_of(opts, getenv)
  local given, err = pairs_of("OTEL_EXPORTER_OTLP_HEADERS", getenv)
  if not given then return nil, err end
  local headers = {}
  for name, value in pairs(merged(given, opts.headers)) do
    headers[name], err = header_of(name, value)
    if err then return nil, err end
  end
  headers["Content-Type"] = "application/json"
  return headers
end

local function set(getenv, variable)
  local text = getenv(variable)
  return text ~= "" and text or nil
end

local function resource_of(opts, getenv)
  local given, err = pairs_of("OTEL_RESOURCE_ATTRIBUTES", getenv)
  if not given then return nil, err end
  local attributes = {
    ["service.name"] = SERVICE, ["service.instance.id"] = system.uuid7(), ["telemetry.sdk.name"] = "curia",
    ["telemetry.sdk.language"] = "lua", ["telemetry.sdk.version"] = system.version,
  }
  merged(attributes, given)
  merged(attributes, { ["service.name"] = set(getenv, "OTEL_SERVICE_NAME") })
  merged(attributes, opts.resource)
  merged(attributes, { ["service.name"] = opts.service_name })
  return attributes
end

local function source_of(resource)
  return {
    resource = { attributes = wire.attributes(resource) }, scope = { name = "curia", version = system.version },
    schema_url = names.schema_url,
  }
end

local function endpoint_of(opts, getenv)
  local endpoint = opts.endpoint or set(getenv, "OTEL_EXPORTER_OTLP_ENDPOINT") or ENDPOINT
  if endpoint:find "^https?://[^/%s]+%S*$" then return (endpoint:gsub("/+$", "")) end
  return nil, errors.new("validation", "otlp: the endpoint must be an http or https address, such as " .. ENDPOINT)
end

--- Reads options, which are checked, and variables, which are not.
---@param opts table fields of `curia.language.fields.otlp`
---@param getenv? fun(name: string): string? os.getenv
---@return curia.otlp.Settings?
---@return curia.Error? err
function M.read(opts, getenv)
  getenv = getenv or os.getenv
  local endpoint, err = endpoint_of(opts, getenv)
  if not endpoint then return nil, err end
  local headers, resource
  headers, err = headers_of(opts, getenv)
  if not headers then return nil, err end
  resource, err = resource_of(opts, getenv)
  if not resource then return nil, err end
  return {
    endpoint = endpoint, headers = headers, interval_ms = math.max(SHORTEST_MS, opts.interval_ms or INTERVAL_MS),
    retry = retry.policy(opts.retry, RETRY), content = opts.content == true, source = source_of(resource),
  }
end

return M
