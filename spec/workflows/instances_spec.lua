local definition = require "curia.workflows.definition"
local instances = require "curia.workflows.instances"
local rows = require "curia.workflows.rows"
local support = require "spec.workflows.support"

local place, store

before_each(function()
  place = support.place()
  store = place.store
end)

after_each(function()
  place.close()
end)

local function make(id, subject, trigger)
  local made = definition.new("w", { subject = subject, { name = "a", approval = true } })
  return instances.make(made, trigger or {}, {}, { namespace = "default", id = id })
end

describe("a new workflow", function()
  it("has the subject that its definition makes of the trigger", function()
    assert.equal("7", make("1", "trigger.n", { n = 7 }).subject)
    assert.is_nil(make("1", "trigger.n", {}).subject)
    assert.equal("x!", make("1", function(trigger) return trigger.x .. "!" end, { x = "x" }).subject)
    local made, err = make("1", function(trigger) return trigger.no.such end)
    assert.is_nil(made)
    assert.matches("subject of workflow w", err.message)
  end)

  it("is stored once, with all of its steps", function()
    local made = make("1")
    assert.is_true(instances.insert(store, made))
    assert.is_true(instances.insert(store, made))
    assert.equal("pending", rows.load(store, made).steps.a.status)
    local _, err = instances.insert(store, make("1", nil, { other = true }))
    assert.equal("duplicate_run", err.kind)
    assert.is_nil(err.code)
  end)

  it("is refused for a subject in flight, with the other's id", function()
    assert(instances.insert(store, make("1", "trigger.n", { n = 7 })))
    local _, err = instances.insert(store, make("2", "trigger.n", { n = 7 }))
    assert.same({ "duplicate_in_flight", "1" }, { err.code, err.context.workflow_id })
  end)

  it("is given up when something else is in its way", function()
    assert(store:execute [[INSERT INTO {workflow_steps} (namespace, workflow_id, name, position, status, attempt, version)
      VALUES ('default', '1', 'a', 1, 'done', 1, 1)]])
    local made, err = instances.insert(store, make "1")
    assert.is_nil(made)
    assert.is_true(rows.is_lost(err))
  end)
end)
