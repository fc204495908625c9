local helper = require "spec.helper"
local metrics = require "curia.otlp.metrics"
local support = require "spec.otlp.support"
local T = require "spec.engine.support"

local SOURCE = { resource = { attributes = {} }, scope = { name = "curia" }, schema_url = "s" }

local function by_name(figures)
  local found = {}
  for _, metric in ipairs(figures:request(SOURCE).resourceMetrics[1].scopeMetrics[1].metrics) do
    found[metric.name] = metric
  end
  return found
end

local function points(metric)
  return (metric.histogram or metric.sum).dataPoints
end

describe("the metrics of the export", function()
  it("measure how long requests take and what they use, and count runs", function()
    T.answers { a = { content = "A", usage = { input_tokens = 7, output_tokens = 3 } } }
    local _, figures = support.watch(function()
      T.ask { ids = { "a" } }
      T.ask { ids = { "a" } }
    end)
    local found = by_name(figures)
    local duration = points(found["gen_ai.client.operation.duration"])
    assert.equal(1, #duration)
    assert.same({ "2", 2, "s" }, { duration[1].count, found["gen_ai.client.operation.duration"].histogram.aggregationTemporality,
      found["gen_ai.client.operation.duration"].unit })
    assert.same({ ["gen_ai.operation.name"] = "chat", ["gen_ai.provider.name"] = "test", ["gen_ai.request.model"] = "m",
      ["gen_ai.response.model"] = "m" }, support.attributes(duration[1].attributes))
    local tokens = {}
    for _, point in ipairs(points(found["gen_ai.client.token.usage"])) do
      tokens[support.attributes(point.attributes)["gen_ai.token.type"]] = { point.count, point.sum, point.min, point.max }
    end
    assert.same({ input = { "2", 14, 7, 7 }, output = { "2", 6, 3, 3 } }, tokens)
    local runs = points(found["curia.runs"])
    assert.equal("2", runs[1].asInt)
    assert.is_true(found["curia.runs"].sum.isMonotonic)
    assert.same({ ["curia.run.status"] = "completed", ["gen_ai.workflow.name"] = "spec" },
      support.attributes(runs[1].attributes))
  end)

  it("tell requests that fail from those that do not", function()
    helper.virtual(function()
      T.answers { a = { { error = { status = 500, message = "broken" } }, "A" } }
      local _, figures = support.watch(function() T.ask { ids = { "a" } } end)
      local kinds = {}
      for _, point in ipairs(points(by_name(figures)["gen_ai.client.operation.duration"])) do
        kinds[support.attributes(point.attributes)["error.type"] or "none"] = point.count
      end
      assert.same({ transient = "1", none = "1" }, kinds)
    end)
  end)

  it("put a value on a bound into the bucket below", function()
    local figures = metrics.new()
    for _, seconds in ipairs { 0.005, 0.01, 0.011, 1000 } do
      figures:request_ended({ duration_us = seconds * 1e6 }, { model = "m" })
    end
    local point = points(by_name(figures)["gen_ai.client.operation.duration"])[1]
    assert.same({ "2", "1" }, { point.bucketCounts[1], point.bucketCounts[2] })
    assert.equal("1", point.bucketCounts[#point.explicitBounds + 1])
    assert.equal(#point.explicitBounds + 1, #point.bucketCounts)
  end)

  it("add up, and know whether anything has changed", function()
    local figures = metrics.new()
    assert.is_false(figures.changed)
    figures:run_ended({}, { council = "c", status = "completed" })
    assert.is_true(figures.changed)
    assert.equal("1", points(by_name(figures)["curia.runs"])[1].asInt)
    assert.is_false(figures.changed)
    figures:run_ended({}, { council = "c", status = "completed" })
    assert.equal("2", points(by_name(figures)["curia.runs"])[1].asInt)
  end)

  it("keep so many series and no more", function()
    local figures = metrics.new()
    for i = 1, 2010 do figures:run_ended({}, { council = "c" .. i, status = "completed" }) end
    local all, overflow = points(by_name(figures)["curia.runs"]), nil
    for _, point in ipairs(all) do
      if support.attributes(point.attributes)["otel.metric.overflow"] then overflow = point end
    end
    assert.equal(2001, #all)
    assert.equal("10", overflow.asInt)
  end)
end)
