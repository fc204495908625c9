local names = require "curia.data.otlp"
local telemetry = require "curia.telemetry.names"
local facts = require "curia.otlp.facts"

-- What an event of that name may tell, with a value for each field.
local function everything(event)
  local about, measurements, metadata = telemetry.all[event], {}, {}
  for _, field in ipairs(about.measurements) do measurements[field] = 1 end
  for _, field in ipairs(about.metadata) do metadata[field] = 1 end
  metadata.cost, metadata.decision = metadata.cost and { usd = 1 }, metadata.decision and { winner = "a" }
  metadata.host = metadata.host and "localhost:1"
  metadata.response = metadata.response and { model = "m", provider_id = "id", finish_reason = "stop" }
  return measurements, metadata
end

local function assert_told(attributes, event)
  local measurements, metadata = everything(event)
  for field, name in pairs(attributes) do
    assert.is_not_nil(facts.add({}, { [field] = name }, measurements, metadata)[name], event .. ": " .. field)
  end
end

describe("the names of the export", function()
  it("are of what telemetry tells", function()
    for level, about in pairs(names.spans) do
      assert_told(about.attributes, level .. ".stop")
      assert.is_truthy(about.attributes[about.subject], level)
    end
    assert_told(names.metrics.duration.attributes, "provider.request.stop")
    assert_told(names.metrics.runs.attributes, "run.stop")
  end)

  it("have the form of OpenTelemetry's, each once in a span", function()
    for level, about in pairs(names.spans) do
      local seen = {}
      for _, name in pairs(about.attributes) do
        assert.matches("^[%l_]+%.[%l_.]+$", name)
        assert.is_nil(seen[name], level .. ": " .. name)
        seen[name] = true
      end
    end
  end)

  it("have buckets in ascending order", function()
    for _, about in pairs(names.metrics) do
      for i = 2, #(about.bounds or {}) do assert.is_true(about.bounds[i - 1] < about.bounds[i], about.name) end
    end
  end)
end)
