local errors = require "curia.errors"
local helper = require "spec.helper"
local support = require "spec.workflows.support"
local task = require "curia.task"
local work = require "curia.workflows.work"

local place, store

before_each(function()
  place = support.place()
  store = place.store
end)

after_each(function()
  place.close()
end)

local INSTANCE = { id = "1", name = "w", namespace = "default", subject = "s", source_stack = "blue" }

local function perform(code, input)
  code.name = "a"
  local world = support.world()
  local door = support.door(world, "me", function(job) return { result = job } end)
  return helper.virtual(function()
    return work.perform(store, door, { code = code, instance = INSTANCE, attempt = 2, run_id = "1.a.2", input = input })
  end)
end

describe("the work of a step", function()
  it("is a function's call, which is told where it is", function()
    local outcome = perform({ run = function(ctx, input) return { ctx = ctx, input = input } end }, { n = 1 })
    assert.same({ input = { n = 1 }, ctx = { workflow = "w", workflow_id = "1", namespace = "default", subject = "s",
      step = "a", attempt = 2, key = "1.a.2" } }, outcome.result)
  end)

  it("is nothing, false, or an error, as the function says", function()
    assert.same({}, perform({ run = function() end }).result)
    assert.is_false(perform({ run = function() return false end }).result)
    assert.equal("it is closed", perform({ run = function() return nil, "it is closed" end }).error.message:match "it is.*")
    local own = errors.new("quota_exhausted", "no credit")
    assert.equal(own, perform({ run = function() return nil, own end }).error)
    assert.equal("script", perform({ run = function() error "oh" end }).error.kind)
  end)

  it("ends at its time", function()
    local outcome = perform({ timeout_ms = 500, run = function() task.sleep(1e6) end })
    assert.equal("deadline", outcome.error.kind)
    assert.equal("done", perform({ timeout_ms = 500, run = function() return "done" end }).result)
  end)

  it("is a council's run, with all that says which and where", function()
    local asked = perform({ council = "x", options = { seed = 1 } }, { n = 1 }).result
    assert.is_truthy(asked.store)
    asked.store = nil
    assert.same({ council = "x", input = { n = 1 }, run_id = "1.a.2", namespace = "default", stack = "blue",
      options = { seed = 1 } }, asked)
  end)

  it("is an event to the machine, its error as plain data", function()
    assert.same({ type = "finished", step = "a", attempt = 2, run_id = "r", result = { n = 1 } },
      work.event("a", 2, "r", { result = { n = 1 } }))
    local event = work.event("a", 2, "r", { error = errors.new("auth", "no", { traceback = "long", member = "m" }) })
    assert.same({ type = "failed", step = "a", attempt = 2, run_id = "r",
      error = { kind = "auth", message = "no", member = "m" } }, event)
    assert.is_nil(getmetatable(event.error))
    assert.matches("^function", work.event("a", 2, "r", { error = errors.new("tool", "no", { reason = print }) }).error.reason)
  end)
end)
