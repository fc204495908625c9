local clock = require "curia.core.clock"
local helper = require "spec.helper"
local limits = require "curia.engine.limits"
local task = require "curia.task"

-- A run with a task that would take a minute, and what it has come to.
local function sleeping(run, ms, holder, until_at)
  local sleeper = task.spawn(task.sleep, 60000)
  limits.set(run, sleeper, ms, holder, until_at)
  return sleeper
end

local function ended_at(sleeper)
  sleeper:await()
  return clock.ms()
end

local function case(name, fn)
  it(name, function()
    helper.virtual(function() fn({ stood_ms = 0 }, clock.ms()) end)
  end)
end

describe("a run's deadlines", function()
  case("cancel their tasks", function(run, began)
    assert.equal(began + 1000, ended_at(sleeping(run, 1000)))
  end)

  case("are told to whoever holds them, the nearer of two", function(run, began)
    local turn = {}
    sleeping(run, 1000, turn, began + 5000):cancel()
    assert.equal(began + 1000, turn.deadline_at)
    sleeping(run, 1000, turn, began + 500):cancel()
    assert.equal(began + 500, turn.deadline_at)
    sleeping(run, nil, turn, began + 500):cancel()
    assert.equal(began + 500, turn.deadline_at)
  end)

  case("stand still together, and go on with what was left", function(run, began)
    local turn = {}
    local one, two, free = sleeping(run, 1000, turn), sleeping(run, 2000), sleeping(run, nil, {}, began + 100)
    task.sleep(400)
    limits.stop(run)
    task.sleep(10000)
    assert.equal(10000, limits.stood_ms(run))
    limits.go_on(run)
    assert.equal(began + 11000, turn.deadline_at)
    assert.equal(began + 11000, ended_at(one))
    assert.equal(began + 12000, ended_at(two))
    assert.equal(10000, limits.stood_ms(run))
    free:cancel()
  end)

  case("that are set meanwhile begin afterwards", function(run, began)
    limits.stop(run)
    task.sleep(3000)
    local sleeper = sleeping(run, 1000)
    task.sleep(3000)
    limits.go_on(run)
    assert.equal(began + 7000, ended_at(sleeper))
  end)
end)
