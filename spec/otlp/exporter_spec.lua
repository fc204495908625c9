local clock = require "curia.core.clock"
local exporters = require "curia.otlp.exporter"
local helper = require "spec.helper"
local settings = require "curia.otlp.settings"
local support = require "spec.otlp.support"
local T = require "spec.engine.support"
local task = require "curia.task"

local function exporter_to(url, interval_ms)
  local read = assert(settings.read({ endpoint = url }, function() end))
  read.interval_ms = interval_ms
  return exporters.start(read)
end

local function span()
  return {
    trace = { id = ("a"):rep(32) }, id = ("b"):rep(16), name = "x", names = { kind = 1 }, began_ns = 1, ended_ns = 2,
    attributes = {},
  }
end

local function put(exporter, count)
  for _ = 1, count do exporter:put(span()) end
end

describe("the exporter", function()
  it("sends every so often, and nothing where there is nothing", function()
    local collector <close> = support.collector()
    local exporter = exporter_to(collector.url, 10)
    task.sleep(50)
    assert.equal(0, #collector.requests)
    put(exporter, 3)
    assert.is_true(helper.settle(function() return exporter.sent == 3 end))
    assert.equal(1, #collector.requests)
    assert.equal(3, #collector:spans())
    exporter.metrics:run_ended({}, { council = "c", status = "completed" })
    assert.is_true(helper.settle(function() return #collector.requests == 2 end))
    assert.equal("curia.runs", collector:metrics()[1].name)
    assert.equal(2, #collector.requests)
    assert.is_true(exporter:stop(10000))
    assert.same({ sent = 3, lost = 0, dropped = 0, waiting = 0 }, exporter:stats())
  end)

  it("sends sooner where much waits, in requests of a size", function()
    local collector <close> = support.collector()
    local exporter = exporter_to(collector.url, 60000)
    task.sleep(1)
    put(exporter, 1100)
    assert.is_true(helper.settle(function() return exporter.sent == 1100 end))
    assert.equal(1100, #collector:spans())
    assert.equal(3, #collector.requests)
    assert.is_true(exporter:stop(10000))
  end)

  it("sends what waits when it stops; stopping twice is no harm", function()
    local collector <close> = support.collector()
    local exporter = exporter_to(collector.url, 60000)
    put(exporter, 2)
    assert.is_true(exporter:stop(10000))
    assert.equal(2, #collector:spans())
    assert.is_true(exporter:stop(10000))
    assert.equal(1, #collector.requests)
  end)

  it("sends what came while it was sending", function()
    local exporter
    local collector <close> = support.collector(function(number)
      if number == 1 then put(exporter, 1) end
    end)
    exporter = exporter_to(collector.url, 60000)
    put(exporter, 1)
    assert.is_true(exporter:stop(10000))
    assert.equal(2, #collector:spans())
  end)

  it("does not wait longer than it may for a receiver that says nothing", function()
    local collector <close> = support.collector(function() return false end)
    local exporter = exporter_to(collector.url, 60000)
    put(exporter, 2)
    local began = clock.ms()
    local ok, err = exporter:stop(100)
    assert.is_nil(ok)
    assert.same({ "timeout", "otlp: 2 spans were not sent in 100 ms" }, { err.kind, err.message })
    assert.is_true(clock.ms() - began < 10000)
  end)

  it("tells once that a receiver does not answer, and again after it did", function()
    local healthy = false
    local collector <close> = support.collector(function() return healthy and 200 or 400 end)
    local exporter = exporter_to(collector.url, 1)
    local function send(count)
      for _ = 1, count do
        local before = #collector.requests
        put(exporter, 1)
        assert(helper.settle(function() return #collector.requests > before and exporter.under_way == 0 end))
      end
    end
    local lines = T.logged(function()
      send(3)
      healthy = true
      send(1)
      healthy = false
      send(2)
      local ok, err = exporter:stop(10000)
      assert.is_nil(ok)
      assert.equal(400, err.status)
    end)
    assert.equal(2, #lines)
    assert.matches("^warn: otlp: spans and metrics are lost.*/v1/traces answers 400$", lines[1])
    assert.same({ sent = 1, lost = 5, dropped = 0, waiting = 0 }, exporter:stats())
  end)

  it("drops what is too much, and tells once", function()
    local collector <close> = support.collector()
    local exporter = exporter_to(collector.url, 60000)
    local lines = T.logged(function()
      put(exporter, 3000)
      assert.is_true(helper.settle(function() return exporter.sent == 2048 end))
      put(exporter, 3000)
      assert.is_true(exporter:stop(10000))
    end)
    assert.same({ "warn: otlp: 2048 spans wait to be sent: what comes now is dropped, and counted by stats()" }, lines)
    assert.same({ sent = 4096, lost = 0, dropped = 1904, waiting = 0 }, exporter:stats())
  end)

  it("counts and tells what the receiver rejects", function()
    local collector <close> = support.collector(function()
      return 200, "", '{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}'
    end)
    local exporter = exporter_to(collector.url, 60000)
    put(exporter, 3)
    local lines = T.logged(function() assert.is_true(exporter:stop(10000)) end)
    assert.same({ "warn: otlp: the receiver rejects 1: too old" }, lines)
    assert.same({ sent = 2, lost = 1, dropped = 0, waiting = 0 }, exporter:stats())
  end)
end)
