--- What an event of telemetry tells, as values of attributes: the names are those of `curia.data.otlp`.
local names = require "curia.data.otlp"

local M = {}

-- Fields that are none of the event's own.
local derived = {}

function derived.provider(_, metadata)
  return names.providers[metadata.provider] or metadata.provider
end

function derived.finish_reasons(_, metadata)
  local reason = metadata.finish_reason or metadata.response and metadata.response.finish_reason
  return reason and { reason }
end

function derived.cost_usd(_, metadata)
  local usd = metadata.cost and metadata.cost.usd
  return usd and usd + 0.0
end

function derived.confidence(_, metadata)
  return metadata.confidence and metadata.confidence + 0.0
end

function derived.winner(_, metadata)
  local winner = metadata.decision and metadata.decision.winner
  return type(winner) == "string" and winner or nil
end

function derived.first_token_s(measurements)
  return measurements.first_token_us and measurements.first_token_us / 1e6
end

-- "host", "host:port", "[::1]:port"
function derived.server(_, metadata)
  local host = metadata.host
  return host and (host:match "^%[(.-)%]" or host:match "^[^:]+")
end

function derived.port(_, metadata)
  return metadata.host and math.tointeger(metadata.host:match ":(%d+)$")
end

function derived.response_model(_, metadata)
  return metadata.response and metadata.response.model
end

function derived.response_id(_, metadata)
  return metadata.response and metadata.response.provider_id
end

local function value_of(field, measurements, metadata)
  local derive = derived[field]
  if derive then return derive(measurements, metadata) end
  return measurements[field] or metadata[field]
end

--- Adds the attributes of an event.
---@param into table<string, any> attribute -> value
---@param attributes table<string, string> field -> attribute
---@param measurements table<string, number>
---@param metadata table
---@return table<string, any> into
function M.add(into, attributes, measurements, metadata)
  for field, name in pairs(attributes) do
    into[name] = value_of(field, measurements, metadata)
  end
  return into
end

return M
