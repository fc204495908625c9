--- Figures of all requests and runs since the export began, as OTLP's histograms and sums.
local check = require "curia.language.check"
local clock = require "curia.core.clock"
local facts = require "curia.otlp.facts"
local json = require "curia.json"
local names = require "curia.data.otlp"
local wire = require "curia.otlp.wire"

local M = {}

local CUMULATIVE = 2 -- the proto's AggregationTemporality

-- Series of a metric beyond so many are one, as in OpenTelemetry's own SDKs.
local MOST_SERIES = 2000
local OVERFLOW = { ["otel.metric.overflow"] = true }

---@class curia.otlp.Series
---@field attributes table<string, any>
---@field count integer
---@field sum number
---@field min? number of a histogram, as are:
---@field max? number
---@field buckets? integer[]

---@class curia.otlp.Metrics
---@field began_ms integer Unix time
---@field changed boolean since `request` was called
---@field series table<string, {count: integer, by_key: table<string, curia.otlp.Series>}> by metric
local Metrics = {}
Metrics.__index = Metrics

local function key_of(attributes)
  local parts = {}
  for _, name in ipairs(check.sorted_keys(attributes)) do
    parts[#parts + 1] = ("%s=%s"):format(name, attributes[name])
  end
  return table.concat(parts, "\n")
end

local function new_series(attributes, bounds)
  local buckets = bounds and {}
  for i = 1, bounds and #bounds + 1 or 0 do buckets[i] = 0 end
  return { attributes = attributes, count = 0, sum = 0, buckets = buckets }
end

local function series_of(self, metric, attributes)
  local all = self.series[metric]
  local key = key_of(attributes)
  if not all.by_key[key] and all.count >= MOST_SERIES then attributes, key = OVERFLOW, "" end
  if not all.by_key[key] then
    all.by_key[key], all.count = new_series(attributes, names.metrics[metric].bounds), all.count + 1
  end
  return all.by_key[key]
end

-- A bucket holds what is above the bound before it, up to its own.
local function bucket_of(bounds, value)
  for i, bound in ipairs(bounds) do
    if value <= bound then return i end
  end
  return #bounds + 1
end

local function record(self, metric, value, attributes)
  local series, bounds = series_of(self, metric, attributes), names.metrics[metric].bounds
  series.count, series.sum = series.count + 1, series.sum + value
  self.changed = true
  if not bounds then return end
  series.min, series.max = math.min(series.min or value, value), math.max(series.max or value, value)
  local bucket = bucket_of(bounds, value)
  series.buckets[bucket] = series.buckets[bucket] + 1
end

local function request_attributes(measurements, metadata, err)
  local attributes = {
    [names.operation] = names.spans["provider.request"].operation, [names.error_type] = err and err.kind,
  }
  return facts.add(attributes, names.metrics.duration.attributes, measurements, metadata)
end

local function record_tokens(self, count, kind, measurements, metadata)
  if not count then return end
  local attributes = request_attributes(measurements, metadata)
  attributes[names.token_type] = kind
  record(self, "tokens", count, attributes)
end

--- Counts a request that has ended.
---@param measurements table of `provider.request.stop`
---@param metadata table
---@param err? curia.Error
function Metrics:request_ended(measurements, metadata, err)
  record(self, "duration", measurements.duration_us / 1e6, request_attributes(measurements, metadata, err))
  record_tokens(self, measurements.input_tokens, "input", measurements, metadata)
  record_tokens(self, measurements.output_tokens, "output", measurements, metadata)
end

--- Counts a run that has ended.
---@param measurements table of `run.stop`
---@param metadata table
function Metrics:run_ended(measurements, metadata)
  record(self, "runs", 1, facts.add({}, names.metrics.runs.attributes, measurements, metadata))
end

-- ---- as OTLP writes them ----------------------------------------------------------------------------

local function texts(numbers)
  local list = json.array()
  for i, number in ipairs(numbers) do list[i] = wire.int64(number) end
  return list
end

local function point(self, series, bounds, now)
  local made = {
    attributes = wire.attributes(series.attributes),
    startTimeUnixNano = wire.int64(self.began_ms * 1000000), timeUnixNano = now,
  }
  if not bounds then
    made.asInt = wire.int64(series.sum)
    return made
  end
  made.count, made.sum, made.min, made.max = wire.int64(series.count), series.sum, series.min, series.max
  made.bucketCounts, made.explicitBounds = texts(series.buckets), bounds
  return made
end

local function metric_of(self, id, now)
  local about, points = names.metrics[id], json.array()
  for _, key in ipairs(check.sorted_keys(self.series[id].by_key)) do
    points[#points + 1] = point(self, self.series[id].by_key[key], about.bounds, now)
  end
  local metric = { name = about.name, unit = about.unit, description = about.about }
  if about.bounds then
    metric.histogram = { dataPoints = points, aggregationTemporality = CUMULATIVE }
  else
    metric.sum = { dataPoints = points, aggregationTemporality = CUMULATIVE, isMonotonic = true }
  end
  return metric
end

--- The request that exports the metrics as they stand.
---@param source curia.otlp.Source
---@return table
function Metrics:request(source)
  self.changed = false
  local list, now = json.array(), wire.int64(clock.wall_ms() * 1000000)
  for _, id in ipairs(check.sorted_keys(self.series)) do
    if self.series[id].count > 0 then list[#list + 1] = metric_of(self, id, now) end
  end
  return {
    resourceMetrics = json.array {
      {
        resource = source.resource, schemaUrl = source.schema_url,
        scopeMetrics = json.array { { scope = source.scope, schemaUrl = source.schema_url, metrics = list } },
      },
    },
  }
end

--- Nothing is counted yet.
---@return curia.otlp.Metrics
function M.new()
  local series = {}
  for id in pairs(names.metrics) do series[id] = { count = 0, by_key = {} } end
  return setmetatable({ began_ms = clock.wall_ms(), changed = false, series = series }, Metrics)
end

return M
